"""An analyst decides at the command line whether a loan told twice is one loan."""

import json
from pathlib import Path

import pytest

from kg.files import Files
from kg.ledger import Ledger
from tests.kgrisk_world import kgrisk_here
from tests.test_ingest_obligations import ARTICLE, REGISTER, amounts, parties, tell


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = Ledger.open(tmp_path / "kgrisk" / "ledger")
    Files(tmp_path / "kgrisk" / "files")
    parties(made)
    tell(made, REGISTER, ARTICLE)
    return tmp_path / "kgrisk"


def decide(home: Path, word: str, *more: str) -> tuple[int, str]:
    statement = next(
        row["statement"]
        for row in Ledger.open(home / "ledger").alive().to_pylist()
        if row["quote"].startswith("The bank")
    )
    done = kgrisk_here("resolve", "--loan", statement, "F-1", word, *more, "--home", home, "--json", cwd=home.parent)
    return done.returncode, done.stdout or done.stderr


def test_a_loan_told_twice_is_one_once_a_person_says_so_and_two_once_denied(home: Path) -> None:
    signed = ("--by", "an analyst", "--why", "read both")
    assert len(amounts(Ledger.open(home / "ledger"))) == 2
    code, told = decide(home, "same", *signed)
    assert code == 0 and json.loads(told)["by"] == "an analyst"
    assert len(amounts(Ledger.open(home / "ledger"))) == 1
    assert decide(home, "different", *signed)[0] == 0
    assert len(amounts(Ledger.open(home / "ledger"))) == 2


def test_a_judgement_on_a_loan_without_a_name_or_a_reason_is_refused(home: Path) -> None:
    code, told = decide(home, "same", "--by", "an analyst")
    assert code == 1 and "--why" in told
