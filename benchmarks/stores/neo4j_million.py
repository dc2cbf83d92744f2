"""Neo4j filled with a million loans."""

from benchmarks.figure import Figure
from benchmarks.storing import first, neo4j


def measure() -> list[Figure]:
    return first(neo4j, (100_000, 1_000_000))  # banks and loans
