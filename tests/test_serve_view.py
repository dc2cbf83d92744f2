"""A view gives the rows of its snapshot, however the tables lie in memory, and keeps no more than there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from kg.ledger import Ledger
from kgrisk.serve.view import View


def test_edges_are_taken_out_of_a_table_in_pieces_as_out_of_a_whole_one(ring: Ledger) -> None:
    snapshot = ring.view()
    edges, count = snapshot.edges, snapshot.edges.num_rows
    pieces = pa.concat_tables([edges.slice(0, 5), edges.slice(5, 0), edges.slice(5, 1), edges.slice(6)])
    view = View(replace(snapshot, edges=pieces))
    assert pieces["id"].num_chunks > 2 and count > 8
    for places in ([], [0], [4, 5, 6], [1, 7, count - 1], list(range(count))):
        assert view.edge_rows(np.array(places, int)) == edges.take(pa.array(places, pa.int64())).to_pylist()
    assert [view.edge_row(row)["id"] for row in range(count)] == edges["id"].to_pylist()


def test_scores_that_nobody_has_are_not_kept(ring: Ledger) -> None:
    view = View(ring.view())
    for name in ("no_such_score", "another", "equity"):
        assert view.score(name) == view.score(name) and len(view.ranking(name)) == len(view.score(name))
    assert set(view._scores) == set(view._rankings) <= {"equity"}
