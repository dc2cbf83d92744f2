"""Who uses which device and address, under pseudonyms, and who shares one with whom."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from ingest.locate import locate
from ingest.pipeline import run
from ingest.source import Extract, Models, Record
from ingest.sources.identities import Identities, spelled
from kg.files import Files
from kg.ledger import Ledger
from kg.model import AsOf, day
from tests.ingest_reading import rows

HEAD = "account_id,kind,value,first_seen,last_seen"


def told(folder: Path, **files: str) -> list[tuple[Record, Extract]]:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    made = Identities(folder)
    found = [(record, made.claims(record, Models())) for record in made.records()]
    for record, extract in found:
        for row in rows(extract):
            assert locate(record.content, row["locator"], "identities") == row["quote"]
    return found


def table(*lines: str) -> str:
    return "\n".join([HEAD, *lines, ""])


def shares(found: list[tuple[Record, Extract]]) -> dict[tuple[str, str, str], int]:
    edges = [row for _, extract in found for row in rows(extract, "SHARES_IDENTIFIER")]
    return {(row["subject"], row["object"], row["key"]): row["value_int"] for row in edges}


def test_one_device_in_two_spellings_is_shared_by_its_two_users(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        a_csv=table("1,device, D-77 ,2024-01-02,2024-03-01", "2,device,d-77,2024-02-02,", "3,device,other,2024-02-02,"),
    )
    uses = {row["subject"]: row for row in rows(found[0][1], "USES")}
    assert uses["acct:1"]["object"] == uses["acct:2"]["object"] != uses["acct:3"]["object"]
    assert (uses["acct:1"]["valid_from"], uses["acct:1"]["valid_to"]) == (day("2024-01-02"), day("2024-03-02"))
    assert uses["acct:1"]["published"] == day("2024-03-01"), "its end was known then"
    assert shares(found) == {("acct:1", "acct:2", "device"): 1}
    (edge,) = rows(found[1][1], "SHARES_IDENTIFIER")
    assert (edge["valid_from"], edge["quote"]) == (day("2024-02-02"), "acct:1,device; acct:2,device")


def test_identifiers_are_shared_across_files_and_lines_of_json(tmp_path: Path) -> None:
    lines = [
        {"party_id": "person:ab12", "kind": "email", "value": "Ana@Example.org", "first_seen": "2024-01-01"},
        {"party_id": "person:cd34", "kind": "ip", "value": "::1", "first_seen": "2024-01-01"},
    ]
    found = told(
        tmp_path,
        a_csv=table("7,email,ana@example.org,2024-02-02,", "7,ip,0:0:0:0:0:0:0:1,2024-02-03,"),
        b_jsonl="\n".join(map(json.dumps, lines)) + "\nno object\n",
    )
    assert shares(found) == {("acct:7", "person:ab12", "email"): 1, ("acct:7", "person:cd34", "ip"): 1}
    assert [r.reason for _, extract in found for r in extract.refused] == ["the line is no JSON object"]


def test_no_personal_value_stands_in_any_claim(tmp_path: Path) -> None:
    found = told(tmp_path, a_csv=table("1,email,ana@example.org,2024-01-02,", "2,email,ana@example.org,2024-01-02,"))
    said = repr([row for _, extract in found for row in rows(extract)]) + repr([r.refused for _, r in found])
    assert "ana" not in said and "example" not in said
    assert b"ana" not in found[-1][0].content, "the derived table holds pseudonyms only"


def test_another_key_gives_other_pseudonyms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Identities(tmp_path)
    first = made.pseudonym("email:ana@example.org")
    monkeypatch.setattr(Identities, "key", b"another")
    assert made.pseudonym("email:ana@example.org") != first and first.startswith("addr:") and len(first) == 37


def test_an_identifier_of_more_users_than_the_cap_joins_nobody_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Identities, "sharers", 3)
    crowd = [f"{n},ip,10.0.0.1,2024-01-01," for n in range(4)]
    found = told(tmp_path, a_csv=table(*crowd, "1,device,x,2024-01-01,", "2,device,x,2024-01-01,"))
    assert shares(found) == {("acct:1", "acct:2", "device"): 1}
    derived = found[-1][1]
    assert dict(derived.rules) == {"identities.capped_identifier": 1}
    (refusal,) = derived.refused
    assert refusal.reason.startswith("addr:") and "has 4 users, the cap is 3" in refusal.reason
    assert len(rows(found[0][1], "USES")) == 6, "its uses are kept"


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("email", "nobody", "the e-mail address has no name, @ and domain"),
        ("phone", "12", "the phone number does not have 5 to 15 digits"),
        ("ip", "300.1.1.1", "the network address is neither IPv4 nor IPv6"),
        ("shoe", "42", "kind shoe is none of device, imei, browser, card, address, phone, email, ip"),
    ],
)
def test_a_value_that_is_none_of_its_kind_is_refused_without_telling_it(
    kind: str, value: str, reason: str, tmp_path: Path
) -> None:
    found = told(tmp_path, a_csv=table(f"1,{kind},{value},2024-01-01,", "2,device,x,2024-01-01,"))
    (refusal,) = found[0][1].refused
    assert refusal.locator.startswith("row:1 ") and refusal.reason == reason
    assert len(rows(found[0][1], "USES")) == 1


def test_one_spelling_for_what_is_one() -> None:
    assert spelled("phone", "0044 (20) 7946-0000") == spelled("phone", "+442079460000")
    assert spelled("address", "1, High St.,  Larch Hill") == spelled("address", "1 high st larch hill")
    assert spelled("ip", "2001:DB8::1") == "2001:db8::1"


def test_the_ledger_knows_who_shared_a_device_as_of_a_day_and_once(tmp_path: Path) -> None:
    inputs, home = tmp_path / "inputs", tmp_path / "home"
    inputs.mkdir()
    (inputs / "a.csv").write_text(table("1,device,x,2024-01-02,", "2,device,x,2024-02-02,"))
    with Ledger.open(home / "ledger") as ledger:
        options = {"sources": ("identities",)}
        assert run(inputs, ledger, Files(home / "files"), home, **options).committed  # type: ignore[arg-type]

        def sharing(at: datetime) -> int:
            return sum(e["type"] == "SHARES_IDENTIFIER" for e in ledger.view(AsOf(published=at)).edges.to_pylist())

        assert (sharing(day("2024-02-01")), sharing(day("2024-02-02"))) == (0, 1)
        assert not run(inputs, ledger, Files(home / "files"), home, **options).committed  # type: ignore[arg-type]


def test_the_cap_on_sharers_is_a_limit_of_the_run(tmp_path: Path) -> None:
    rows = "".join(f"ACC{n},device,phone-1,2023-01-0{n},\n" for n in (1, 2, 3))
    (tmp_path / "devices.csv").write_text(f"account_id,kind,value,first_seen,last_seen\n{rows}")
    source = Identities(tmp_path)
    (*_, shared) = source.records()
    free = source.claims(shared, Models()).claims.table["name"].to_pylist()
    capped = source.claims(shared, Models(limits={"sharers": 2}))
    assert free.count("SHARES_IDENTIFIER") == 3
    assert len(capped.claims) == 0 and "the cap is 2" in capped.refused[0].reason
