"""Stakes: who holds how much of whom in a snapshot, with what leads to the evidence; and who is under sanctions.

OWNS is a share of the capital. Where its source gave a range, the edge holds the least and a `statement` of the owned
company tells the range: the most is taken from there. Without a share it is anything from 0 to 1. OFFICER_OF with a
role that begins `voting rights` is a share of the votes, and one that names a power to appoint or to direct is control;
SUBSIDIARY_OF is control by the parent. A stake told as indirect is left out where the owner also has a way down to the
company over stakes that are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa

from kg.snapshot import Snapshot

STAKES: Final = pa.schema(
    [
        pa.field("owner", pa.string()),
        pa.field("owned", pa.string()),
        pa.field("share", pa.float64()),  # what is sure
        pa.field("high", pa.float64()),  # the most it may be
        pa.field("kind", pa.string()),  # capital, votes or control
        pa.field("edge", pa.string()),
        pa.field("statement", pa.string()),
        pa.field("told", pa.string()),  # how the source puts it, where it is no plain share
    ]
)
POWERS: Final = ("appointment of board", "other influence or control", "right to appoint", "significant influence")
"""What a role begins with that is control by other means."""
SANCTIONED: Final = "sanctioned"
"""What the flag of a listed party begins with."""
MORE: Final = 1e-9
"""What a share told as `over 25 %` has beyond 25 %, so that it exceeds it."""
_RANGE: Final = re.compile(r"\D*?(?P<over>over )?(?P<low>[\d.]+)(?: to (?:under )?(?P<high>[\d.]+))? %$")


def stakes(snapshot: Snapshot) -> pa.Table:
    """Every stake that holds at the instant of the snapshot, in STAKES."""
    ranges = _ranges(snapshot)
    found = [*_owned(snapshot, ranges), *_led(snapshot)]
    found = _direct(found)
    made = pa.Table.from_pylist([{name: row[name] for name in STAKES.names} for row in found], schema=STAKES)
    return made.sort_by([(name, "ascending") for name in ("owned", "owner", "kind", "edge")])


def listed(snapshot: Snapshot, programme: str = "") -> dict[str, str]:
    """Statement of the flag of each party that is under sanctions at the instant of the snapshot.

    `programme` keeps flags whose text contains it.
    """
    flags = snapshot.facts_of("flag").select(["subject", "value_text", "statement"]).to_pylist()
    marked = (row for row in flags if (row["value_text"] or "").startswith(SANCTIONED))
    kept = (row for row in marked if programme.casefold() in row["value_text"].casefold())
    return {snapshot.ids[row["subject"]]: row["statement"] for row in kept}


def _rows(snapshot: Snapshot, type: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    columns = ["source", "target", "key", "value_real", "value_text", "id", "statement"]
    for row in snapshot.edges_of(type).select(columns).to_pylist():
        yield snapshot.ids[row["source"]], snapshot.ids[row["target"]], row


def _row(owner: str, owned: str, edge: Mapping[str, Any], share: tuple[float, float], **more: Any) -> dict[str, Any]:
    own = {"owner": owner, "owned": owned, "share": share[0], "high": share[1], "told": "", "indirect": False}
    return {**own, "edge": edge["id"], "statement": edge["statement"], **more}


def _owned(snapshot: Snapshot, ranges: Mapping[tuple[str, str], tuple[float, float, str]]) -> Iterator[dict[str, Any]]:
    for owner, owned, edge in _rows(snapshot, "OWNS"):
        share = edge["value_real"]
        indirect = "indirect" in (edge["key"] or "")
        if share is None:
            yield _row(owner, owned, edge, (0.0, 1.0), kind="capital", told="share not told", indirect=indirect)
        else:
            low, high, told = ranges.get((owned, _percent(share * 100)), (share, share, ""))
            yield _row(owner, owned, edge, (low, high), kind="capital", told=told, indirect=indirect)


def _led(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    for child, parent, edge in _rows(snapshot, "SUBSIDIARY_OF"):
        yield _row(parent, child, edge, (0.0, 0.0), kind="control", told="subsidiary of")
    for owner, owned, edge in _rows(snapshot, "OFFICER_OF"):
        role = (edge["value_text"] or edge["key"] or "").removeprefix("indirect ")
        if role.startswith("voting rights"):
            low, high = _share(role)
            yield _row(owner, owned, edge, (low, high), kind="votes", told=role)
        elif role.startswith(POWERS):
            yield _row(owner, owned, edge, (0.0, 0.0), kind="control", told=role)


def _ranges(snapshot: Snapshot) -> dict[tuple[str, str], tuple[float, float, str]]:
    """Least and most of a share and how it is told, by company and least share in per cent.

    Where two ranges of a company begin alike, the wider one is taken.
    """
    found: dict[tuple[str, str], tuple[float, float, str]] = {}
    for row in snapshot.facts_of("statement").select(["subject", "key", "value_text"]).to_pylist():
        text = row["value_text"] or ""
        if (row["key"] or "").startswith("interest|") and text.startswith("shareholding"):
            low, high = _share(text)
            at = snapshot.ids[row["subject"]], _percent(low * 100)
            known = found.get(at, (low, high, text))
            found[at] = (min(low, known[0]), max(high, known[1]), text if high >= known[1] else known[2])
    return found


def _share(text: str) -> tuple[float, float]:
    """Least and most of `voting rights 25 to under 50 %`; 0 to 1 where no number is told."""
    matched = _RANGE.match(text)
    if not matched:
        return 0.0, 1.0
    low = float(matched["low"]) / 100 + (MORE if matched["over"] else 0.0)
    return min(low, 1.0), max(float(matched["high"]) / 100 if matched["high"] else low, low)


def _percent(value: float) -> str:
    return f"{value:.6g}"


def _direct(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without indirect stakes of owners that reach the company over two or more stakes that are told."""
    above: dict[str, set[str]] = {}
    for row in rows:
        if row["kind"] == "capital" and not row["indirect"]:
            above.setdefault(row["owned"], set()).add(row["owner"])
    return [row for row in rows if not (row["indirect"] and row["owner"] in _all_above(above, row["owned"]))]


def _all_above(above: Mapping[str, set[str]], company: str) -> set[str]:
    """Everyone over the company at a distance of two or more."""
    seen: set[str] = set()
    queue = list(above.get(company, ()))
    found: set[str] = set()
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        found |= above.get(name, set())
        queue += above.get(name, ())
    return found
