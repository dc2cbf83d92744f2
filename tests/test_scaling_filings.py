"""The benchmark of a thousand filings in small: some tens of them, from files to scores, twice and offline."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.filed import YEARS, sample, write
from benchmarks.offline import environment, noted
from benchmarks.scaling.filings import Run, figures, run
from tests.fault_kills import KILLS

FIRMS = 12
soaked = pytest.mark.skipif(KILLS < 100, reason="two trainings take minutes: `make soak` has them done")
KINDS = ("filings", "registers", "trades")
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def every() -> Files:
    return sample()


def reports(files: Files) -> Counter[str]:
    """How many reports each firm files, by its CIK."""
    names = [path.split("-") for path in files if path.startswith("filings/10k-") and path.endswith(".html")]
    return Counter(cik for _, cik, _ in names)


@pytest.mark.slow
def test_more_than_a_thousand_filings_are_written_the_same_each_time_and_each_says_when_it_was_published(
    every: Files,
) -> None:
    filings = [path for path in every if path.startswith("filings/") and not path.endswith(".meta.json")]
    assert len(filings) > 1_000
    for path in filings:
        beside = json.loads(every[f"{path.rpartition('.')[0]}.meta.json"])
        assert beside["period"] < beside["published"] < "2024"
    assert every == sample()


@pytest.mark.slow
def test_the_files_of_the_sample_stay_as_they_are_but_for_registers_that_leave_out_what_is_filed(every: Files) -> None:
    from kgrisk.sample.make import make

    own = make()
    assert {path for path in own if own[path] != every.get(path)} - {"truth.json"} == {
        "registers/balances.csv",
        "registers/entities.csv",
    }
    fewer = len(own["registers/balances.csv"].splitlines()) - len(every["registers/balances.csv"].splitlines())
    assert 800 < fewer < len(reports(every)) * len(YEARS)
    assert set(reports(every).values()) <= {1, 2, 3, 4, 5} and len(reports(every)) > 280


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Sequence[Run]]:
    """How many filings were written, and two runs over them."""
    folder = tmp_path_factory.mktemp("filings")
    count = write(folder / "in", FIRMS, KINDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KGRISK_EPOCHS", "2")
        return count, [run(folder / "in", folder / name) for name in ("one", "two")]


@soaked
@pytest.mark.slow
def test_two_runs_from_nothing_give_the_same_graph_and_the_same_scores(ran: tuple[int, Sequence[Run]]) -> None:
    count, (one, two) = ran
    assert 60 < count == one.told["report"]["sources"]["filings"]["records"] < 100
    assert one.told["graph"] == two.told["graph"]
    assert one.told["scores"] == two.told["scores"]
    firms = {row["id"] for row in one.told["scores"] if row["label"] == "Company"}
    assert len(firms) > 200 and len({row["distress"] for row in one.told["scores"]}) > 100


@soaked
@pytest.mark.slow
def test_no_process_of_them_reached_off_this_machine_and_workers_were_watched(ran: tuple[int, Sequence[Run]]) -> None:
    assert all(one.refused == [] and one.processes >= 3 for one in ran[1])


@soaked
@pytest.mark.slow
def test_every_figure_of_them_is_told_beside_its_aim(ran: tuple[int, Sequence[Run]]) -> None:
    told = {figure.what: figure for figure in figures(*ran, "in small")}
    missed = [what for what, figure in told.items() if figure.reached is False and figure.unit != "s"]
    assert missed == ["filings"]  # of which there are fewer here than are asked for
    assert told["both runs: the same graph hash"].value == 1
    assert all(figure.value > 0 for figure in told.values() if figure.aim is None)


def test_a_process_that_reaches_out_is_refused_and_noted_by_whichever_process_it_is(tmp_path: Path) -> None:
    child = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
    text = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], stderr=subprocess.DEVNULL)"
    done = subprocess.run([sys.executable, "-c", text], env=environment(tmp_path / "watched"), check=False)
    assert done.returncode == 0
    assert noted(tmp_path / "watched") == (2, ["socket.connect 192.0.2.1"])
