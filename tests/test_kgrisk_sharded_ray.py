"""Two machines of a Ray cluster read, encode and score what one process does, also when one loses its power."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gnn.encoders.multilingual import Multilingual
from gnn.rescore import manifest
from ingest.pipeline import run
from ingest.report import RunReport
from kg.executor import Executor, Here
from kg.files import Files
from kg.ledger import Ledger
from kg.model import day
from kgrisk.api import open as open_graph
from kgrisk.champion import champion
from kgrisk.ray import Ray
from kgrisk.rescoring import scorer, standing, today
from kgrisk.settings import Settings
from kgrisk.vectors import ahead
from tests.champion_world import served
from tests.ray_cluster import Nodes, two_nodes

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.faults]
NEWS = Path(__file__).parents[1] / "kgrisk" / "sample" / "data" / "news"


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with two_nodes() as made:
        yield made


@pytest.fixture(scope="module")
def ray(nodes: Nodes) -> Iterator[Ray]:
    with Ray(nodes.address) as made:
        assert made.workers == 2
        yield made


def ingest(folder: Path, home: Path, executor: Executor, **options: Any) -> tuple[RunReport, list[dict[str, Any]]]:
    """The report of a run, and the log of its ledger but for the moments of its commits."""
    with Ledger.open(home / "ledger") as ledger:
        report = run(folder, ledger, Files(home / "files"), home, executor=executor, **options)
        rows: list[dict[str, Any]] = ledger.events().drop_columns(["known_from"]).to_pylist()
    for row in rows:
        row["published"] = min(row["published"], day("2026-01-01"))  # where nothing says it, it is when it was read
    for count in report.sources.values():
        count.seconds = 0
    report.stages.clear()
    return report, rows


def test_a_machine_killed_while_records_are_read_loses_and_doubles_nothing(
    tmp_path: Path, nodes: Nodes, ray: Ray
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for path in sorted(NEWS.glob("kgs-202*.html")):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "broken.xml").write_text("<ownershipDocument")
    alone = ingest(folder, tmp_path / "alone", Here())
    staged: list[str] = []

    def strike(stage: str) -> None:
        staged.append(stage)
        if staged.count("stage:after") == 5 and stage == "stage:after":
            nodes.kill()

    shared = ingest(folder, tmp_path / "shared", ray, on_io=strike)
    nodes.add()
    assert staged.count("stage:after") > 20 and alone[0].claims > 200
    assert shared[0].quarantined == alone[0].quarantined
    assert shared == alone


def test_scores_and_vectors_of_two_machines_have_the_bits_of_one_process(tmp_path: Path, ray: Ray) -> None:
    with served(tmp_path / "scored") as graph:
        reign = champion(graph)
        assert reign is not None
        own, now = scorer(graph, reign.run), standing(graph, today(graph, reign))
        here, there = (own.rescored(now, None, executor, 16) for executor in (Here(), ray))
    assert there.scores.equals(here.scores) and manifest(there) == manifest(here) and there.part == 16
    texts, kept = [f"Loan number {n} was repaid." for n in range(20)], []
    for name, executor in (("alone", Here()), ("shared", ray)):
        settings = Settings.load(store=f"arcadedb://{tmp_path / name / 'store'}")
        with open_graph(tmp_path / name, settings=settings) as graph:
            assert ahead(graph, executor, Multilingual(), texts) == 20
            kept.append({path.name: path.read_bytes() for path in (graph.home / "cache").rglob("*.npy")})
    assert kept[0] == kept[1] and len(kept[0]) == 20
