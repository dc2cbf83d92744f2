"""The nodes and the true statements of the poison world, drawn from one seed."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kg.ledger import Ledger
from kg.model import Claim, ClaimBatch, Evidence, Node, RunManifest
from tests.poison.said import PLACE, SUSPECTED, Said, day
from tests.poison.twins import Statements


class Builder(Statements):
    """Draws the nodes, then every true statement with its twins."""

    def build(self) -> tuple[dict[str, str], list[Said], dict[str, str]]:
        counts = {"Company": 890, "Bank": 120, "Fund": 60, "Person": 260, "Security": 120, "Account": 380}
        scheme = {"Person": "person", "Security": "isin", "Account": "acct", "Document": "doc", "Event": "event"}
        counts |= {"Sector": 12, "Country": 20, "Document": 70, "Event": 60}
        scheme |= {"Sector": "sector", "Country": "iso"}
        self.ids = {
            label: [f"{scheme.get(label, 'lei')}:{label.lower()}{i:04d}" for i in range(count)]
            for label, count in counts.items()
        }
        for label, ids in self.ids.items():
            self.nodes |= dict.fromkeys(ids, label)
        self.firms = self.ids["Company"] + self.ids["Bank"] + self.ids["Fund"]
        self._merged()
        some = self.firms[:60] + list(self.merges)
        self._firms_and_loans(some)
        self._people_and_papers(some)
        self._planted()
        self._facts()
        self._told()
        self._computed()
        self._suspected()
        return self.nodes, self.said, self.merges

    def _merged(self) -> None:
        """Eight entities that some sources know by name only; the third commit finds out who they are."""
        for i, id in enumerate(self.ids["Company"][:8]):
            self.nodes[f"name:company {i}"] = "Company"
            self.merges[f"name:company {i}"] = id
        self.firms += list(self.merges)

    def _any(self, label: str) -> str:
        return self.random.choice(self.ids[label])

    def _money(self) -> dict[str, Any]:
        amount = Decimal(self.random.randrange(10_000, 9_000_000)) / 100
        return {"amount": amount, "currency": "USD" if self.random.random() < 0.2 else "EUR"}

    def _firms_and_loans(self, some: list[str]) -> None:
        """Loops and parallel edges come by themselves among few nodes, and a few are put in on purpose."""
        r, firms = self.random, self.firms
        for i in range(420):
            owner = r.choice(firms + self.ids["Person"]) if i % 3 else r.choice(some)
            self.put("OWNS", owner, r.choice(some if i % 2 else firms), f"class{i % 3}", {"share": r.random()})
        for i in range(560):
            lender = r.choice(self.ids["Bank"]) if i % 4 else r.choice(some)
            borrower = r.choice(some if i % 2 else self.ids["Bank"])
            self.put("LENDS_TO" if i % 4 else "EXPOSED_TO", lender, borrower, f"facility{i % 5}", self._money())
        for i in range(360):
            self.put("SUPPLIES", r.choice(firms if i % 2 else some), r.choice(some), "", self._money())
        for id in some[:3]:
            self.put("OWNS", id, id, "own", {"share": 0.05})
            self.put("LENDS_TO", id, id, "own", self._money())
        for id in self.firms[:220]:
            self.put("IN_SECTOR", id, self._any("Sector"))
            self.put("IN_COUNTRY", id, self._any("Country"))

    def _people_and_papers(self, some: list[str]) -> None:
        """Who runs and holds what, who pays whom, and what documents and models say of them."""
        r = self.random
        for i in range(260):
            self.put(
                "OFFICER_OF",
                r.choice(self.ids["Person"][:90]),
                r.choice(some),
                f"role{i % 2}",
                {"role": f"role{i % 2}"},
            )
        for id in self.ids["Security"]:
            self.put("ISSUED", r.choice(some), id)
        for i in range(260):
            holder = r.choice(self.ids["Fund"] + self.ids["Bank"])
            self.put("HOLDS", holder, self._any("Security"), f"2024-03-31 {i % 2}", self._money() | {"quantity": 5.0})
        for id in self.ids["Account"]:
            self.put("HAS_ACCOUNT", r.choice(some + self.ids["Person"][:30]), id)
        accounts = self.ids["Account"][:150]
        for i in range(420):
            self.put("PAID", r.choice(accounts), r.choice(accounts), f"pay{i}", self._money(), self._moment())
        for _ in range(420):
            self.put("MENTIONED_IN", r.choice(some), self._any("Document"), "", {"count": 3}, self._moment())
        for i in range(160):
            relation = "LENDS_TO" if i % 2 else "SUPPLIES"
            pair = (r.choice(self.ids["Bank"]), r.choice(some))
            self.put("PREDICTED", *pair, relation, {"score": round(r.random(), 6)}, extractor="model.rgcn@1")

    def _moment(self) -> datetime:
        return day(2021, self.random.randrange(900)) + timedelta(seconds=self.random.randrange(80_000))

    def _planted(self) -> None:
        """Rings of payments, insiders trading before an event, officers on both sides of a loan."""
        r = self.random
        for i in range(24):
            ring = r.sample(self.ids["Account"], 3 + i % 2)
            start = day(2021, r.randrange(700))
            for step, (a, b) in enumerate(zip(ring, ring[1:] + ring[:1], strict=True)):
                self.put(
                    "PAID",
                    a,
                    b,
                    f"ring{i}-{step}",
                    {"amount": Decimal(1000 + i), "currency": "EUR"},
                    start + timedelta(days=step),
                )
        for i, event in enumerate(self.ids["Event"]):
            firm, person, moment = (
                r.choice(self.firms[:40]),
                r.choice(self.ids["Person"][:90]),
                day(2022, r.randrange(500)),
            )
            self.put("AFFECTED_BY", firm, event, "subject", {"role": "subject"}, moment)
            if i % 2:
                self.put("AFFECTED_BY", r.choice(self.firms[:40]), event, "party", {"role": "party"}, moment)
            paper = self._any("Security")
            self.put("ISSUED", firm, paper, "insider")
            self.put("OFFICER_OF", person, firm, f"insider{i}", {"role": "insider"})
            for n in range(3):
                trade = self._money() | {"role": "SB"[n % 2], "quantity": 10.0}
                self.put("TRADED", person, paper, f"day{i}-{n}", trade, moment - timedelta(days=20 * n - 10))
        loans = [s for s in self.said if s.what == "LENDS_TO" and s.locator.endswith(" true")]
        for i, loan in enumerate(r.sample(loans, 30)):
            person = r.choice(self.ids["Person"])
            self.put("OFFICER_OF", person, loan.source, f"both{i}", {"role": "both"})
            self.put("OFFICER_OF", person, loan.target, f"both{i}", {"role": "both"})
            if i % 3 == 0:
                self.put("PREDICTED", loan.source, loan.target, "LENDS_TO", {"score": 0.99}, extractor="model.rgcn@1")

    def _facts(self) -> None:
        r = self.random
        for id in self.firms[:260]:
            for year in (2021, 2022):
                value = {"equity": Decimal(r.randrange(-500_000, 9_000_000)) / 100, "currency": "EUR"}
                self.put("equity", id, "", f"FY{year}", value, day(year, 364))
        for id in self.firms[:120]:
            self.put("distress", id, "", "rgcn", {"distress": round(r.random(), 6)}, extractor="model.rgcn@1")
            self.put("name", id, "", "", {"name": f"Firm {id[-4:]} {r.randrange(99)}"})
        for event in self.ids["Event"]:
            self.put("event_type", event, "", "", {"event_type": r.choice(["default", "bankruptcy", "lawsuit"])})

    def _told(self) -> None:
        """How documents speak of firms (days with several, some equally grave), who shares what, where events were."""
        r, people = self.random, self.ids["Person"][:30]
        for firm in [*self.ids["Company"][:2], *self.merges][:6]:
            for n in range(12):
                moment = day(2021, 40 * (n % 4)) + timedelta(hours=n)
                tone = {"sentiment": r.randrange(-10, 11) / 10}
                self.put("sentiment", firm, "", self.ids["Document"][n], tone, moment)
        for i in range(70):
            kind = ("device", "address", "account")[i % 3]
            self.put("SHARES_IDENTIFIER", *r.sample(people[: 6 + i % 25], 2), kind, {"count": 1 + i % 4})
        for event in self.ids["Event"][::2]:  # the others have no place
            for name in PLACE:
                self.put(name, event, "", "", {name: round(r.uniform(-60, 60), 4)})

    def _computed(self) -> None:
        """What runs of the engine found: losses of scenarios and their paths, ranks, figures, early warnings."""
        r, own = self.random, "risk.run@1"
        for i in range(11):
            run = f"run{i:09d}"
            id = f"doc:{run}00"
            self.nodes[id] = "Document"
            kind = "risk" if i < 7 else "figure" if i < 9 else "warning"
            name = {"risk": ("debtrank", "pagerank")[i == 6], "figure": "expected_loss", "warning": "index"}[kind]
            self.put("run", id, "", kind, {"run": name}, extractor=own)
            self.put("run_question", id, "", "", {"run_question": f'{{"n": {i}}}'}, extractor=own)
            self.put("run_commit", id, "", "", {"run_commit": i + 1}, extractor=own)
            for firm in r.sample(self.firms[:40], 12):
                for what, key, value in self._found(kind if i != 6 else "rank", run):
                    money = {"currency": "EUR"} if isinstance(value, Decimal) else {}
                    self.put(what, firm, "", key, {what: value} | money, extractor=own)
            for scenario in ("crash", "flood") if i < 6 else ():
                total = {"run_total": Decimal(r.randrange(10**6)) / 100, "currency": "EUR"}
                self.put("run_total", id, "", scenario, total, extractor=own)

    def _found(self, kind: str, run: str) -> list[tuple[str, str, Any]]:
        """Properties, keys and values that a run tells of one firm."""
        if kind != "risk":
            some = round(self.random.random(), 6)
            told = {"figure": ("figure", f"expected_loss.el|{run}"), "rank": ("rank_score", f"{run}:flood")}
            return [(*told[kind], some)] if kind in told else [("warning", run, some), ("alarm", run, 0.5)]
        names = ("contagion_loss", "equity_after", "loss_low", "loss_high")
        key = f"{run}:{self.random.choice(('crash', 'flood'))}"
        amounts: list[tuple[str, str, Any]] = [(n, key, Decimal(self.random.randrange(10**6)) / 100) for n in names]
        path = ("path_loss", f"{key}:{self.random.randrange(4)}", Decimal(self.random.randrange(10**6)) / 100)
        return [*amounts, path, *([("fails", key, 1)] if self.random.random() < 0.5 else [])]

    def _suspected(self) -> None:
        """Suspicions about true payments and about their twins, and findings of patterns with their edges."""
        r = self.random
        paid = [said for said in self.said if said.what == "PAID"][:300]
        with TemporaryDirectory() as folder:  # a ledger of its own tells what their statements will be called
            ledger = Ledger.open(Path(folder))
            own = Evidence("0" * 64, "row:1", "an account", "registers.nodes@1")
            nodes = [Claim(Node("Account", id), own, day(2019)) for id in self.ids["Account"]]
            ledger.commit(ClaimBatch.of([*nodes, *(said.claim() for said in paid)]), RunManifest("test"))
            of = {row["locator"]: row["statement"] for row in ledger.events().to_pylist()}
        for payment in paid:
            for name in SUSPECTED[:3]:
                value = {name: round(r.random(), 6)}
                self.put(name, payment.source, "", of[payment.locator], value, self._early(), extractor="model.part@1")
        for i in range(60):
            subject, key = r.choice(self.ids["Account"][:20]), f"{('cycles', 'fan_in')[i % 2]}|finding{i:03d}"
            self.put(
                "finding", subject, "", key, {"finding": r.randrange(9) / 9}, self._early(), extractor="risk.part@1"
            )
            for place in range(3 + i % 3):
                edge = f"{key}|edge{r.randrange(999):03d}"
                self.put(
                    "finding_edge",
                    subject,
                    "",
                    edge,
                    {"finding_edge": float(place)},
                    self._early(),
                    extractor="risk.part@1",
                )

    def _early(self) -> datetime:
        return day(2020, self.random.randrange(500))
