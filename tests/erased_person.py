"""A small world with a person in it who is to be erased: registers, statements of people, trades, news, a picture."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from kg.model import Claim, ClaimBatch, Evidence, Facts, RunManifest, day
from kg.vectors import address, put_vectors
from kgrisk.api import Graph
from kgrisk.api import open as open_graph
from kgrisk.audit import Act, Audit
from kgrisk.cases import Cases, Item
from kgrisk.export import export
from kgrisk.jobs.job import Order
from kgrisk.jobs.table import Table
from kgrisk.settings import Settings
from kgrisk.views import SavedViews
from tests.kgrisk_world import BIG, write_registers

VERA, OTTO = "person:d9a5dc6226ad4934", "person:cd68e80c32f765e6"
NAME = "Vera Lomskaya"
STEEL = "9KGR002IECGPTX3QCU92"
TRADES = """trade_id,time,party_id,security_id,side,quantity,price,currency
1,2020-03-02T11:00:00Z,{bank},isin:US0378331005,B,10,1.35,USD
2,2020-03-03T11:00:00Z,{bank},isin:US0378331005,S,10,1.45,USD
3,2020-03-04T10:00:00Z,{party},isin:US0378331005,B,100,1.25,USD
"""
NEWS = [
    {
        "id": "n-1",
        "published": "2020-03-03T10:00:00Z",
        "title": "Steel Works SA has a new chair",
        "body": "Steel Works SA said Vera  Lomskaya, its director, left. Steel Works SA borrowed from Big Bank AG.",
        "url": "https://news.example/2020/vera-lomskaya-leaves",
        "language": "en",
    }
]


def entity(id: str, schema: str, **said: str) -> dict[str, Any]:
    properties = {name: [value] for name, value in said.items()}
    return {"id": id, "schema": schema, "last_change": "2020-03-01T00:00:00", "properties": properties}


def write_world(folder: Path, vera: bool = True, news: bool = False) -> Path:
    """Files to ingest, with her or as they were if she had never been."""
    write_registers(folder)
    held = {"asset": "kgs-9", "percentage": "12", "startDate": "2020-01-01"}
    role = {"organization": "kgs-9", "role": "Director", "startDate": "2015-01-01"}
    own = [
        entity("kgs-2", "Person", name=NAME, nationality="cz", birthDate="1970-05-06"),
        entity("kgs-3", "Directorship", director="kgs-2", **role),
        entity("kgs-5", "Ownership", owner="kgs-2", **held),
    ]
    others = [
        entity("kgs-7", "Person", name="Otto Brandt", nationality="de"),
        entity("kgs-4", "Directorship", director="kgs-7", **role),
        entity("kgs-9", "Company", name="Steel Works SA", leiCode=STEEL),
    ]
    rows = [*(own if vera else []), *others]
    (folder / "registers" / "people.ftm").write_text("\n".join([*map(json.dumps, rows), ""]))
    (folder / "trades").mkdir()
    text = TRADES.format(party=VERA, bank=BIG)
    (folder / "trades" / "trades.csv").write_text(text if vera else "".join(text.splitlines(keepends=True)[:-1]))
    if news:
        (folder / "news").mkdir()
        (folder / "news" / "2020.jsonl").write_text("".join(json.dumps(item) + "\n" for item in NEWS))
    return folder


def found_in(folder: Path, *needles: str) -> list[str]:
    """Files that hold any of the texts, in their bytes or in a column of a Parquet file: a search of its own."""
    wanted = [needle.casefold() for needle in needles]
    hits = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        texts = [
            content.decode("latin-1").casefold(),
            content.decode("utf-8", "replace").casefold(),
            path.name.casefold(),
        ]
        if content[:4] == b"PAR1":
            texts.append(str(pq.read_table(path).to_pylist()).casefold())
        if any(needle in text for needle in wanted for text in texts):
            hits.append(path.relative_to(folder).as_posix())
    return hits


def opened(home: Path) -> Graph:
    return open_graph(home, settings=Settings(home=home))


def planted(root: Path) -> Path:
    """A home that knows her in every kind of place."""
    home = root / "home"
    with opened(home) as graph:
        graph.ingest(write_world(root / "in", news=True))
        graph.resolve()
        publish_vectors(graph)
        graph.store.query("RETURN 1 AS one")
        export(graph.snapshot(), home / "exports", "csv")
        export(graph.snapshot(), home / "exports" / "packed", "parquet")
        (home / "runs" / "abc").mkdir(parents=True)
        pq.write_table(graph.snapshot().nodes, home / "runs" / "abc" / "entities.parquet")
    (home / "runs" / "abc" / "own.safetensors").write_bytes(b"weights")
    (home / "exports" / "notes.json").write_text(json.dumps({"note": f"Ask {NAME} again", "of": "case 9"}))
    (home / "exports" / f"{NAME}.txt").write_text("a page about her")
    with zipfile.ZipFile(home / "exports" / "pack.zip", "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("case.json", json.dumps({"who": NAME}))
    with closing(sqlite3.connect(home / "cases.db")) as con, con:
        con.execute("CREATE TABLE notes (id INTEGER, text TEXT)")
        con.executemany("INSERT INTO notes VALUES (?, ?)", [(1, f"{NAME} called"), (2, "Otto Brandt called")])
    plant_written(home)
    plant_made(home)
    for id in (VERA, BIG):
        Audit(home).append([Act("ada", "admin", "http", "GET /v1/entities/{id}", {"id": id}, 200)])
    return home


def plant_written(home: Path) -> None:
    """What people wrote about her, by any part of her name and in any order."""
    views = SavedViews(home / "views")
    for words in ("lomskaya vera", "LOMSKAYA,VERA", "Vera", "Otto Brandt"):
        views.save({"title": "ties", "state": {"q": words}, "positions": {VERA: [0, 1]}, "by": "ada"})
    case = Cases(home / "cases").open("Ties of Lomskaya", "ada", [Item(VERA, "the chair"), Item(BIG)])
    Cases(home / "cases").note(case.id, "bob", "Vera called; Otto Brandt did not")
    Cases(home / "cases").open("Otto Brandt", "ada", [Item(OTTO)])
    with closing(Table(home)) as table:
        table.submit(Order("refresh", {"folder": "in/lomskaya vera"}), "ada", key="for Lomskaya")
    for words in ("Lomskaya", "lomskaya vera", "Otto Brandt"):
        Audit(home).append([Act("ada", "admin", "http", "GET /v1/entities", {"q": words}, 200)])
    (home / "exports" / "other.txt").write_text("A Vera of whom nobody knows more")


def plant_made(home: Path) -> None:
    """What runs and parts of the graph keep: claims of a shadow, packed; scores of a reference; a partial store."""
    shadow, part = home / "runs" / "shadow", home / "cache" / "access-f00"
    shadow.mkdir(parents=True)
    claims = pa.table({"subject": [VERA, BIG], "quote": [f"{VERA} 0.5", f"{BIG} 0.1"]})
    feather.write_feather(claims, shadow / "claims.arrow", compression="zstd")
    (shadow / "reference.json").write_text(json.dumps({"ids": [VERA, BIG], "scores": [0.5, 0.1]}))
    part.mkdir(parents=True)
    (part / "bucket").write_bytes(b"\0\1" + NAME.encode() + b"\0")


def publish_vectors(graph: Graph) -> None:
    """A vector of hers and one of a bank, as a model publishes them."""
    digest = put_vectors(graph.files, np.arange(1, 9, dtype=np.float32).reshape(2, 4))
    run = RunManifest("train", {"commit": 2, "rows": [f"{VERA} 0", f"{BIG} 1"]})
    graph.files.put(run.to_bytes())
    claims = [
        Claim(
            Facts(id, {"embedding": address(digest, row)}, "relational"),
            Evidence(run.id, f"run:{run.id} row:{row}", f"{id} {row}", "model.vectors@1"),
            day("2020-06-01"),
        )
        for row, id in enumerate((VERA, BIG))
    ]
    graph.ledger.commit(ClaimBatch.of(claims), run)
