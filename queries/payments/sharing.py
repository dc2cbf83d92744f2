"""Groups of parties or accounts that have devices, addresses or accounts in common."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from kg.snapshot import Snapshot
from queries.payments.bursts import Ints

TYPES: Final = ("SHARES_IDENTIFIER", "USES", "HAS_ACCOUNT")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Group:
    """Parties joined by identifiers that two or more of them use."""

    members: Ints
    """Rows of the snapshot's nodes, ascending."""
    edges: pa.Table
    """The edges that join them."""
    identifiers: int
    """How many devices, addresses and accounts are known to be shared; a SHARES_IDENTIFIER edge counts its own."""
    kinds: tuple[str, ...]


def groups(snapshot: Snapshot, least: int, crowd: int) -> tuple[list[Group], tuple[str, ...]]:
    """Groups of at least `least` members, and a remark on identifiers of more than `crowd` users: they join nobody."""
    edges = snapshot.edges_of(*TYPES)
    source, target = (edges[name].to_numpy().astype(np.int64) for name in ("source", "target"))
    direct = np.array([kind == "SHARES_IDENTIFIER" for kind in edges["type"].to_pylist()], bool)
    users = np.bincount(target[~direct], minlength=len(snapshot)) if len(direct) else np.zeros(len(snapshot), np.int64)
    crowded = np.flatnonzero(users > crowd)
    joins = direct | ((users[target] >= 2) & (users[target] <= crowd)) if len(direct) else direct
    edges, source, target, direct = edges.filter(pa.array(joins)), source[joins], target[joins], direct[joins]
    size = len(snapshot)
    matrix = sparse.coo_array((np.ones(len(source), np.int8), (source, target)), shape=(size, size)).tocsr()
    _, part = connected_components(matrix, directed=False)
    remarks: tuple[str, ...] = ()
    if len(crowded):
        remarks = (f"{len(crowded)} identifiers have more than {crowd} users each and join nobody",)
        _log.warning(remarks[0])
    order = np.argsort(part[source], kind="stable")
    starts = np.flatnonzero(np.diff(part[source][order], prepend=-1))
    found = []
    for rows in np.split(order, starts[1:]) if len(order) else ():
        members = np.unique(np.concatenate([source[rows], target[rows][direct[rows]]]))
        if len(members) >= least:
            found.append(_group(edges.take(pa.array(np.sort(rows))), members))
    return found, remarks


def _group(edges: pa.Table, members: Ints) -> Group:
    rows = edges.select(["type", "target", "key", "value_int"]).to_pylist()
    shared = {row["target"] for row in rows if row["type"] != "SHARES_IDENTIFIER"}
    told = sum(row["value_int"] or 1 for row in rows if row["type"] == "SHARES_IDENTIFIER")
    kinds = {row["key"] if row["type"] == "SHARES_IDENTIFIER" else row["type"].lower() for row in rows}
    return Group(members, edges, len(shared) or told, tuple(sorted(kinds)))
