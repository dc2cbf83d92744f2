"""The audit log: no byte of it changes unseen, nobody's secret stands in it, and a killed process breaks nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kg.errors import KgRiskError, SettingsError
from kgrisk.audit import ERASED, Act, Audit, line_of
from kgrisk.audit_check import Anchor, Verdict, verify
from kgrisk.audit_list import listed
from kgrisk.audit_safe import safe, words
from tests.kgrisk_world import clean_environment, kgrisk_here, write_registers


def act(what: str = "ingest", **parameters: object) -> Act:
    return Act("ada", "admin", "cli", what, parameters, 0, 3, {"valid": "2024-01-01"}, 7, ["run1"])


def written(home: Path, count: int = 3) -> tuple[Audit, Path]:
    audit = Audit(home)
    for number in range(count):
        audit.append([act(f"act{number}", folder=f"in{number}", rate=0.5)])
    return audit, audit.segments()[-1]


def entry_at(content: bytes, place: int) -> int:
    """Number of the entry that a byte belongs to."""
    return content[:place].count(b"\n") + 1


@pytest.mark.parametrize("keyed", [False, True])
def test_whichever_byte_is_flipped_the_entry_it_stands_in_is_named(tmp_path: Path, keyed: bool) -> None:
    audit = Audit(tmp_path)
    if keyed:
        audit.make_key(act("audit key"))
    audit, path = written(tmp_path, 2 if keyed else 3)
    content = path.read_bytes()
    assert verify(audit).whole and verify(audit).entries == 3 and verify(audit).keyed == 3 * keyed
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        found = verify(audit)
        assert found.broken == entry_at(content, place), (place, found)
    path.write_bytes(content)
    assert verify(audit).whole


def test_entries_deleted_swapped_doubled_or_put_in_are_found_where_they_are(tmp_path: Path) -> None:
    audit, path = written(tmp_path, 4)
    lines = path.read_bytes().splitlines(keepends=True)
    kept = Anchor(4, verify(audit).head)

    def broken(*changed: bytes) -> int:
        path.write_bytes(b"".join(changed))
        return verify(audit, kept).broken

    a, b, c, d = lines
    assert [broken(b, c, d), broken(a, c, d), broken(a, b, d)] == [1, 2, 3]
    assert [broken(b, a, c, d), broken(a, c, b, d), broken(a, b, d, c)] == [1, 2, 3]
    assert [broken(a, a, b, c, d), broken(a, b, b, c, d), broken(a, b, c, d, d)] == [2, 3, 5]
    assert broken(a, b, b"\n", c, d) == 3 and broken(a, b, b"{}\n", c, d) == 3
    assert [broken(a, b, c), broken(a), broken()] == [4, 2, 1]
    assert [broken(a, b, c, d[:-1]), broken(a, b, c, d[: len(d) // 2])] == [4, 4]
    assert broken(a, b, c, d) == 0
    path.write_bytes(a + b + c)
    assert verify(audit).whole  # without an anchor nobody can tell that the end is gone: that is what anchors are for
    path.unlink()
    assert verify(audit).whole and verify(audit, kept).broken == 1


def test_a_log_written_anew_from_the_start_is_found_by_an_anchor_or_by_the_key(tmp_path: Path) -> None:
    audit, path = written(tmp_path / "a")
    kept = Anchor(2, json.loads(path.read_bytes().splitlines()[1])["hash"])
    assert verify(audit, kept).whole
    forged, _ = written(tmp_path / "b", 5)
    path.write_bytes(forged.segments()[0].read_bytes())
    assert verify(audit).whole and verify(audit, kept).broken == 2
    sealed = Audit(tmp_path / "c")
    sealed.append([act()])
    assert sealed.make_key(act("audit key")) == 2
    sealed.append([act()])
    copy = tmp_path / "kept.key"
    copy.write_bytes(sealed.key.read_bytes())
    assert (verify(sealed).entries, verify(sealed).keyed) == (3, 2)
    assert sealed.key.stat().st_mode & 0o777 == 0o600
    sealed.segments()[0].write_bytes(forged.segments()[0].read_bytes())
    sealed.key.unlink()
    assert verify(sealed).whole and verify(sealed, key=copy).broken == 2
    with pytest.raises(SettingsError, match="not there"):
        verify(sealed, key=tmp_path / "none")


def test_a_line_torn_by_a_kill_is_cut_off_told_and_the_chain_goes_on(tmp_path: Path) -> None:
    audit, path = written(tmp_path, 2)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in (first + 1, first + 40, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert verify(audit).broken == 2 and "torn" in verify(audit).reason
        assert audit.append([act()]) == 3
        found = verify(audit)
        assert (found.whole, found.entries, found.repaired) == (True, 3, [2])
        torn = next(iter(audit.rows(1)))["entry"]
        assert (torn["what"], torn["torn"]["bytes"]) == ("repair", cut - first)
    path.write_bytes(whole + b"{}\n")
    with pytest.raises(KgRiskError, match="audit verify"):
        audit.append([act()])


WRITER = """
import sys
from pathlib import Path
from kgrisk.audit import Act, Audit
audit = Audit(Path(sys.argv[1]))
for number in range(25):
    audit.append([Act(sys.argv[2], "", "cli", f"act{number}", {})])
"""


def test_several_processes_write_one_log(tmp_path: Path) -> None:
    def writer(name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", WRITER, str(tmp_path), name]
        return subprocess.Popen(command, env=clean_environment())

    assert [one.wait(60) for one in [writer(name) for name in "abc"]] == [0, 0, 0]
    found = verify(Audit(tmp_path))
    assert found.whole and found.entries == 75
    acts = [row["what"] for row in listed(Audit(tmp_path), who="b")]
    assert acts == [f"act{number}" for number in range(25)]


def test_a_long_log_goes_on_in_another_file_and_one_that_is_missing_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kgrisk.audit.SEGMENT", 900)
    audit, _ = written(tmp_path, 7)
    segments = audit.segments()
    assert len(segments) > 2 and verify(audit).entries == 7
    assert [row["sequence"] for row in listed(audit, after=5)] == [6, 7]
    content = segments[0].read_bytes()
    segments[0].unlink()
    assert verify(audit).broken == 1
    segments[0].write_bytes(content)
    second = segments[1].read_bytes()
    segments[1].unlink()
    assert verify(audit).broken == content.count(b"\n") + 1 and second


def test_what_is_erased_from_parameters_leaves_the_chain_whole_but_not_unsaid(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    audit.append([act("GET /v1/entities/{id}", id="person:7"), act(id="lei:1"), act(q="what of person:7?")])
    kept = Anchor(3, verify(audit).head)
    assert audit.blank(lambda text: "person:7" in text, act("erase")) == [1, 3]
    assert audit.blank(lambda text: "person:7" in text, act("erase")) == []
    found = verify(audit, kept)
    assert (found.whole, found.entries, found.erased) == (True, 4, 2)
    assert b"person:7" not in audit.segments()[0].read_bytes()
    assert [row["parameters"] for row in listed(audit)][:3] == [ERASED, {"id": "lei:1"}, ERASED]
    path = audit.segments()[0]
    a, b, c, d = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(a + line_of({**json.loads(b), "detail": ERASED}) + c + d)
    hidden = verify(audit)
    assert hidden.broken == 2 and "no entry says" in hidden.reason


CANARY = "canary-3f9a-SECRET"
OWN = "kgr_" + "Zq7" * 14


def test_no_secret_is_written_down_whatever_it_is_called() -> None:
    names = ("password", "passwd", "api_key", "api-key", "X-Api-Key", "token", "access_token", "client_secret")
    names += ("Authorization", "cookie", "key", "private_key", "neo4j_password", "PIN", "auth")
    for name in names:
        assert CANARY not in json.dumps(safe({name: CANARY, "deep": [{name: {"x": CANARY}}]})), name
    assert safe({"monkey": "banana", "keyword": "loan", "k": 3}) == {"monkey": "banana", "keyword": "loan", "k": 3}
    told = json.dumps(
        safe({"q": f"who is {OWN}", "store": f"bolt://neo4j:{CANARY}@host:7687", "h": f"Bearer {CANARY}"})
    )
    assert CANARY not in told and OWN not in told and "bolt://neo4j:****" in told
    line = [
        "--store",
        f"bolt://u:{CANARY}@h",
        "--password",
        CANARY,
        f"--token={CANARY}",
        "password=" + CANARY,
        "in",
        OWN,
    ]
    said = " ".join(words(line))
    assert CANARY not in said and OWN not in said and said.endswith("in ********")
    assert len(safe({"q": "x" * 5000})["q"]) < 600 and len(safe({"ids": list(range(1000))})["ids"]) == 100


def test_commands_that_write_are_in_the_log_with_their_end_and_reading_ones_are_not(tmp_path: Path) -> None:
    folder = write_registers(tmp_path / "in")
    asked = {"KGRISK_NEO4J_CACHE": CANARY, "NEO4J_PASSWORD": CANARY}
    assert kgrisk_here("ingest", folder, "--home", "home", cwd=tmp_path, **asked).returncode == 0
    assert kgrisk_here("resolve", "--home=home", "--judge", "a", "b", "perhaps", cwd=tmp_path, **asked).returncode != 0
    key = json.loads(kgrisk_here("keys", "add", "eve", "--home", "home", "--json", cwd=tmp_path).stdout)["key"]
    assert kgrisk_here("query", "largest_exposures", "--home", "home", cwd=tmp_path).returncode in (0, 1)
    rows = json.loads(kgrisk_here("audit", "list", "--home", "home", "--json", cwd=tmp_path).stdout)
    assert [(row["what"], row["status"]) for row in rows] == [
        ("ingest", 0),
        ("resolve", "begun"),
        ("resolve", rows[2]["status"]),
        ("keys add", "begun"),
        ("keys add", 0),
    ]
    assert rows[2]["status"] in (1, 2) and rows[0]["door"] == "cli" and rows[0]["who"]
    assert rows[3]["parameters"] == {"words": ["add", "eve", "--home", "home", "--json"]}
    whole = kgrisk_here("audit", "verify", "--home", "home", cwd=tmp_path)
    assert whole.returncode == 0 and "all 5 entries are whole" in whole.stdout
    every = b"".join(file.read_bytes() for file in (tmp_path / "home").rglob("*") if file.is_file())
    assert CANARY.encode() not in every and key.encode() not in every


def test_the_anchor_is_printed_and_a_broken_entry_named_with_exit_code_1(tmp_path: Path) -> None:
    audit, path = written(tmp_path / "home")
    anchor = kgrisk_here("audit", "anchor", "--home", "home", cwd=tmp_path).stdout.strip()
    assert anchor == f"3:{verify(audit).head}"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"ada", b"eve") + lines[2])
    found = kgrisk_here("audit", "verify", "--anchor", anchor, "--home", "home", cwd=tmp_path)
    assert found.returncode == 1 and "entry 2 is broken" in found.stdout
    assert json.loads(kgrisk_here("audit", "verify", "--json", "--home", "home", cwd=tmp_path).stdout)["broken"] == 2
    assert kgrisk_here("audit", "anchor", "--home", "home", cwd=tmp_path).returncode == 1
    wrong = kgrisk_here("audit", "verify", "--anchor", "3:abc", "--home", "home", cwd=tmp_path)
    assert wrong.returncode == 1 and "COUNT:HASH" in wrong.stderr
    assert kgrisk_here("audit", "list", "--home", "none", cwd=tmp_path).returncode == 1
    assert not (tmp_path / "none").exists()


def test_entries_are_listed_by_who_and_since(tmp_path: Path) -> None:
    audit, _ = written(tmp_path / "home", 2)
    audit.append([Act("bob", "viewer", "http", "GET /v1/entities", {"limit": "5"}, 200)])
    assert [row["what"] for row in listed(audit, who="bob")] == ["GET /v1/entities"]
    shown = kgrisk_here("audit", "list", "--since", "2999-01-01", "--json", "--home", "home", cwd=tmp_path)
    assert json.loads(shown.stdout) == []
    assert os.stat(audit.segments()[0]).st_mode & 0o077 == 0


def test_a_verdict_is_whole_until_something_is_found() -> None:
    assert Verdict().whole and not Verdict(broken=1).whole
