"""A tiny FinBench world written by hand: window ends, ties, circles, parallel edges, a chain of eleven."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from tests.finbench_tables import BEGIN, Account, Link, Loan, Medium, Move, Party, Tables


def hour(n: int) -> datetime:
    return BEGIN + timedelta(hours=n)


def at(n: int) -> str:
    return hour(n).isoformat()


def a(name: str) -> str:
    return f"acct:tiny-{name}"


def p(name: str) -> str:
    return f"person:tiny-{name}"


def d(name: str) -> str:
    return f"device:tiny-{name}"


class Tiny:
    """Tables written by hand; whoever is named exists."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.known: set[str] = set()

    def account(self, name: str, blocked: bool = False, type: str = "checking") -> str:
        if name not in self.known:
            self.known.add(name)
            self.tables.accounts.append(Account(a(name), type, BEGIN, blocked))
        return a(name)

    def party(self, id: str) -> str:
        if id not in self.known:
            self.known.add(id)
            self.tables.parties.append(Party(id, "Person" if id.startswith("person:") else "Company", id, BEGIN, False))
        return id

    def pay(self, route: str, amount: str, n: int, kind: str = "transfer", currency: str = "EUR") -> None:
        """`pay("x y", "10", 3)`: x pays y 10 in the third hour."""
        source, target = (self.account(name) for name in route.split())
        key = f"tiny-{len(self.tables.moves):03d}"
        self.tables.moves.append(Move(kind, key, source, target, Decimal(amount), currency, hour(n)))

    def link(self, kind: str, source: str, target: str, n: int = 0) -> None:
        key = f"tiny-{kind}-{len(self.tables.links):03d}"
        self.tables.links.append(Link(kind, key, source, target, hour(n), 0.5))

    def loan(self, name: str, amount: str, balance: str = "0", currency: str = "EUR") -> None:
        self.known.add(name)
        self.tables.loans.append(Loan(a(name), Decimal(amount), Decimal(balance), currency, BEGIN))

    def device(self, name: str, blocked: bool) -> None:
        self.tables.media.append(Medium(d(name), "phone", BEGIN, blocked))


def tiny() -> Tables:
    t = Tiny()
    for part in (_devices, _feeding, _paths, _circles, _traces, _pooling, _passing, _loans, _guarantees, _simple):
        part(t)
    return t.tables


def _devices(t: Tiny) -> None:
    """b1 > b2 > b3 > b4 > b5 in ascending hours; b2 > b6 at the instant b2 was paid."""
    for n, route in enumerate(("b1 b2", "b2 b3", "b3 b4", "b4 b5"), 10):
        t.pay(route, "10", n)
    t.pay("b2 b6", "10", 10)
    t.pay("b1 b3", "10", 30)
    t.device("bad", True)
    t.device("good", False)
    for name in ("b3", "b4", "b5", "b6"):
        t.link("sign_in", d("bad"), a(name), 20)
    t.link("sign_in", d("bad"), a("b3"), 21)
    t.link("sign_in", d("good"), a("b2"), 20)


def _feeding(t: Tiny) -> None:
    """Loan f-l1 (twice) and f-l2 reach f1, which pays f2 then f3 (the person's); f4 pays too late upstream."""
    t.loan("f-l1", "500", "100")
    t.loan("f-l2", "300.50", "50.25")
    t.loan("f-l3", "9", "9", "USD")
    for loan in ("f-l1", "f-l1", "f-l2", "f-l3"):
        t.pay(f"{loan} f1", "50", 5, "deposit")
    t.pay("f1 f2", "20", 10)
    t.pay("f2 f3", "20", 12)
    t.pay("f4 f2", "20", 12)
    t.pay("f-l2 f4", "20", 6, "deposit")
    t.link("own", t.party(p("f")), a("f3"))


def _paths(t: Tiny) -> None:
    """s1 > s2 > s3, hours descending (order does not matter); a chain of eleven from c0 to c11."""
    t.pay("s1 s2", "5", 50)
    t.pay("s2 s3", "5", 40)
    t.pay("s3 s1", "5", 45, "withdraw")
    for n in range(11):
        t.pay(f"c{n} c{n + 1}", "1", 10)


def _circles(t: Tiny) -> None:
    """y1 pays y2; y3 and y4 tie, y5 only receives; y2 pays itself."""
    t.pay("y1 y2", "1", 10)
    for other in ("y4", "y3"):
        t.pay(f"y2 {other}", "10", 11)
        t.pay(f"y2 {other}", "15", 11)
        t.pay(f"{other} y1", "7.50", 9)
    t.pay("y2 y5", "10", 11)
    t.pay("y2 y2", "10", 11)


def _traces(t: Tiny) -> None:
    """t1 > t2 twice (one path), t2 > t1 (a circle), t2 > t3 and t2 > t4 at later hours; t1 > t5 for more money."""
    t.link("own", t.party(p("t")), t.account("t1"))
    t.pay("t1 t2", "1", 10)
    t.pay("t1 t2", "2", 11)
    t.pay("t2 t1", "3", 12)
    t.pay("t2 t3", "4", 13)
    t.pay("t3 t4", "4", 13)
    t.pay("t1 t5", "9", 20)


def _pooling(t: Tiny) -> None:
    """w1 gets four over 10 (and one of exactly 10), w2 only three and one of its own; both withdraw to the card."""
    t.account("card", type="card")
    for n, amount in enumerate(("11", "12", "13", "14", "10")):
        t.pay(f"w{n + 3} w1", amount, 10 + n)
        if n < 3:
            t.pay(f"w{n + 3} w2", amount, 10 + n)
    t.pay("w2 w2", "50", 20)
    t.pay("w1 card", "30", 30, "withdraw")
    t.pay("w1 card", "5", 31, "withdraw")
    t.pay("w2 card", "30", 30, "withdraw")


def _passing(t: Tiny) -> None:
    """q gets 20 + 30 from two and 1 in USD; sends 16 twice to one account: 50 over 32 is 1.5625."""
    t.pay("q1 q", "20", 10)
    t.pay("q2 q", "30", 11)
    t.pay("q2 q", "1", 11, currency="USD")
    t.pay("q q3", "16", 12)
    t.pay("q q3", "16", 12)


def _loans(t: Tiny) -> None:
    """Loan l of 1000 goes to l1; l1 > l2 (60 %) > l3 (90 % of it, withdrawn) and a crumb to l4; back to l1 too."""
    t.loan("l", "1000", "400")
    t.pay("l l1", "1000", 10, "deposit")
    t.pay("l1 l2", "600", 11)
    t.pay("l1 l4", "299", 11)
    t.pay("l2 l3", "540", 12, "withdraw")
    t.pay("l2 l1", "200", 12)
    t.pay("l1 l", "800", 20, "repay")
    t.pay("l5 l1", "450.25", 15)


def _guarantees(t: Tiny) -> None:
    """g1 answers for g2, g2 for g3, g3 for g1 (a ring); g1 for g4 later. g2 and g4 borrowed, g1 too."""
    one, two, three, four = (t.party(p(f"g{n}")) for n in (1, 2, 3, 4))
    for source, target, n in ((one, two, 10), (two, three, 11), (three, one, 12), (one, four, 20)):
        t.link("guarantee", source, target, n)
    for name, who, amount in (("g-l1", one, "7"), ("g-l2", two, "100"), ("g-l4", four, "1000")):
        t.loan(name, amount)
        t.link("apply", who, a(name), 0)
    firms = [t.party(f"reg:tiny-{name}") for name in "uvw"]
    for who, owned in ((one, firms[:2]), (two, firms[1:])):
        for n, firm in enumerate(owned):
            t.link("invest", who, firm, 10 + n)
    t.link("invest", two, firms[1], 11)


def _simple(t: Tiny) -> None:
    """z is paid by z1 (blocked, 10 and 30) and z2 (20); z1 pays z3 (blocked) and z4; a firm owns z3."""
    t.account("z", type="savings")
    t.account("z1", blocked=True)
    t.account("z3", blocked=True)
    for route, amount, n in (("z1 z", "10", 10), ("z1 z", "30", 11), ("z2 z", "20", 12), ("z z1", "5", 13)):
        t.pay(route, amount, n)
    t.pay("z1 z3", "8", 14)
    t.pay("z1 z4", "8", 14)
    t.pay("z1 z3", "2", 15)
    t.link("own", p("g1"), a("z1"))
    t.link("own", "reg:tiny-u", a("z3"))
