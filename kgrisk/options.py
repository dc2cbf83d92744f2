"""Options: what several commands take in the same way, and how they read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from kg.errors import KgRiskError
from kg.model import AsOf, as_time
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.console import emit, progress, show
from kgrisk.flags import Home as Home
from kgrisk.flags import Json as Json
from kgrisk.flags import Known as Known
from kgrisk.flags import Published as Published
from kgrisk.flags import Store as Store
from kgrisk.flags import Valid as Valid
from kgrisk.result import Result
from kgrisk.settings import Settings


def opened(home: Path | None, store: str | None = None, **flags: Any) -> Graph:
    """The graph that flags and settings name. KgRiskError if there is none: a question makes no empty graph."""
    settings = Settings.load(home=home, store=store, **flags)
    if not settings.ledger and not (settings.home / "ledger").exists():
        raise KgRiskError(f"{settings.home} holds no graph; run `kgrisk ingest FOLDER --home {settings.home}` first")
    return open_graph(settings.home, settings=settings)


def made(home: Path | None, store: str | None = None) -> Graph:
    """The graph that flags and settings name, made if there is none."""
    settings = Settings.load(home=home, store=store)
    return open_graph(settings.home, settings=settings)


def asked(valid: str | None, known: str | None, published: str | None) -> AsOf:
    """The three instants of a question."""
    return AsOf(*(_moment(text) for text in (valid, known, published)))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time; write 2024-09-28 or 2024-09-28T12:00:00+00:00") from error
    return as_time(moment if moment.tzinfo else moment.date()) if len(text) > 10 else as_time(moment.date())


def answer(result: Result, as_json: bool) -> None:
    """A result on stdout, its remarks on stderr."""
    for remark in result.remarks:
        progress(remark)
    if as_json:
        emit(result.rows())
    else:
        show(result.name, result.rows(), result.columns)


def pair(text: str) -> tuple[str, str]:
    """Name and value of `name=value`."""
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r}: write a parameter as name=value")
    return name, value


def unread(given: Mapping[str, object], why: str) -> None:
    """Options that would do nothing are refused, not swallowed: those that are given, and why nobody reads them."""
    if useless := [name for name, value in given.items() if value]:
        raise typer.BadParameter(f"{', '.join(useless)} {why}")


def named(texts: list[str] | None) -> dict[str, str] | None:
    """Parameters given as `name=value`; None where there are none."""
    return dict(pair(text) for text in texts or ()) or None
