"""`kgrisk erase` takes a person out of a home folder for good and proves it; `kgrisk pseudonym` looks one up."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from kg.errors import KgRiskError
from kgrisk.console import emit, out, show
from kgrisk.erasing import Erased, erase_person, resume
from kgrisk.erasing_plan import plan
from kgrisk.options import Home, Json, Store, opened
from kgrisk.pseudonyms import Pseudonyms
from kgrisk.settings import Settings

app = typer.Typer()


@app.command(name="erase")
def erase(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Id of a person, and of accounts or addresses that are theirs alone.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept, so it must not name the person.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who decided; kept as well.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Say what would go, and change nothing.")] = False,
    go_on: Annotated[bool, typer.Option("--resume", help="Go on with an erasure that was broken off.")] = False,
    home: Home = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Erase a person from ledger, source files, vectors, models, caches, store and logs; a search proves it."""
    if go_on == bool(ids):
        raise typer.BadParameter("name the ids that go, or go on with --resume")
    with opened(home, store) as graph:
        if preview:
            made = plan(graph.ledger, ids or [], reason, by)
            told = {name: getattr(made, name) for name in ("ids", "words", "rows", "first", "linked", "others")}
            told |= {"documents": len(made.documents), "vectors": len(made.vectors)}
            emit(told) if json else show("would be erased", [{"what": k, "found": v} for k, v in told.items()])
            return
        found = resume(graph) if go_on else erase_person(graph, ids or [], reason, by)
    emit(asdict(found)) if json else _tell(found)


@app.command(name="pseudonym")
def pseudonym(
    who: Annotated[str, typer.Argument(help="Name or id of a natural person.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Tell the pseudonym of a name or an id, as `kgrisk export --pseudonyms` writes it: only who has the key can."""
    folder = Settings.load(home=home).home
    if not (folder / "ledger").exists():
        raise KgRiskError(f"{folder} holds no graph; name the home whose key made the pseudonyms with --home")
    made = Pseudonyms(folder)
    told = made.id(who) if who.startswith("person:") else made.name(who)
    emit({"pseudonym": told}) if json else out.print(told, highlight=False, soft_wrap=True)


def _tell(found: Erased) -> None:
    """What was done, without anybody's name."""
    out.print(f"erased: {found.rows} rows of the ledger; tombstone {found.tombstone[:12]} in commit {found.commit}")
    out.print(f"{found.documents} source files were changed, {len(found.removed)} of them removed as a whole")
    for line in (*found.removed, *found.swept):
        out.print(f"  {line}", highlight=False, soft_wrap=True)
    out.print(f"searched {found.searched} files and the store for ids, names and quoted texts: 0 hits")
    if found.unclear:
        some = ", ".join(f"{path} ({count})" for path, count in list(found.unclear.items())[:10])
        out.print(
            f"unclear: {sum(found.unclear.values())} mentions of a part of the name in {len(found.unclear)} files of "
            f"others, left as they are because others may be meant; look at {some}",
            highlight=False,
            soft_wrap=True,
        )
    if found.linked:
        out.print(
            f"linked to nobody else and kept: {', '.join(found.linked)}; erase them too if they tell of the person"
        )
