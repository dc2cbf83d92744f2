"""The HTTP API as one application over one open graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from kgrisk import __version__
from kgrisk.api import Graph
from kgrisk.serve import problem, routes
from kgrisk.serve.desk import Desk
from kgrisk.serve.door import Routes
from kgrisk.serve.guard import LOCAL, Guard
from kgrisk.serve.keys import Keys

STATIC = Path(__file__).parent / "static"
ABOUT = """Financial risk on a knowledge graph. Every answer says what is true at `valid`, as recorded by `known` and
published by `published`, and of which commit of the ledger it is."""


def build(graph: Graph, hosts: Sequence[str] = LOCAL) -> FastAPI:
    """The application; the graph stays the caller's to close."""
    app = FastAPI(title="kgrisk", version=__version__, description=ABOUT, redirect_slashes=False)
    app.state.desk = Desk(graph)
    app.state.keys = Keys(graph.home / "keys.json")
    problem.install(app)
    for router in routers():
        app.include_router(router)
    if STATIC.is_dir():
        app.mount("/", StaticFiles(directory=STATIC, html=True), name="page")
    app.add_middleware(Guard, hosts=hosts)
    return app


def routers() -> Iterator[Routes]:
    """The router of every file in routes/."""
    for found in sorted(iter_modules(routes.__path__), key=lambda module: module.name):
        router = import_module(f"{routes.__name__}.{found.name}").router
        assert isinstance(router, Routes)  # only such a router names permissions
        yield router
