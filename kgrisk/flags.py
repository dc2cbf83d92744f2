"""Flags: options that many commands take, declared once; light enough for a command that has to start at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[Path | None, typer.Option("--home", help="Folder of ledger, files, runs and embedded store.")]
Store = Annotated[str | None, typer.Option("--store", help="URL of the graph store; default: see `kgrisk config`.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Valid = Annotated[str | None, typer.Option("--valid", help="True in the world at this time, such as 2022-12-31.")]
Known = Annotated[str | None, typer.Option("--known", help="As recorded by this time.")]
Published = Annotated[str | None, typer.Option("--published", help="As published by this time.")]
Workers = Annotated[str | None, typer.Option("--workers", help="How many processes, or a Ray cluster: ray, host:port.")]
