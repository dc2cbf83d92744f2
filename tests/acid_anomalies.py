"""The anomalies of LDBC's ACID test as steps between clients of a database; each tells whether it was seen.

Waudby et al.: Towards Testing ACID Compliance in the LDBC Social Network Benchmark (TPCTC 2020); names after Adya.
Two accounts, (:A {id: 1}) and (:B {id: 1}), begin with a balance of 0.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.acid_clients import Client

Anomaly = Callable[[Callable[[], Client]], bool]


def put(client: Client, label: str, balance: int) -> None:
    client.run(f"MATCH (n:{label} {{id: 1}}) SET n.balance = $balance RETURN 1", balance=balance)


def get(client: Client, label: str) -> int:
    return int(client.run(f"MATCH (n:{label} {{id: 1}}) RETURN n.balance")[0][0])


def both(client: Callable[[], Client]) -> tuple[int, int]:
    """The balances as somebody sees them who comes afterwards."""
    one = client()
    one.begin()
    found = get(one, "A"), get(one, "B")
    one.rollback()
    return found


def atomicity_of_commits(client: Callable[[], Client]) -> bool:
    one = client()
    one.begin()
    put(one, "A", 1)
    one.run("CREATE (n:C {id: 1, balance: 5})")
    put(one, "B", 1)
    assert one.commit()
    other = client()
    other.begin()
    return (both(client), other.run("MATCH (n:C) RETURN count(n)")) != ((1, 1), [[1]])


def atomicity_of_rollbacks(client: Callable[[], Client]) -> bool:
    one = client()
    one.begin()
    put(one, "A", 1)
    one.run("CREATE (n:C {id: 1, balance: 5})")
    one.rollback()
    other = client()
    other.begin()
    return (both(client), other.run("MATCH (n:C) RETURN count(n)")) != ((0, 0), [[0]])


def dirty_write(client: Callable[[], Client]) -> bool:
    """G0: both write A then B; afterwards both accounts must be one writer's."""
    one, two = client(), client()
    one.begin()
    two.begin()
    put(one, "A", 1)
    two.start("MATCH (n:A {id: 1}) SET n.balance = 2 RETURN 1")
    put(one, "B", 1)
    first = one.commit()
    put(two, "B", 2)
    second = two.commit()
    assert first or second
    return both(client) not in ({(1, 1)} if first else set()) | ({(2, 2)} if second else set())


def aborted_read(client: Callable[[], Client]) -> bool:
    """G1a: what was rolled back is read."""
    one, two = client(), client()
    one.begin()
    two.begin()
    put(one, "A", 1)
    seen = get(two, "A")
    one.rollback()
    return (seen, get(two, "A")) != (0, 0)


def intermediate_read(client: Callable[[], Client]) -> bool:
    """G1b: what a transaction wrote, and wrote over later, is read."""
    one, two = client(), client()
    one.begin()
    two.begin()
    put(one, "A", 1)
    seen = get(two, "A")
    put(one, "A", 2)
    assert one.commit()
    return 1 in (seen, get(two, "A"))


def circular_flow(client: Callable[[], Client]) -> bool:
    """G1c: each of two transactions reads what the other wrote."""
    one, two = client(), client()
    one.begin()
    two.begin()
    put(one, "A", 1)
    put(two, "B", 2)
    seen = get(one, "B"), get(two, "A")
    one.commit()
    two.commit()
    return seen == (2, 1)


def vanishing_transaction(client: Callable[[], Client]) -> bool:
    """OTV: who has read a transaction's write to B reads what was before it in A."""
    one, two, reader = client(), client(), client()
    one.begin()
    put(one, "A", 1)
    put(one, "B", 1)
    assert one.commit()
    two.begin()
    reader.begin()
    put(two, "A", 2)
    early = get(reader, "A")
    put(two, "B", 2)
    assert two.commit()
    late = get(reader, "B"), get(reader, "A")
    return early != 1 or late not in ((1, 1), (2, 2))


def fractured_read(client: Callable[[], Client]) -> bool:
    """FR: A is read as it was before a transaction that wrote both, B as it is after it."""
    reader, writer = client(), client()
    reader.begin()
    before = get(reader, "A")
    writer.begin()
    put(writer, "A", 1)
    put(writer, "B", 1)
    assert writer.commit()
    return (before, get(reader, "B")) == (0, 1)


def item_of_many_preceders(client: Callable[[], Client]) -> bool:
    """IMP: one transaction reads one account twice, and finds two balances."""
    reader, writer = client(), client()
    reader.begin()
    before = get(reader, "A")
    writer.begin()
    put(writer, "A", 1)
    assert writer.commit()
    return before != get(reader, "A")


def predicate_of_many_preceders(client: Callable[[], Client]) -> bool:
    """PMP: one transaction counts what a condition finds twice, and an account has come."""
    reader, writer = client(), client()
    text = "MATCH (n:A) WHERE n.balance >= 0 RETURN count(n)"
    reader.begin()
    before = reader.run(text)
    writer.begin()
    writer.run("CREATE (n:A {id: 2, balance: 7})")
    assert writer.commit()
    return before != reader.run(text)


def lost_update(client: Callable[[], Client]) -> bool:
    """LU: two read a balance, each adds one to what it read; both are taken, and one is gone."""
    one, two = client(), client()
    one.begin()
    two.begin()
    read = get(one, "A"), get(two, "A")
    put(one, "A", read[0] + 1)
    assert one.commit()
    two.start("MATCH (n:A {id: 1}) SET n.balance = $balance RETURN 1", balance=read[1] + 1)
    taken = 1 + two.commit()
    return both(client)[0] != taken


def write_skew(client: Callable[[], Client]) -> bool:
    """WS: A + B may not pass 1; both read both, each adds one to another of them, both are taken."""
    one, two = client(), client()
    one.begin()
    two.begin()
    sums = [get(one, "A") + get(one, "B"), get(two, "A") + get(two, "B")]
    assert sums == [0, 0]
    put(one, "A", 1)
    put(two, "B", 1)
    one.commit()
    two.commit()
    return sum(both(client)) > 1


ANOMALIES: tuple[Anomaly, ...] = (
    atomicity_of_commits,
    atomicity_of_rollbacks,
    dirty_write,
    aborted_read,
    intermediate_read,
    circular_flow,
    vanishing_transaction,
    fractured_read,
    item_of_many_preceders,
    predicate_of_many_preceders,
    lost_update,
    write_skew,
)
_READ_COMMITTED = {
    fractured_read,
    item_of_many_preceders,
    predicate_of_many_preceders,
    lost_update,
    write_skew,
}
ALLOWED = {"neo4j": _READ_COMMITTED, "arcadedb": _READ_COMMITTED}
"""What each database lets happen at the isolation it gives by default, which is read committed in both: the next
statement of a reader sees what was committed meanwhile, and a write that was reckoned from an older reading is taken.
No write or question of ours rests on more than that: tests/test_store_acid.py."""
