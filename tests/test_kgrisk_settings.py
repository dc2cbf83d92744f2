"""Settings: what wins, what is refused, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.errors import SettingsError
from kgrisk.settings import MASK, Settings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("KGRISK_", "NEO4J_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_a_flag_wins_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("kgrisk.toml").write_text("seed = 1\nthreads = 2\nepochs = 3\n")
    monkeypatch.setenv("KGRISK_SEED", "4")
    monkeypatch.setenv("KGRISK_THREADS", "5")
    s = Settings.load(seed=6)
    assert (s.seed, s.threads, s.epochs) == (6, 5, 3)


def test_an_unknown_variable_is_named_with_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGRISK_THREDS", "2")
    with pytest.raises(SettingsError, match=r"KGRISK_THREDS.*did you mean KGRISK_THREADS"):
        Settings.load()


def test_an_unknown_key_of_the_file_is_named_with_the_nearest_known_one() -> None:
    Path("kgrisk.toml").write_text("curency = 'EUR'\n")
    with pytest.raises(SettingsError, match=r"kgrisk.toml.*curency.*did you mean currency"):
        Settings.load()


def test_an_unknown_flag_is_refused() -> None:
    with pytest.raises(SettingsError, match="colour"):
        Settings.load(colour="red")


def test_a_wrong_value_is_told_with_the_setting_and_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGRISK_CURRENCY", "euros")
    with pytest.raises(SettingsError, match=r"currency.*'euros'"):
        Settings.load()


def test_a_file_that_is_no_toml_is_refused() -> None:
    Path("kgrisk.toml").write_text("seed = \n")
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.load()


def test_the_store_is_the_embedded_one_unless_neo4j_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path("home").resolve()
    assert Settings.load().url(Path("home")) == f"arcadedb://{home}/store"
    monkeypatch.setenv("NEO4J_URI", "bolt://db.example:7687")
    monkeypatch.setenv("NEO4J_USER", "ann")
    monkeypatch.setenv("NEO4J_PASSWORD", "p@ss/word")
    monkeypatch.setenv("NEO4J_DATABASE", "risk")
    assert Settings.load().url(Path("home")) == "bolt://ann:p%40ss%2Fword@db.example:7687/risk"
    assert Settings.load(store="arcadedb:///other").url(Path("home")) == "arcadedb:///other"


def test_neo4j_username_wins_over_its_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_USER", "old")
    monkeypatch.setenv("NEO4J_USERNAME", "new")
    assert Settings.load().neo4j_username == "new"


def test_a_store_that_is_no_url_is_refused() -> None:
    with pytest.raises(SettingsError, match="arcadedb:///path"):
        Settings.load(store="my-store").url(Path("home"))


def test_secrets_are_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_PASSWORD", "hunter2")
    s = Settings.load(store="bolt://ann:hunter2@db:7687")
    assert "hunter2" not in repr(s.neo4j_password) + str(s.shown())
    assert s.shown()["neo4j_password"] == MASK
    assert s.shown()["store"] == f"bolt://ann:{MASK}@db:7687"
