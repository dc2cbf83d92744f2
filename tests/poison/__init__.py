"""The poison world: a seeded random graph in which beside every edge stand twins that must not be seen.

Each true statement gets up to six twins with absurd amounts (or ends): not yet valid, no longer valid, retracted,
not yet recorded, superseded by a later publication, and not yet published. All are real claims, committed to a real
ledger in three commits, so that the known clock comes from the commits. `World.seen` tells what must be visible at
an instant straight from the list of statements: filter by the three clocks, then the best statement of each group;
it shares no code with kg.project.
"""

from tests.poison.said import NOW, day
from tests.poison.seen import Row, Seen
from tests.poison.world import World

__all__ = ["NOW", "Row", "Seen", "World", "day"]
