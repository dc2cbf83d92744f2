"""Neo4j with 100 thousand loans: filled, kept up and asked."""

from benchmarks.figure import Figure
from benchmarks.storing import neo4j, whole


def measure() -> list[Figure]:
    return whole(neo4j, (20_000, 100_000))  # banks and loans
