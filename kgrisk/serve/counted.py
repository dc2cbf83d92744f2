"""Counted: what the server did, in numbers that Prometheus reads.

Every application has a registry of its own. Routes are counted by their template, so that nothing anybody sends becomes
a name of a series.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kgrisk.serve.desk import Desk

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Counts:
    """The numbers of one application."""

    def __init__(self, desk: Desk) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        said = ("method", "route", "status", "role")
        self.requests = Counter("kgrisk_http_requests", "Requests answered.", said, registry=own)
        self.seconds = Histogram(
            "kgrisk_http_seconds", "Seconds to the end of an answer.", said[:2], buckets=SECONDS, registry=own
        )
        self.at_work = Gauge("kgrisk_http_in_flight", "Requests being answered.", registry=own)
        self.registry.register(_OfDesk(desk))
        ProcessCollector(registry=self.registry)


class _OfDesk:
    """What is asked of the desk when somebody looks."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def collect(self) -> Iterator[Metric]:
        desk = self.desk
        views = CounterMetricFamily("kgrisk_views", "Questions by where their view was.", labels=["found"])
        views.add_metric(["memory"], desk.hits)
        views.add_metric(["made"], desk.misses)
        yield views
        head, taken = desk.graph.ledger.head, desk.graph.synced
        yield GaugeMetricFamily("kgrisk_commit", "Last commit of the ledger.", head)
        yield GaugeMetricFamily("kgrisk_store_lag", "Commits that the store has yet to take in.", max(0, head - taken))
        jobs = GaugeMetricFamily("kgrisk_jobs", "Jobs in the run table.", labels=["state"])
        for state, count in _states(desk.graph.home / "jobs.sqlite"):
            jobs.add_metric([state], count)
        yield jobs


def _states(table: Path) -> list[tuple[str, int]]:
    """How many jobs are in each state; none where no run table is."""
    if not table.exists():
        return []
    with closing(sqlite3.connect(f"{table.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as db:
        return db.execute("SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state").fetchall()


class Counted:
    """The middleware around all others: counts and times every request."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        self.app, self.counts = app, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self.counts.at_work.inc()
        try:
            await self.app(scope, receive, noted)
        finally:
            self.counts.at_work.dec()
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = str(getattr(scope.get("route"), "path", "")) or "(none)"
            role = str(scope.get("kgrisk.role", ""))
            self.counts.requests.labels(method, route, str(status), role).inc()
            self.counts.seconds.labels(method, route).observe(time.perf_counter() - began)
