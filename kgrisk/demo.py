"""The demo: the whole engine on the bundled fictional sample, offline, measured, and told to the end."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from typing import Any

import psutil
from rich.console import Console
from rich.text import Text

from ingest.extract.prose.score import score
from kg.errors import KgRiskError
from kg.meter import Meter
from kg.model import AsOf, as_time
from kgrisk import closing, delivery, findings, foresight, stress, telling
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.beside import rival
from kgrisk.doctor import SAMPLE
from kgrisk.guard import SocketGuard
from kgrisk.report import write_report
from kgrisk.result import plain
from kgrisk.settings import Settings, embedded

MARK = ".kgrisk-demo"
"""File in a home folder that the demo made itself, and may therefore remove."""
ASKED_AFTER = timedelta(days=89)
"""From the cut of the models to the day that shocks and questions ask about."""
log = logging.getLogger(__name__)


@dataclass
class Demo:
    """One run: what it works on, what it found, what it took."""

    home: Path
    sample: Path
    console: Console
    settings: Settings
    meter: Meter = field(default_factory=Meter)
    guard: SocketGuard = field(default_factory=SocketGuard)
    facts: dict[str, Any] = field(default_factory=dict)
    tell: Callable[[str], None] = log.info
    """Takes a line of progress."""

    def stage(self, name: str, work: Callable[[Demo, Graph], Any], graph: Graph) -> None:
        """Run one stage, keep what it found, and tell it."""
        with self.meter.stage(name), self.console.status(f"{name} ...") as status:
            self.tell = lambda line: status.update(Text(f"{name}: {line}"))
            self.facts[name] = plain(work(self, graph))
        telling.SECTIONS[name](self.console, self.facts)
        last = self.meter.stages[-1]
        self.console.print(f"  {last.seconds:.1f} s, peak {last.peak_mb:,.0f} MB", style="dim")

    @property
    def truth(self) -> dict[str, Any]:
        """What the generator of the sample planted."""
        content: dict[str, Any] = json.loads((self.sample / "truth.json").read_text())
        return content

    @property
    def cut(self) -> datetime:
        """Models learn from what was published by then; shocks and queries ask as of then."""
        return as_time(datetime.fromisoformat(self.truth["cut"][:10]).date())

    @property
    def at(self) -> AsOf:
        """The end of the quarter after the cut, when the year's loans are on file, from what was public then."""
        asked = self.cut + ASKED_AFTER
        return AsOf(valid=asked, published=asked)


def demo(home: Path, report: Path, console: Console, settings: Settings | None = None) -> dict[str, Any]:
    """Run everything in a fresh home folder, write the report, and return all that was found.

    KgRiskError if the home folder holds something the demo did not make, or if anything tried to leave this machine.
    """
    fresh(home)
    chosen = settings or Settings.load()
    run = Demo(home, SAMPLE, console, chosen)
    telling.opening(console, run.facts | {"machine": machine()})
    own = chosen.model_copy(update={"store": embedded(home / "store")})
    with run.guard, open_graph(home, settings=own) as graph:
        for name, work in STAGES.items():
            run.stage(name, work, graph)
        run.guard.check()
    run.facts |= plain({"machine": machine(), "stages": run.meter.rows(), "sockets": sockets(run.guard)})
    run.facts["page"] = closing.page(home, run.at, run.facts["shocks"]["culprit"]["id"])
    run.facts["report"] = str(write_report(run.facts, report).resolve())
    closing.told(console, run.facts)
    return run.facts


def fresh(home: Path) -> None:
    """An empty home folder; one that the demo made before is removed first. KgRiskError if it holds anything else."""
    if home.exists():
        if not home.is_dir() or (any(home.iterdir()) and not (home / MARK).exists()):
            raise KgRiskError(f"{home} was not made by the demo, so it is left alone; name another --home")
        rmtree(home)
    home.mkdir(parents=True)
    (home / MARK).write_text("Made by `kgrisk demo`, which removes this folder when it runs again.\n")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "system": platform.system(),
        "when": datetime.now(UTC),
    }


def sockets(guard: SocketGuard) -> dict[str, Any]:
    return {"inside": guard.inside, "refused": len(guard.refused), "outside": len(guard.outside())}


def _read(run: Demo, graph: Graph) -> Any:
    report = graph.ingest(
        run.sample, progress=lambda source, done, files: run.tell(f"{source} {done} of {files} files")
    )
    return report.to_dict()


def _resolve(run: Demo, graph: Graph) -> Any:
    return asdict(graph.resolve())


def _graph(run: Demo, graph: Graph) -> Any:
    return findings.size(graph, run.at)


def _extraction(run: Demo, graph: Graph) -> Any:
    return score(graph.ledger.alive(), run.sample / "truth.json").to_pylist()


def _learning(run: Demo, graph: Graph) -> Any:
    result = graph.train(run.cut, progress=run.tell)
    return findings.learned(graph, result, run.cut)


def _shocks(run: Demo, graph: Graph) -> Any:
    return stress.shocks(graph, run.at)


def _foresight(run: Demo, graph: Graph) -> Any:
    return foresight.looked_ahead(graph, run.at, run.facts["shocks"]["culprit"]["id"])


def _queries(run: Demo, graph: Graph) -> Any:
    with rival(run.home, run.settings, run.guard) as other:
        return findings.questions(graph, run.at, other)


def _delivery(run: Demo, graph: Graph) -> Any:
    return delivery.received(graph, run.tell)


STAGES = {
    "reading": _read,
    "resolution": _resolve,
    "graph": _graph,
    "extraction": _extraction,
    "learning": _learning,
    "shocks": _shocks,
    "foresight": _foresight,
    "queries": _queries,
    "delivery": _delivery,
}
