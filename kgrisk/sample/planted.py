"""What was planted beside the single records: groups, the ring, supply chains, and the coefficients of the signals."""

from __future__ import annotations

from typing import Any

from kgrisk.sample.distress import HAZARD
from kgrisk.sample.network import CUT, World

SIGNALS = (
    "Distress in year Y is one Bernoulli draw per firm at risk with the logit of planted.hazard_coefficients: "
    "leverage and liquidity (z-scores) of the balance sheet published in Y-1, distress in Y-1 of customers, suppliers "
    "and owners (neighbour), tone of the news in the second half of Y-1 (negative, positive), an overdue stamp on a "
    "page image of Y-1 (stamp), and noise."
)


def ownership_chains(world: World) -> list[list[str]]:
    """Majority chains of three or more firms, from the ultimate owner down."""
    child: dict[int, list[int]] = {}
    owned = set()
    for k in world.links:
        if k.type == "OWNS" and k.share > 0.5 and k.carrier == "register":
            child.setdefault(k.source, []).append(k.target)
            owned.add(k.target)
    chains: list[list[int]] = []

    def walk(path: list[int]) -> None:
        below = child.get(path[-1], [])
        for n in below:
            walk([*path, n])
        if not below and len(path) >= 3:
            chains.append(path)

    for top in sorted(set(child) - owned):
        walk([top])
    return [[world.firms[n].id for n in chain] for chain in chains]


def ring(world: World) -> list[str]:
    """The three firms that hold shares in one another in a circle."""
    firms = [
        k.source for k in world.links if k.type == "OWNS" and k.start.year == 2015 and k.share in (0.31, 0.42, 0.36)
    ]
    return [world.firms[n].id for n in sorted(firms)]


def supply_chains(world: World) -> list[list[str]]:
    """Some supply chains over three steps."""
    found = []
    for k in world.links:
        if k.type != "SUPPLIES" or k.carrier != "register":
            continue
        for middle in sorted(world.customers.get(k.target, ())):
            for last in sorted(world.customers.get(middle, ())):
                if len({k.source, k.target, middle, last}) == 4:
                    found.append([world.firms[n].id for n in (k.source, k.target, middle, last)])
    return found[:: max(1, len(found) // 12)][:12]


def oracle(world: World) -> dict[str, dict[str, float]]:
    """Mean reciprocal rank of the true source of the new links by the planted score without its noise."""
    found: dict[str, dict[str, float]] = {}
    for kind in ("LENDS_TO", "SUPPLIES"):
        ranks = [k.rank for k in world.links if k.type == kind and k.rank and k.published >= CUT]
        found[kind] = {"source_mrr": round(sum(1 / r for r in ranks) / len(ranks), 4), "triples": len(ranks)}
    return found


def planted(world: World) -> dict[str, Any]:
    """Structures and signals by name."""
    similar = [[world.firms[a].name, world.firms[b].name] for a, b in ((40, 41), (42, 43))]
    return {
        "signals": SIGNALS,
        "hazard_coefficients": HAZARD,
        "ownership_chains": ownership_chains(world),
        "ownership_ring": ring(world),
        "supply_chains": supply_chains(world),
        "similar_names": similar,
        "oracle": oracle(world),
    }
