"""Names: kinds of entities, edges and facts as parameters; what the ontology has not is refused with what is near."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import AfterValidator, WithJsonSchema

from kg.ontology import EDGES, NODES, PROPERTIES
from queries.parameter import suggestion


def _known(kind: str, names: Iterable[str]) -> Callable[[str], str]:
    """A check that a text is one of these names, or empty where that is one of them."""
    known = list(names)

    def check(text: str) -> str:
        if text not in known:
            told = ", ".join(name for name in known if name)
            raise ValueError(f"there is no {kind} {text[:100]!r}{suggestion(text, known)}; known: {told}")
        return text

    return check


def _page(names: Iterable[str]) -> dict[str, Any]:
    """What the OpenAPI page says of them."""
    return {"json_schema_extra": {"enum": sorted(names)}}


_EDGE: Final = _known("edge type", EDGES)
_LABEL: Final = _known("kind of entity", ["", *NODES])
_FACT: Final = _known("fact or score", PROPERTIES)
_NUMBERS: Final = tuple(name for name, kind in PROPERTIES.items() if kind.type in ("int", "real", "money"))
"""What entities can be put in order by."""
_SCORE: Final = _known("score that is a number", _NUMBERS)
LABELS: Final = {"type": "string", "enum": sorted(["", *NODES])}

Label = Annotated[
    str, AfterValidator(_LABEL), Query(**_page(["", *NODES]), description="Kind of entity, such as Bank; empty: all.")
]
Relation = Annotated[
    str,
    AfterValidator(_known("edge type", ["", *EDGES])),
    Query(**_page(["", *EDGES]), description="Edge type; empty: all."),
]
EdgeName = Annotated[str, AfterValidator(_EDGE), WithJsonSchema({"type": "string", "enum": sorted(EDGES)})]
Types = Annotated[tuple[EdgeName, ...], Query(description="Edge types to follow; none: all.")]
By = Annotated[
    str, AfterValidator(_SCORE), Query(**_page(_NUMBERS), description="Score that orders entities, highest first.")
]
Fact = Annotated[str, AfterValidator(_FACT), Query(**_page(PROPERTIES), description="Fact or score, such as equity.")]
Property = Annotated[str, AfterValidator(_SCORE), Path(**_page(_NUMBERS), description="Score, such as distress.")]
InBody = Annotated[str, AfterValidator(_LABEL), WithJsonSchema(LABELS)]
"""A kind of entity inside a body; empty: all."""
ScoreInBody = Annotated[str, AfterValidator(_SCORE), WithJsonSchema({"type": "string", "enum": sorted(_NUMBERS)})]
