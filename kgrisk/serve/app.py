"""The HTTP API as one application over one open graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles

from kgrisk import __version__
from kgrisk.api import Graph
from kgrisk.audit import Audit
from kgrisk.serve import problem, routes
from kgrisk.serve.audited import Audited
from kgrisk.serve.counted import Counted, Counts
from kgrisk.serve.desk import Desk
from kgrisk.serve.door import SCHEMES, Routes
from kgrisk.serve.guard import LOCAL, Guard
from kgrisk.serve.keys import Keys
from kgrisk.serve.rate import Rate

STATIC = Path(__file__).parent / "static"
ABOUT = """Financial risk on a knowledge graph. Every answer says what is true at `valid`, as recorded by `known` and
published by `published`, and of which commit of the ledger it is."""


def build(graph: Graph, hosts: Sequence[str] = LOCAL, keyed: bool = False) -> FastAPI:
    """The application; the graph stays the caller's to close. It asks for keys if told to, or once there is one."""
    app = FastAPI(title="kgrisk", version=__version__, description=ABOUT, redirect_slashes=False)
    s = graph.settings
    app.state.desk = desk = Desk(graph, s.serve_seconds)
    app.state.keys = keys = Keys(graph.home / "keys.json")
    keys.needed = keyed or bool(len(keys))
    app.state.counts = counts = Counts(desk)
    problem.install(app)
    for router in routers():
        app.include_router(router)
    app.openapi = lambda: _page(app)  # type: ignore[method-assign]  # as FastAPI says it is extended
    if STATIC.is_dir():
        app.mount("/", StaticFiles(directory=STATIC, html=True), name="page")
    app.add_middleware(Audited, audit=Audit(graph.home))
    rate = Rate(s.serve_rate, s.serve_burst)
    app.add_middleware(Guard, hosts=hosts, body=s.serve_body, rate=rate, keys=keys)
    app.add_middleware(Counted, counts=counts)
    return app


def _page(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI page, with the ways to send a key."""
    if app.openapi_schema is None:
        page = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        page.setdefault("components", {})["securitySchemes"] = SCHEMES
        app.openapi_schema = page
    return app.openapi_schema


def routers() -> Iterator[Routes]:
    """The router of every file in routes/."""
    for found in sorted(iter_modules(routes.__path__), key=lambda module: module.name):
        router = import_module(f"{routes.__name__}.{found.name}").router
        assert isinstance(router, Routes)  # only such a router names permissions
        yield router
