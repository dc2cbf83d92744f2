"""Is it alive, is it ready, and what has it done."""

from __future__ import annotations

from kgrisk.serve.door import Routes, The

router = Routes(tags=["health"])


@router.on("GET", "/healthz", "open")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"state": "alive"}


@router.on("GET", "/readyz", "open", responses={503: {"description": "The store cannot be asked."}})
def readyz(the: The) -> dict[str, object]:
    """Ledger and store can be asked. A store that is down answers 503 and is opened anew by the next question."""
    with the.turn():
        graph = the.graph
        graph.store.query("RETURN 1 AS one")
        return {"state": "ready", "commit": graph.ledger.head, "store": type(graph.store).__name__}
