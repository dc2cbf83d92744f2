"""Scenario: a story of what could happen, as shocks to entities and changes of edges, read from YAML.

    name: banks_of_a_country
    date: 2023-07-28
    narrative: Every German bank loses 30 % of its equity, and lending between banks is cut by half.
    source: where the figures come from
    shocks:
      - {loses: 0.3, of: equity, who: {label: Bank, country: DE}}
      - {fails: "lei:..."}
      - {score: distress}
    changes:
      - {edges: {type: LENDS_TO, from: {label: Bank}, to: {label: Bank}}, scale: 0.5}
      - {edges: {type: LENDS_TO, to: {id: "lei:..."}}, scale: 0}
      - {add: {type: LENDS_TO, from: "lei:...", to: "lei:...", amount: "10.00", currency: EUR}}

`shocks` are money lost, which a measure then spreads; `changes` are a graph that would be otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from kg.errors import MeasureError
from kg.snapshot import Snapshot
from queries.exposures import Exposures
from queries.parameter import suggestion
from queries.scenario import Kind, Shocks

LIBRARY = Path(__file__).parent / "library"
FORMS: Mapping[str, frozenset[str]] = {
    "fails": frozenset({"fails"}),
    "loses": frozenset({"loses", "of", "who"}),
    "score": frozenset({"score"}),
}
"""Words of a shock, by the word that tells which it is."""
CHANGES: Mapping[str, frozenset[str]] = {"edges": frozenset({"edges", "scale"}), "add": frozenset({"add"})}
SELECTION = frozenset({"id", "label", "country", "sector"})
NAMED = 30
"""Most sectors or countries that an error names."""
MEMBERSHIP: Mapping[str, str] = {"country": "IN_COUNTRY", "sector": "IN_SECTOR"}
"""The edge that tells membership, by the word of a selection."""


@dataclass(frozen=True)
class Scenario:
    """What is supposed, and why. MeasureError says what in it cannot be read."""

    name: str
    date: date
    narrative: str
    source: str
    shocks: tuple[Mapping[str, Any], ...] = ()
    changes: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def read(cls, text: str, where: str = "scenario") -> Scenario:
        """From YAML. `where` names the file in errors."""
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise MeasureError(f"{where} is no YAML: {' '.join(str(error).split())}") from error
        return cls.of(found, where)

    @classmethod
    def of(cls, found: Any, where: str = "scenario") -> Scenario:
        """From what YAML holds."""
        if not isinstance(found, Mapping):
            raise MeasureError(f"{where}: expected name, date, narrative, source, shocks, not {type(found).__name__}")
        known = set(cls.__dataclass_fields__)
        for word in found:
            if word not in known:
                raise MeasureError(f"{where}: {word!r} is unknown; known: {', '.join(sorted(known))}")
        missing = [word for word in ("name", "date", "narrative", "source") if not found.get(word)]
        if missing:
            raise MeasureError(f"{where}: {', '.join(missing)} is missing: a scenario says what it is and whence")
        if not isinstance(found["date"], date):
            raise MeasureError(f"{where}: date {found['date']!r} is no date; write 2023-07-28")
        shocks = _lines(found.get("shocks"), FORMS, f"{where}: shock")
        changes = _lines(found.get("changes"), CHANGES, f"{where}: change")
        if not shocks and not changes:
            raise MeasureError(f"{where}: no shock and no change; a scenario supposes something")
        return cls(str(found["name"]), found["date"], str(found["narrative"]), str(found["source"]), shocks, changes)

    def losses(self, exposures: Exposures, snapshot: Snapshot) -> Shocks:
        """All shocks together as one scenario over the exposures. What has no exposures is left out."""
        if not self.shocks:
            return Shocks.of(exposures, np.zeros(len(exposures)), names=(self.name,))
        parts = []
        for line in self.shocks:
            kind, share = shares(line, snapshot)
            row = np.zeros(len(exposures))
            for node, fraction in share.items():
                if (place := exposures.index.get(snapshot.ids[node])) is not None:
                    row[place] = fraction
            parts.append(Shocks.of(exposures, row, kind, (self.name,)))
        # added one to the other: stacked, they are copied first
        lost, outside, distress = (
            sum(getattr(part, name) for part in parts) for name in ("lost", "outside", "distress")
        )
        return Shocks((self.name,), lost, np.minimum(outside, exposures.external_assets), np.minimum(distress, 1.0))


def library(folder: Path = LIBRARY) -> dict[str, Scenario]:
    """Every scenario of a folder by its name, in order of names."""
    found = {}
    for file in sorted(folder.glob("*.yaml")):
        scenario = Scenario.read(file.read_text("utf-8"), file.name)
        if scenario.name != file.stem:
            raise MeasureError(f"{file.name}: the scenario is called {scenario.name!r}; name the file like it")
        found[scenario.name] = scenario
    return found


def find(name: str, folder: Path = LIBRARY) -> Scenario:
    """A scenario of the library by name, or of a YAML file by its path."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise MeasureError(f"there is no scenario file {name}; give a path, or a name of `kgrisk scenarios`")
        return Scenario.read(path.read_text("utf-8"), path.name)
    known = library(folder)
    if name not in known:
        names = list(known)
        raise MeasureError(f"scenario {name!r} is unknown; known: {', '.join(names)}{suggestion(name, names)}")
    return known[name]


def shares(line: Mapping[str, Any], snapshot: Snapshot) -> tuple[Kind, dict[int, float]]:
    """What fraction of what each node loses: the kind, and fractions by row of nodes."""
    if "fails" in line:
        return "default", dict.fromkeys(select({"id": line["fails"]}, snapshot), 1.0)
    if "score" in line:
        rows, values = snapshot.latest(str(line["score"]))
        if not len(rows):
            raise MeasureError(f"no entity has a {line['score']!r} score; train and publish scores first")
        return "equity", dict(zip(rows.tolist(), values.tolist(), strict=True))
    kind: Kind = line.get("of", "equity")
    if kind not in ("equity", "external"):
        raise MeasureError(f"of: {kind!r} is unknown; an entity loses a part of its equity or external assets")
    share = line["loses"]
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise MeasureError(f"loses: {share!r} is no fraction from 0 to 1")
    return kind, {row: float(share) for row in select(line.get("who") or {}, snapshot)}


def select(who: Mapping[str, Any], snapshot: Snapshot) -> list[int]:
    """Rows of the nodes that all words of a selection fit. MeasureError if none does: a shock reaches somebody."""
    if unknown := set(who) - SELECTION:
        raise MeasureError(f"{sorted(unknown)[0]!r} selects nothing; known: {', '.join(sorted(SELECTION))}")
    if not who:
        raise MeasureError(f"who is hit? give one or more of {', '.join(sorted(SELECTION))}")
    parts = []
    for word, wanted in who.items():
        values = [str(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
        parts.append(_fitting(word, values, snapshot))
        if not parts[-1]:
            raise MeasureError(
                f"nobody in the graph has {word} {wanted} at this instant{_known(word, values, snapshot)}"
            )
    if not (rows := set.intersection(*parts)):
        told = ", ".join(f"{word} {value}" for word, value in who.items())
        raise MeasureError(f"each of {told} fits somebody at this instant, but nobody fits all of them; leave one out")
    return sorted(rows)


def _known(word: str, values: Sequence[str], snapshot: Snapshot) -> str:
    """What a word of a selection could be in this graph."""
    if word == "id":
        return suggestion(values[0], snapshot.ids) or "; ids are listed by `kgrisk scores` and every named query"
    if word == "label":
        return f"; labels here: {', '.join(sorted(set(snapshot.labels))) or 'none, the graph is empty'}"
    ends = {snapshot.ids[row] for row in snapshot.edges_of(MEMBERSHIP[word])["target"].to_pylist()}
    names = sorted(id.partition(":")[2] for id in ends)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"; known here: {', '.join(names[:NAMED]) or 'none'}{more}"


def _fitting(word: str, values: Sequence[str], snapshot: Snapshot) -> set[int]:
    if word == "id":
        return {snapshot.index[value] for value in values if value in snapshot.index}
    if word == "label":
        return {row for row, label in enumerate(snapshot.labels) if label in values}
    edges = snapshot.edges_of(MEMBERSHIP[word])
    ends = {row for row, id in enumerate(snapshot.ids) if id in values or id.partition(":")[2] in values}
    pairs = zip(edges["source"].to_pylist(), edges["target"].to_pylist(), strict=True)
    return {source for source, target in pairs if target in ends}


def _lines(found: Any, forms: Mapping[str, frozenset[str]], where: str) -> tuple[Mapping[str, Any], ...]:
    """Lines of a list, each with the words of one form. MeasureError names the line."""
    if found is None:
        return ()
    if not isinstance(found, list):
        raise MeasureError(f"{where}s: expected a list, not {type(found).__name__}")
    for number, line in enumerate(found, 1):
        form = next((words for word, words in forms.items() if isinstance(line, Mapping) and word in line), None)
        if form is None or set(line) - form:
            told = " or ".join("{" + ", ".join(sorted(words)) + "}" for words in forms.values())
            raise MeasureError(f"{where} {number}: {line!r} is not understood; expected {told}")
    return tuple(found)
