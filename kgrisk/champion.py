"""Champion: the training run whose scores are served; who it is, who it was, and how one takes another's place.

The ledger tells it: a commit of a training run puts that run in its place, a commit of a scoring says of which day and
data its scores are, and a rollback puts back what was served at an earlier commit. So no file can say otherwise, and
what was served when is what the ledger says as known then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather

from kg import plugins
from kg.errors import KgRiskError, ModelError
from kg.files import write_whole
from kg.model import SCHEMA, ClaimBatch, RunManifest, digest, iso
from kgrisk.extras import need
from kgrisk.opened import Opened
from kgrisk.result import Result

CLAIMS: Final = "claims.arrow"
"""What a run would say, beside its checkpoint, while it is in the shadow."""
DIGEST: Final = "claims.sha256"
"""Digest of its bytes."""
CONTEST: Final = "contest.json"
"""How a run did beside the champion of its time."""


@dataclass(frozen=True)
class Told:
    """Data and day that scores were said of."""

    commit: int
    day: datetime


@dataclass(frozen=True)
class Reign:
    """A run while its scores are served."""

    run: str
    since: int
    """The commit that put it in its place first."""
    first: Told | None = None
    """What its first scoring of all firms was said of."""
    scored: Told | None = None
    """What its last scoring was said of."""


def reigns(graph: Opened) -> list[tuple[int, Reign]]:
    """After each commit that changed it: who was served, and what its scores were said of."""
    found: list[tuple[int, Reign]] = []
    for commit, kind, run, details in _model_commits(graph):
        reign = found[-1][1] if found else None
        if kind == "train":
            reign = Reign(run, commit)
        elif kind == "rollback":
            reign = [was for number, was in found if number <= details["to"]][-1]
        elif reign is not None and details["of"] == reign.run:
            told = Told(details["commit"], datetime.fromisoformat(details["day"]))
            reign = replace(reign, scored=told, first=reign.first or told)
        if reign is not None:
            found.append((commit, reign))
    return found


def champion(graph: Opened) -> Reign | None:
    """Who is served now; None while no graph model has published anything."""
    found = reigns(graph)
    return found[-1][1] if found else None


def folder_of(graph: Opened, run: str) -> Path:
    """Where a training run keeps its head. ModelError if it is gone."""
    folder = graph.home / "runs" / run
    if not folder.is_dir():
        raise ModelError(f"the run {run[:12]} is not in {folder.parent}; restore that folder or train again")
    return folder


def _model_commits(graph: Opened) -> Iterator[tuple[int, str, str, dict[str, Any]]]:
    """Number, kind, run and details of the commits that changed what graph models say, in order."""
    models = set(plugins.names("gnn.models"))
    for row in graph.ledger.commits().select(["commit", "run"]).to_pylist():
        run = row["run"]
        if run not in graph.files:
            continue
        told = json.loads(graph.files.get(run))
        kind, details = told.get("kind"), told.get("details", {})
        if kind in ("score", "rollback") or (kind == "train" and details.get("model") in models):
            yield row["commit"], kind, run, details


# ---- taking a place


def keep(graph: Opened, folder: Path, batch: ClaimBatch) -> None:
    """Keep what a run would say, so that it can be promoted as it is."""
    sink = pa.BufferOutputStream()
    feather.write_feather(batch.table, sink, compression="zstd")
    data = sink.getvalue().to_pybytes()
    write_whole(folder / DIGEST, digest(data).encode())
    write_whole(folder / CLAIMS, data)


def promote(graph: Opened, run: str) -> int:
    """Put a run in the champion's place: what it said, or would have said, is said; gives the commit.

    KgRiskError where there is no such run, it is served already, or what it would say was not kept.
    """
    id = found_run(graph, run)
    now = champion(graph)
    if now is not None and now.run == id:
        raise KgRiskError(f"run {id[:12]} is the champion already, since commit {now.since}; nothing was done")
    if id not in graph.files:
        raise KgRiskError(f"run {id[:12]} was trained without keeping what it would say; train again: `kgrisk refresh`")
    told = json.loads(graph.files.get(id))
    made, room = RunManifest(told["kind"], told["details"], told["code"]), need("gnn.publish", "learn")
    claims = _claims_of(graph, id)
    cut = datetime.fromisoformat(told["details"]["cut"])
    gone = room.former(graph.ledger.alive(), room.Said(id, told["details"]["model"], cut))
    return graph.ledger.commit(claims, made, retract=gone)


def found_run(graph: Opened, run: str) -> str:
    """The training run that these first digits name. KgRiskError with those that there are."""
    folder = graph.home / "runs"
    known = sorted(path.parent.name for path in folder.glob("*/run.json"))
    found = [id for id in known if run and id.startswith(run.lower())]
    if len(found) == 1:
        return found[0]
    some = ", ".join(id[:12] for id in known[:8]) or "none"
    count = "no training run" if not found else f"{len(found)} training runs"
    raise KgRiskError(f"{count} in {folder} begins with {run!r}; there are: {some}: `kgrisk champion list` tells more")


def _claims_of(graph: Opened, run: str) -> ClaimBatch:
    """What a run said when it was published, else what it would say."""
    events = graph.ledger.events()
    said = events.filter(pc.and_(pc.equal(events["document"], run), pc.equal(events["op"], "assert")))
    if said.num_rows:
        return ClaimBatch(_once(said))
    kept = graph.home / "runs" / run / CLAIMS
    if not kept.is_file():
        raise KgRiskError(f"run {run[:12]} keeps nothing that it would say ({kept.name} is gone); train again")
    data, told = kept.read_bytes(), kept.with_name(DIGEST)
    if told.is_file() and told.read_text() != digest(data):
        raise KgRiskError(f"{kept} was changed on disk: its sha256 is not that in {DIGEST}; train again")
    return ClaimBatch(feather.read_table(pa.BufferReader(data)))


def _once(rows: pa.Table) -> pa.Table:
    """Each claim once: it may have been said, taken back and said again."""
    seen: dict[str, int] = {claim: place for place, claim in enumerate(rows["claim"].to_pylist())}
    return rows.take(pa.array(sorted(seen.values()), pa.int64())).select(SCHEMA.names)


def rollback(graph: Opened) -> tuple[int, Reign]:
    """Put back, to the bit, what graph models said just before the champion took its place; gives commit and who.

    KgRiskError if nobody was served before.
    """
    now = champion(graph)
    before = [was for number, was in reigns(graph) if now is not None and number < now.since]
    if now is None or not before:
        raise KgRiskError("there is no champion before the one that is served; nothing can be rolled back")
    return restore(graph, now.since - 1), before[-1]


def restore(graph: Opened, to: int) -> int:
    """Make what graph models said at a commit be said again, and nothing else of them; gives the commit."""
    room, ledger = need("gnn.publish", "learn"), graph.ledger
    then, now = (rows.filter(room.of_models(rows)) for rows in (ledger.alive(to), ledger.alive()))
    missing = then.filter(pc.invert(pc.is_in(then["claim"], now["claim"].combine_chunks())))
    extra = now.filter(pc.invert(pc.is_in(now["claim"], then["claim"].combine_chunks())))
    run = RunManifest("rollback", {"to": to, "commit": ledger.head, "ledger": ledger.uuid})
    graph.files.put(run.to_bytes())
    return ledger.commit(ClaimBatch(missing.select(SCHEMA.names)), run, retract=extra["claim"].to_pylist())


# ---- telling


def listed(graph: Opened) -> Result:
    """Every training run of a graph model: champion, former champion or in the shadow, and how it did."""
    past, now = [was for _, was in reigns(graph)], champion(graph)
    since = {was.run: was for was in past}
    rows = []
    for path in sorted((graph.home / "runs").glob("*/run.json")):
        told = json.loads(path.read_text())["details"]
        if told.get("model") not in plugins.names("gnn.models"):
            continue
        id, beside = path.parent.name, path.with_name(CONTEST)
        contest = json.loads(beside.read_text()) if beside.is_file() else {}
        role = "champion" if now is not None and now.run == id else "former" if id in since else "shadow"
        reign = since.get(id)
        rows.append(
            {
                "run": id,
                "role": role,
                "model": told["model"],
                "cut": told["cut"][:10],
                "since": iso(graph.ledger.known(reign.since)) if reign else None,
                "scored": iso(reign.scored.day) if reign and reign.scored else None,
                "brier": contest.get("brier", [None, None])[1],
                "champion_brier": contest.get("brier", [None])[0],
                **{name: contest.get(name) for name in ("difference", "low", "high", "rule")},
            }
        )
    rows.sort(key=lambda row: (row["role"] != "champion", row["role"] != "shadow", row["since"] or "", row["run"]))
    return Result(pa.Table.from_pylist(rows, schema=LISTED), "champion and challengers")


LISTED: Final = pa.schema(
    [(name, pa.string()) for name in ("run", "role", "model", "cut", "since", "scored")]
    + [(name, pa.float64()) for name in ("brier", "champion_brier", "difference", "low", "high")]
    + [("rule", pa.string())]
)
