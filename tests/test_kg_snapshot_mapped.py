"""Snapshots on disk: read where they lie, by many processes from the same pages, and made anew where spoiled."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import pytest

from kg.cache import KEPT, Cache
from kg.errors import TooLargeError
from kg.made import Made
from kg.memory import GIB, check_room, free_bytes
from kg.model import AsOf, ClaimBatch
from kg.snapshot import EDGES, FACTS, NODES, Snapshot
from tests.ledger_world import RUN, loan, two_banks

AT = AsOf(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
READER = """
import json, sys
from datetime import datetime
from pathlib import Path
from zlib import crc32
import numpy
from kg.cache import Cache
from kg.memory import own_bytes
from kg.model import AsOf
at = AsOf(*(datetime.fromisoformat(text) for text in sys.argv[2:5]))
cache = Cache(Path(sys.argv[1]), "test", "u")
before = own_bytes()
one = cache.load(1, at)
total, rows = 0, [one.edges[name].to_numpy() for name in ("source", "target", "confidence")]
for column in [*one.edges.columns, *one.facts.columns, *one.nodes.columns]:
    for chunk in column.chunks:
        for buffer in filter(None, chunk.buffers()):
            total += int(numpy.frombuffer(buffer, numpy.uint8)[::64].sum(dtype=numpy.int64))
print(json.dumps({"own": own_bytes() - before, "total": total, "owned": [bool(a.flags.owndata) for a in rows]}))
"""
"""Touches every page of a snapshot and tells what memory it took for itself."""


def drawn(edges: int) -> Snapshot:
    """A snapshot of so many edges between a tenth as many nodes, with ids as long as hashes."""
    draw, nodes = np.random.default_rng(0), edges // 10
    columns = {"id": [f"{n:032x}" for n in range(edges)], "type": ["LENDS_TO"] * edges, "confidence": np.ones(edges)}
    columns["statement"] = columns["claim"] = columns["id"]
    columns |= {name: np.sort(draw.integers(0, nodes, edges)).astype(np.int32) for name in ("source", "target")}
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(edges, f.type) for f in EDGES]
    ids = pa.table({"id": [f"lei:{n:09d}" for n in range(nodes)], "label": ["Bank"] * nodes}, NODES)
    return Snapshot(ids, pa.Table.from_arrays(arrays, schema=EDGES), FACTS.empty_table(), AT, 1, "u")


def reader(folder: Path) -> dict[str, object]:
    clocks = [moment.isoformat() for moment in (AT.valid, AT.known, AT.published) if moment]
    command = [sys.executable, "-c", READER, str(folder), *clocks]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parents[1])
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_second_reader_takes_no_memory_of_its_own_for_what_is_mapped(tmp_path: Path) -> None:
    found, sizes = [], []
    for edges in (1_000, 300_000):
        cache, snapshot = Cache(tmp_path / str(edges), "test", "u"), drawn(edges)
        cache.save(Made.of(snapshot))
        sizes.append(sum(file.stat().st_size for file in tmp_path.rglob("*.arrow")))
        held = cache.load(1, AT)  # the first reader, who keeps it open
        assert held is not None and held.edges.equals(snapshot.edges)
        found.append(reader(cache.folder))
    small, large = (one["own"] for one in found)
    assert isinstance(small, int) and isinstance(large, int)
    assert sizes[1] > 50 << 20
    assert large - small < sizes[1] / 50  # what Arrow takes at its start is the same for both
    assert [one["owned"] for one in found] == [[False] * 3] * 2  # arrays are views of the file
    assert found[1]["total"] == reader(cache.folder)["total"] != 0


def test_the_columns_of_a_snapshot_lie_in_one_piece(tmp_path: Path) -> None:
    cache, snapshot = Cache(tmp_path, "test", "u"), drawn(200_000)
    parts = pa.concat_tables([snapshot.edges.slice(0, 70_000), snapshot.edges.slice(70_000)])
    cache.save(Made.of(Snapshot(snapshot.nodes, parts, snapshot.facts, AT, 1, "u")))
    found = cache.load(1, AT)
    assert found is not None and found.edges.equals(snapshot.edges)
    assert {column.num_chunks for column in found.edges.columns} == {1}


def test_a_table_that_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    cache, first = Cache(tmp_path, "test", "u"), drawn(1_000)
    cache.save(Made.of(first))
    cache.save(Made.of(Snapshot(first.nodes, first.edges.slice(1), first.facts, AT, 2, "u")), first)
    one, two = (sorted(tmp_path.glob(f"*-{commit}-*"))[0] for commit in (1, 2))
    assert [(one / f).samefile(two / f) for f in ("nodes.arrow", "facts.arrow", "edges.arrow")] == [True, True, False]


@pytest.mark.parametrize("spoil", [lambda data: data[: len(data) // 2], lambda _: b"", lambda data: b"x" * len(data)])
def test_a_spoiled_snapshot_is_made_anew(tmp_path: Path, spoil: object) -> None:
    ledger = two_banks(tmp_path / "ledger")
    ledger.commit(ClaimBatch.of([loan(7)]), RUN)
    before = ledger.view().edges
    (file,) = (tmp_path / "cache").glob("snapshot-*/edges.arrow")
    data = file.read_bytes()
    file.unlink()  # not written into: who maps it keeps what it was
    assert callable(spoil)
    file.write_bytes(spoil(data))
    assert ledger.view().edges.equals(before)
    assert pa.ipc.open_file(file).read_all().equals(before)


def test_the_nearest_snapshot_is_of_the_latest_commit_before(tmp_path: Path) -> None:
    cache, one = Cache(tmp_path, "test", "u"), drawn(100)
    for commit in (1, 3, 7):
        cache.save(Made.of(Snapshot(one.nodes, one.edges, one.facts, AT, commit, "u")))
    found = [cache.nearest(commit, AT) for commit in (7, 6, 2, 0)]
    assert [None if near is None else near.commit for near in found] == [7, 3, 1, None]
    assert Cache(tmp_path, "other rules", "u").nearest(7, AT) is None


def test_only_so_many_snapshots_stay(tmp_path: Path) -> None:
    cache, one = Cache(tmp_path, "test", "u"), drawn(10)
    for commit in range(KEPT + 5):
        cache.save(Made.of(Snapshot(one.nodes, one.edges, one.facts, AT, commit, "u")))
    assert len(list(tmp_path.iterdir())) == KEPT
    assert cache.load(0, AT) is None and cache.load(KEPT + 4, AT) is not None


def machine(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


V2 = {"memory.max": f"{8 * GIB}\n", "memory.current": f"{7 * GIB}\n", "memory.stat": f"anon 5\ninactive_file {GIB}\n"}
ROOMY = {"proc/meminfo": f"MemTotal: 99 kB\nMemAvailable: {64 * GIB // 1024} kB\n"}


def test_memory_that_is_free_is_that_of_the_machine_or_of_its_control_group(tmp_path: Path) -> None:
    assert free_bytes(machine(tmp_path / "a", ROOMY)) == 64 * GIB
    group = {f"sys/fs/cgroup/{name}": text for name, text in V2.items()}
    assert free_bytes(machine(tmp_path / "b", {**ROOMY, **group})) == 2 * GIB  # pages of files count as free
    boundless = {**ROOMY, **group, "sys/fs/cgroup/memory.max": "max\n"}
    assert free_bytes(machine(tmp_path / "c", boundless)) == 64 * GIB
    assert free_bytes(tmp_path / "none") is None


def test_what_does_not_fit_is_refused_before_it_is_begun(tmp_path: Path) -> None:
    system = machine(tmp_path, ROOMY)
    check_room(63 * GIB, "a snapshot", "wait", system)
    with pytest.raises(TooLargeError, match=r"a snapshot needs about 65\.0 GiB .* 64\.0 GiB are free: wait"):
        check_room(65 * GIB, "a snapshot", "wait", system)


def test_a_view_too_large_for_the_machine_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = two_banks(tmp_path / "ledger")
    monkeypatch.setattr("kg.resolved.EACH", 1 << 60)
    with pytest.raises(TooLargeError, match=r"a snapshot of 4 claims needs about .* use a machine with more memory"):
        ledger.view()


def test_texts_that_do_not_fit_into_a_column_are_refused_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = two_banks(tmp_path / "ledger")
    monkeypatch.setattr("kg.resolved.TEXTS", 30)
    told = r"column statement of a snapshot has \d+ bytes of text in 2 rows, 30 fit: ask for an earlier instant"
    with pytest.raises(TooLargeError, match=told):
        ledger.view()


def test_what_is_zero_takes_no_room_on_disk_and_reads_the_same(tmp_path: Path) -> None:
    cache, snapshot = Cache(tmp_path, "test", "u"), drawn(300_000)
    found = cache.save(Made.of(snapshot))
    (file,) = tmp_path.glob("snapshot-*/edges.arrow")
    nothing = 8 * 300_000  # a column of numbers that are all null
    assert file.stat().st_blocks * 512 < file.stat().st_size - 2 * nothing
    assert crc32(file.read_bytes()) == json.loads((file.parent / "sums.json").read_text())["edges"]
    assert found == snapshot == cache.load(1, AT)
    assert found.edges["source"].to_numpy().flags.owndata is False


def test_what_is_known_of_claims_is_kept_with_their_rows(tmp_path: Path) -> None:
    ledger = two_banks(tmp_path / "ledger")
    ledger.commit(ClaimBatch.of([loan(7), loan(8, "doc 2", extractor="news.relations@1")]), RUN)
    kept = ledger.view().contest
    assert kept is not None
    assert (kept.edges["rank"].to_pylist(), kept.lost["value_decimal"].to_pylist()) == ([4], [8])
    (file,) = (tmp_path / "cache").glob("snapshot-*/lost.arrow")
    file.unlink()  # not written into: who maps it keeps what it was
    file.write_bytes(b"x")
    again = ledger.view().contest
    assert again is not None and again.lost.equals(kept.lost)
