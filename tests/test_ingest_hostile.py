"""Two hundred and more hostile and broken files, read beside good ones: each has its reason and none does any harm."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import corpus

pytestmark = pytest.mark.slow
SECONDS, MIB = 10, 1024
"""Most CPU seconds of one file, and most memory that all of them take beyond what the good ones took."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a watched process says of one run over all of them."""
    work = tmp_path_factory.mktemp("hostile")
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile_run", str(work)],
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def reasons(told: dict[str, Any], path: str) -> list[str]:
    return [why for _, at, _, why in told["quarantined"] if at == path or at.startswith(f"{path}#")]


def test_the_corpus_is_large_and_the_same_each_time() -> None:
    cases = corpus()
    assert len(cases) >= 200 and len({case.path for case in cases}) == len(cases)
    assert [case.content for case in cases] == [case.content for case in corpus()]


def test_each_hostile_file_has_a_true_reason(told: dict[str, Any]) -> None:
    wrong = {
        path: (word, reasons(told, path)[:3])
        for path, word in told["cases"]
        if word and not any(re.search(word, why) for why in reasons(told, path))
    }
    assert wrong == {}


def test_no_source_fails_where_it_should_not(told: dict[str, Any]) -> None:
    assert [row for row in told["quarantined"] if "please report it" in row[3]] == []


def test_the_good_files_beside_them_say_all_that_they_say_alone(told: dict[str, Any]) -> None:
    assert told["good"] > 1000 and told["missing"] == []


def test_no_file_takes_long_or_much_memory(told: dict[str, Any]) -> None:
    assert {file: seconds for file, seconds in told["seconds"].items() if seconds > SECONDS} == {}
    assert told["peak"] - told["peak_good"] < MIB


def test_nothing_is_written_outside_the_home_folder_and_no_host_is_asked(told: dict[str, Any]) -> None:
    assert (told["outside"], told["network"], told["changed"]) == ([], [], False)


def test_no_entity_or_link_brings_in_another_file(told: dict[str, Any]) -> None:
    assert told["passwd"] == []


def test_orders_inside_an_article_are_words_of_the_article(told: dict[str, Any]) -> None:
    assert set(told["injected"]) <= {"MENTIONED_IN"}
