"""The command that compares two pictures of a face, where an operator has switched that on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kg.errors import SourceError
from kgrisk.console import emit, show
from kgrisk.kyc import Asked, face_match, named
from kgrisk.options import Home, Json, opened
from kgrisk.settings import Settings

app = typer.Typer()


@app.command(name="kyc-match")
def kyc_match(
    reference: Annotated[Path, typer.Argument(help="The picture on the document.")],
    probe: Annotated[Path, typer.Argument(help="The picture of who presents it.")],
    subject: Annotated[str, typer.Option("--subject", help="Id of the Person whom both should show.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept as evidence.")],
    by: Annotated[str, typer.Option("--by", help="Who asks; kept as evidence.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Compare two pictures of one person's face; off unless `kyc_matcher` is set, every decision logged."""
    named(Settings.load(home=home))
    with opened(home) as graph:
        decision = face_match(graph, _picture(reference), _picture(probe), Asked(subject, by, reason))
    emit(asdict(decision)) if json else show("KYC match", [asdict(decision)])


def _picture(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}); give a PNG or JPEG file") from error
