"""The distress process: ratios, signals in text and image, and the yearly draw of events with its true probability."""

from __future__ import annotations

import math
from datetime import date, timedelta

from kgrisk.sample.network import YEARS, Distress, World, base_links, groups, year_links
from kgrisk.sample.world import BANKS, FUNDS, Firm, make_firms, stream

HAZARD = {
    "intercept": -3.9,
    "leverage": 1.5,
    "liquidity": -1.1,
    "neighbour": 1.8,
    "negative": 2.6,
    "positive": -0.6,
    "stamp": 2.6,
    "noise": 0.4,
    "bank": -1.5,
}
"""Coefficients of the yearly distress logit; README.md explains them."""
PAGES_A_YEAR = {2021: 13, 2022: 13}
"""How many firms get a page image in the second half of the year."""


def draw_ratios(world: World) -> None:
    """Balance-sheet ratios of the financial years 2018-2022: a firm's own level plus a slow random walk."""
    rng = stream("ratios")
    for firm in world.firms:
        bank, fund = firm.label == "Bank", firm.label == "Fund"
        lev, liq = rng.gauss(0, 0.85), rng.gauss(0, 0.85)
        margin, turnover, assets = rng.gauss(0.05, 0.04), rng.uniform(0.5, 1.6), 10**firm.size
        for year in range(2018, 2023):
            lev, liq = 0.93 * lev + rng.gauss(0, 0.36), 0.93 * liq + rng.gauss(0, 0.36)
            assets *= 1 + rng.gauss(0.03, 0.05)
            world.ratios[firm.n, year] = {
                "zlev": lev,
                "zliq": liq,
                "leverage": 0.07
                if fund
                else min(0.985, 0.935 + 0.012 * lev)
                if bank
                else min(1.15, max(0.12, 0.6 + 0.13 * lev)),
                "liquidity": min(0.4, 0.07 * math.exp(0.6 * liq)),
                "margin": margin - 0.02 * lev + rng.gauss(0, 0.015),
                "turnover": 0.03 if bank or fund else turnover,
                "assets": assets,
            }


def draw_signals(world: World) -> None:
    """Tone of the news and style of the page images, second half of each year; both lead distress by a year."""
    rng = stream("signals")
    companies = world.firms[BANKS + FUNDS :]
    for year in YEARS:
        for firm in companies:
            bad = 0.11 + 0.08 * (world.ratios[firm.n, min(year, 2022)]["zlev"] > 0.8)
            draw = rng.random()
            firm.tone[year] = -1 if draw < bad else 1 if draw > 0.82 else 0
        for k, firm in enumerate(
            rng.sample([f for f in companies if f.born < date(2020, 1, 1)], PAGES_A_YEAR.get(year, 0))
        ):
            firm.stamp[year] = k % 2


def neighbour_stress(world: World, n: int, year: int) -> float:
    """Trouble around the firm in the year before: customers owe it, parents support it, suppliers feed it."""
    hit = {d.firm for d in world.distress if d.day.year == year - 1}
    customers = len(hit & world.customers.get(n, set()))
    suppliers = len(hit & world.suppliers.get(n, set()))
    return min(2.0, 1.0 * customers + 0.6 * suppliers + 0.8 * len(hit & world.parents.get(n, set())))


def logit(world: World, firm: Firm, year: int) -> float:
    """What can be known on 1 January: balance sheet published last year, neighbours, tone and stamp of last year."""
    ratios = world.ratios[firm.n, max(2018, year - 2)]
    tone, h = firm.tone.get(year - 1, 0), HAZARD
    value = h["intercept"] + h["leverage"] * ratios["zlev"] + h["liquidity"] * ratios["zliq"]
    value += h["neighbour"] * neighbour_stress(world, firm.n, year) + h["stamp"] * firm.stamp.get(year - 1, 0)
    value += h["negative"] * (tone < 0) + h["positive"] * (tone > 0)
    return value + h["bank"] * (firm.label == "Bank")


def draw_year(world: World, year: int) -> None:
    """One Bernoulli draw per firm at risk; a firm rests the year after an event, and a bankrupt one is gone."""
    rng = stream(f"distress {year}")
    resting = {d.firm for d in world.distress if d.day.year >= year - 1}
    for firm in world.firms:
        noise, draw, moment, what = rng.gauss(0, HAZARD["noise"]), rng.random(), rng.randrange(12, 340), rng.random()
        if firm.label == "Fund" or firm.gone or firm.n in resting or firm.born.year >= max(year, 2020):
            continue
        p = 1 / (1 + math.exp(-logit(world, firm, year) - noise))
        world.hazard[firm.n, year] = p
        if draw < p:
            event = (
                "distress"
                if firm.label == "Bank"
                else "default"
                if what < 0.5
                else "bankruptcy"
                if what < 0.75
                else "distress"
            )
            day = date(year, 1, 1) + timedelta(days=moment)
            world.distress.append(Distress(firm.n, day, event))
            if event == "bankruptcy":
                firm.gone = day
    world.distress.sort(key=lambda d: (d.day, d.firm))


def make_world() -> World:
    """Build the truth from the seed."""
    world, rng = World(make_firms()), stream("network")
    world.popularity = [rng.gauss(0, 0.4) for _ in world.firms]
    draw_ratios(world)
    draw_signals(world)
    groups(world, rng)
    base_links(world, rng)
    for year in YEARS:
        draw_year(world, year)
        year_links(world, year, rng)
    world.links.sort(key=lambda k: (k.published, k.type, k.source, k.target))
    return world
