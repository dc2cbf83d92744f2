"""What does not fit into memory is refused before it is begun, and what is let through fits: in bounded processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kg import project
from kg.errors import TooLargeError
from kg.memory import BUFFERS, GIB, MIB, Need, check_room, free_bytes
from queries import exposures, many
from tests.kgrisk_world import clean_environment

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "benchmarks" / "results" / "scale.json"
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells its figures in /proc")
slow = pytest.mark.slow
STAGES = [
    ("read", 300_000, r"reading exposures of 300,000 edges, 30,000 nodes needs", "count fewer types of edges"),
    ("eisenberg_noe", 200_000, r"asking 32 scenarios at once among 20,000 entities needs", "fewer scenarios at a time"),
    ("debtrank", 200_000, r"asking 32 scenarios at once among 20,000 entities needs", "fewer scenarios at a time"),
    ("draw", 100_000, r"drawing 40,000 scenarios needs", "draw fewer scenarios"),
    pytest.param(
        "tensors",
        300_000,
        r"making tensors of 300,000 edges, 60,000 facts, 30,000 nodes needs",
        "gnn.mapped.keep",
        marks=slow,
    ),
    pytest.param(
        "learn",
        40_000,
        r"learning by full passes over [\d,]+ edges among 4,000 nodes, 64 numbers a vector in 2 layers needs",
        "drawn neighbourhoods",
        marks=slow,
    ),
    pytest.param("export", 60_000, r"resolving every version of 78,000 claims needs", "follow the ledger", marks=slow),
    pytest.param("fill", 60_000, r"resolving every version of 78,000 claims needs", "follow the ledger", marks=slow),
]


@cache
def limited(stage: str, loans: int, share: int) -> dict[str, Any]:
    """What came of a stage in a process that may take so many hundredths of what the stage says it needs."""
    command = [sys.executable, "-m", "tests.limited_child", stage, str(loans), str(share)]
    own = clean_environment(ARROW_DEFAULT_MEMORY_POOL="system", MALLOC_ARENA_MAX="2")
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@linux
@pytest.mark.parametrize(("stage", "loans", "says", "advice"), STAGES)
def test_a_process_with_room_for_what_a_stage_needs_does_it(stage: str, loans: int, says: str, advice: str) -> None:
    found = limited(stage, loans, 105)
    assert found["told"] == "done"
    assert found["taken"] <= found["need"] <= 4 * found["taken"], "enough, and no idle bound"


@linux
@pytest.mark.parametrize(("stage", "loans", "says", "advice"), STAGES)
def test_a_process_with_less_refuses_before_it_begins(stage: str, loans: int, says: str, advice: str) -> None:
    found = limited(stage, loans, 90)
    assert re.match(says, found["told"]) and advice in found["told"]
    need, free = (int(size) * MIB for size in re.findall(r"(\d+) MiB", found["told"]))
    assert abs(need - found["need"]) <= MIB and found["taken"] < found["need"] / 20
    assert -MIB <= found["room"] - free < found["need"] / 20


def asked(stage: str, told: dict[str, Any], edges: int) -> int:
    """What a recorded stage would have asked for: of its snapshot, whose banks are a tenth as many as its edges."""
    from gnn import tensors

    nodes = told.get("nodes", edges // 10)
    if stage == "tensors":
        return tensors.NEED.of(edges=told["edges"], facts=2 * nodes, nodes=nodes)
    read = exposures.NEED.of(edges=edges, nodes=nodes)
    scenarios = min(told["scenarios"], (8 << 20) // nodes)  # a block, as benchmarks/scale_stages.py cuts them
    return read + exposures.BLOCK.of(**{stage if stage in exposures.BLOCK.each else "numbers": scenarios * nodes})


@pytest.mark.parametrize("stage", ["tensors", "pagerank", "debtrank", "clearing"])
def test_what_was_recorded_of_a_stage_at_any_size_is_within_what_it_asks_for(stage: str) -> None:
    record = {int(size): stages for size, stages in json.loads(RECORD.read_text()).items()}
    smallest = record.pop(min(record))
    assert record
    for edges, stages in record.items():
        # pages of the snapshot go when memory is short: stage `load` touches them and holds nothing else
        grown, mapped = (MIB * (stages[one]["peak_mib"] - smallest[one]["peak_mib"]) for one in (stage, "load"))
        need = asked(stage, stages[stage], edges)
        assert grown - mapped <= need <= 4 * grown, f"{edges:,} edges"


def test_the_page_tells_what_the_code_asks_for() -> None:
    from gnn import room, tensors
    from gnn.softmax import SCORES

    million, page = 10**6, (ROOT / "docs" / "scale" / "memory.md").read_text()
    numbers = {"numbers": 192 * million, "asked": 128 * million, "weights": 64 * million, "scores": SCORES}
    rows = {
        "gnn/tensors.py": (tensors.NEED, {"edges": 10 * million, "facts": 2 * million, "nodes": million}),
        "gnn/room.py": (room.NEED, {"edges": 10 * million, **numbers}),
        "exposures (`queries": (exposures.NEED, {"edges": 10 * million, "nodes": million}),
        "scenarios (`queries/exp": (exposures.BLOCK, {"numbers": 64 * million}),
        "queries/many.py": (many.NEED, None),
        "kg/project.py": (project.NEED, {"claims": 13 * million}),
    }
    for place, (need, counts) in rows.items():
        cells = next(line for line in page.splitlines() if place in line and line.startswith("|")).split("|")
        assert re.findall(r" (\d+(?:,\d{3})*)", cells[2]) == [f"{size:,}" for size in need.each.values()], place
        assert cells[3].strip() == ("" if counts is None else f"{need.of(**counts) / GIB:.1f} GiB"), place


def test_what_is_needed_is_summed_with_buffers_up_to_a_bound_and_told_in_words() -> None:
    need = Need("counting", {"edges": 1_000, "nodes": 500}, "count fewer")
    assert need.of(edges=1_000, nodes=10) == 2 * 1_005_000
    assert need.of(edges=10**9) == 10**12 + BUFFERS
    need.check(edges=1)
    with pytest.raises(TooLargeError, match=r"counting 10,000,000,000,000 edges, 5 nodes needs about [\d,.]+ GiB of"):
        need.check(edges=10**13, nodes=5)
    with pytest.raises(TooLargeError, match=r"counting a world needs .* GiB are free: count fewer"):
        need.check("a world", edges=10**13)


def machine(folder: Path, **files: str) -> Path:
    """A machine of which only so much is told, with 64 GiB free."""
    for name, text in {"proc/meminfo": f"MemAvailable: {64 * GIB // 1024} kB\n", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def group(folder: str, most: int, now: int, **kinds: int) -> dict[str, str]:
    """A control group of the second version."""
    stat = "".join(f"{name} {size}\n" for name, size in kinds.items())
    values = {"max": f"{most}\n", "current": f"{now}\n", "stat": stat}
    return {f"sys/fs/cgroup/{folder}memory.{name}": text for name, text in values.items()}


def test_every_group_around_a_process_bounds_it(tmp_path: Path) -> None:
    inner = {"proc/self/cgroup": "0::/user.slice/run.scope\n", **group("user.slice/run.scope/", 20 * GIB, 5 * GIB)}
    assert free_bytes(machine(tmp_path / "inner", **inner)) == 15 * GIB
    outer = {**inner, **group("user.slice/", 16 * GIB, 9 * GIB, inactive_file=GIB)}
    assert free_bytes(machine(tmp_path / "outer", **outer)) == 8 * GIB
    first = "sys/fs/cgroup/memory/jobs/memory."
    older = {
        "proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/jobs\n0::/\n",
        f"{first}limit_in_bytes": f"{8 * GIB}\n",
        f"{first}usage_in_bytes": f"{7 * GIB}\n",
        f"{first}stat": f"inactive_file 0\ntotal_inactive_file {2 * GIB}\n",
    }
    assert free_bytes(machine(tmp_path / "older", **older)) == 3 * GIB


def test_the_limits_of_a_process_bound_it(tmp_path: Path) -> None:
    limits = "Limit  Soft  Hard  Units\nMax data size  {}  unlimited  bytes\nMax address space  {}  {}  bytes\n"
    status = f"VmSize:  {6 * GIB // 1024} kB\nVmData:  {GIB // 1024} kB\n"
    for name, told, free in (
        ("data", (3 * GIB, "unlimited", "unlimited"), 2 * GIB),
        ("space", ("unlimited", 7 * GIB, "unlimited"), GIB),
        ("none", ("unlimited", "unlimited", 9 * GIB), 64 * GIB),
    ):
        files = {"proc/self/limits": limits.format(*told), "proc/self/status": status}
        assert free_bytes(machine(tmp_path / name, **files)) == free


@pytest.fixture
def bound() -> Iterator[Callable[[], None]]:
    """Puts a process that calls it into a control group of its own, which may hold 512 MiB."""
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    own = next((path for _, names, path in lines if "memory" in names.split(",")), None)
    root, name = ("memory", "memory.limit_in_bytes") if own is not None else ("", "memory.max")
    path = own if own is not None else next((path for _, names, path in lines if not names), "/")
    folder = Path("/sys/fs/cgroup", root, path.lstrip("/"), f"kgrisk-test-{os.getpid()}")
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        if not (folder / name).exists():
            pytest.skip("control groups do not bound memory here")
        (folder / name).write_text(str(512 * MIB))

        def join() -> None:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

        yield join
    finally:
        folder.rmdir()


CHECKED = "from kg.memory import check_room; check_room(1 << 30, 'a block', 'take a smaller one')"
UNCHECKED = "held = bytearray(b'x') * (1 << 30)"


@linux
def test_what_is_refused_in_a_control_group_the_kernel_would_have_killed(bound: Callable[[], None]) -> None:
    told, killed = (
        subprocess.run([sys.executable, "-c", text], cwd=ROOT, preexec_fn=bound, capture_output=True, text=True)
        for text in (CHECKED, UNCHECKED)
    )
    last = told.stderr.splitlines()[-1]
    assert told.returncode == 1 and killed.returncode == -signal.SIGKILL
    assert re.search(r"TooLargeError: a block needs about 1\.0 GiB of memory, (\d+) MiB are free: take a smaller", last)
    assert 256 < int(re.findall(r"(\d+) MiB", last)[0]) <= 512


def test_a_room_that_is_large_enough_is_not_refused() -> None:
    check_room(1, "a byte", "nothing")
