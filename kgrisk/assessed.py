"""Assessed: the part of a graph's API that computes risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kg.meter import Meter
from kgrisk import risk_paths
from kgrisk.figures import of_graph
from kgrisk.figures import publish as publish_figure
from kgrisk.opened import Instant, Opened, instant
from kgrisk.owners import Owners, owners
from kgrisk.pattern_findings import Findings
from kgrisk.pattern_findings import save as save_findings
from kgrisk.replaying import Replay, replay
from kgrisk.result import Result
from kgrisk.reversing import reverse
from kgrisk.risk import Question, Risk, assess
from kgrisk.risk import publish as publish_losses
from kgrisk.supposing import Supposition, compared
from kgrisk.supposing_many import Many, suppose_many
from kgrisk.tracing import traced
from kgrisk.uncertain import ranged, telling
from kgrisk.warning import Warnings, warnings
from kgrisk.warning import publish as publish_warnings
from queries.ownership.regimes import Regime
from queries.whatif import Scenario


class Assessed(Opened):
    """What a graph puts at risk."""

    def risk(
        self,
        measure: str | None = None,
        shock: Any = None,
        *,
        include_predicted: float | None = None,
        publish: bool = False,
        at: Instant = None,
        **more: Any,
    ) -> Risk:
        """Losses after a shock: an id that defaults, `id=0.3`, fractions by id, or `score:distress`.

        `include_predicted=0.8` adds predicted loans with at least that probability, at their expected value.
        `publish=True` puts the losses into the ledger as claims, so that queries find them. `more` is `kind` (what a
        fraction is of: equity, external or default), `types`, `currency` or `rates` of a `kgrisk.risk.Question`, or
        `draws`: the number of worlds over which each loss gets a range, as sure as the evidence of its exposures.
        """
        s = self.settings
        options: Mapping[str, Any] = {"currency": s.currency or None, "rates": s.rates or None, **more}
        asked = Question(measure or s.measure, shock or s.shock, include_predicted=include_predicted, **options)
        meter = Meter()
        with meter.stage("snapshot"):
            snapshot = self.snapshot(at)
        with meter.stage("spread"):
            found = assess(snapshot, asked)
        if asked.draws is not None:
            with meter.stage("range"):
                found = ranged(self.ledger, found, asked.draws, s.seed)
        if publish:
            with meter.stage("publish"):
                publish_losses(self.ledger, self.files, found)
        return replace(found, stages=tuple(meter.stages))

    def suppose(self, scenario: Scenario | str | Path, at: Instant = None) -> Supposition:
        """The graph as if a scenario of the library, or of a YAML file, had come true: ask its risk and queries."""
        return Supposition(self, scenario, at)

    def suppose_many(
        self, scenarios: Sequence[Scenario] | Path | str | int, measure: str | None = None, **more: Any
    ) -> Many:
        """Losses under many scenarios at once: a list, a YAML file of them, or so many drawn; each with its difference.

        `more` is `at`, `seed` and `label` of drawn ones, `block`, and what `risk` takes.
        """
        return suppose_many(self, scenarios, measure, **more)

    def compare(
        self, one: Scenario | str, other: Scenario | str, measure: str | None = None, *, at: Instant = None, **more: Any
    ) -> Result:
        """Losses of everyone under two scenarios, and the second less the first, largest difference first."""
        return compared(*(self.suppose(scenario, at).risk(measure, **more) for scenario in (one, other)))

    def reverse(
        self,
        target: str,
        measure: str | None = None,
        scenario: Scenario | str | None = None,
        *,
        at: Instant = None,
        params: Mapping[str, Any] | None = None,
    ) -> Result:
        """The smallest shock that is enough for `fails:ID`, `loss>=1e9`, `loss:ID>=1e6` or `defaults>=3`.

        How much of a scenario, or without one whose outright failure.
        """
        return reverse(self, target, measure, scenario, at, params)

    def attribution(self, risk: Risk, entity: str = "", top: int = 5, *, publish: bool = False) -> Result:
        """A loss by path in money that adds up, what each path's exposures cost, and the words behind every hop.

        `publish=True` puts the losses and the paths into the ledger, for the query `attribution_of_run`.
        """
        if publish:
            risk_paths.publish(self.ledger, self.files, risk, entity, top)
        return traced(self.ledger, risk, entity, top)

    def warnings(self, cut: date | datetime | str, *, publish: bool = False, **options: Any) -> Warnings:
        """Early warning learned before a cut, tested after it: `every`, `horizon` (days), `false_alarms`, `until`.

        `publish=True` puts the alerts into the ledger, for the query `warnings_of`.
        """
        found = warnings(self, cut, **options)
        if publish:
            publish_warnings(self.ledger, self.files, found)
        return found

    def replay(self, what: str, at: Instant = None) -> Replay:
        """Ask for a past score, claim or run again on the commit it was made from: is it the same to the bit?"""
        return replay(self, what, instant(at))

    def telling(self, risk: Risk, entity: str = "") -> Result:
        """Documents without which a loss (of an entity, or the total) would move most, with one quote of each."""
        return telling(self.ledger, risk, entity)

    def figure(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        at: Instant = None,
        *,
        publish: bool = False,
        **asked: Any,
    ) -> Result:
        """A risk figure of the graph's own rows at an instant, such as `expected_loss` of a bank's loans.

        `params` are the figure's own, `asked` says which rows are meant: `holder`, `securities`, `market`, `lgd`,
        `currency` and the rest of `queries.figure_rows.Asked`. `publish=True` puts the numbers into the ledger.
        """
        found = of_graph(self.snapshot(at), name, params, asked)
        if publish:
            publish_figure(self.ledger, self.files, found)
        return found.result

    def pattern(self, name: str, at: Instant = None, *, save: bool = False, **params: Any) -> Result:
        """Findings of a pattern of laundering or fraud, worst first: `graph.pattern("cycles", days=5)`.

        `save=True` puts them into the ledger in the place of what the same question (pattern, parameters, clocks asked
        for) found there before.
        """
        found = Findings.of(self.snapshot(at), name, params, instant(at))
        if not save:
            return found.result
        commit, run = save_findings(found, self.ledger, self.files)
        told = f"saved as run {run[:12]}, which stands in commit {commit}"
        return replace(found.result, remarks=(*found.result.remarks, told))

    def owners(self, id: str, regime: Regime = "ofac", at: Instant = None, listed: Sequence[str] = ()) -> Owners:
        """Who owns and controls an entity, and whether sanctions reach it by a regime's rules at that instant."""
        moment = instant(at)
        return owners(self.snapshot(moment), id, regime, moment.valid.date() if moment.valid else None, listed)
