"""The bundled sample with an annual report of every company and bank of its world, by the sample's own generator.

The sample has the reports of six companies for two years. Here every firm but the funds files one for each of four
financial years, as long as it is registered and not bankrupt, and every tenth amends one. Firms without a CIK are given
one, which the register of entities lists. Registers leave out the balance sheets that companies file themselves, as
those of the sample do; banks stay in both, since no filing tells what they hold outside the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final

from kgrisk.sample.articles import Newsroom, write_articles
from kgrisk.sample.distress import make_world
from kgrisk.sample.filings import print_filings
from kgrisk.sample.idents import cik
from kgrisk.sample.make import make
from kgrisk.sample.network import World
from kgrisk.sample.registers import figures_of, lending, print_registers
from kgrisk.sample.reports import Files, annual_report, sidecar
from kgrisk.sample.reports import skipped as of_the_sample
from kgrisk.sample.world import Firm, stream

YEARS: Final = (2019, 2020, 2021, 2022)
"""Financial years that are filed; each report has the figures of the year before beside its own."""
AMENDED: Final = 10
"""Of so many companies one amends its report of 2020."""
LATER: Final = timedelta(days=170)
Figures = dict[int, list[float]]
"""Assets, liabilities, equity, cash, revenue and income of a firm by year, in euro."""
Covered = set[tuple[int, int]]
"""Numbers of firms and the years of which they file balance sheets."""


def write(folder: Path, firms: int | None = None, kinds: tuple[str, ...] = ()) -> int:
    """Write the files below a folder and return the number of filings.

    `firms`: so many companies and banks file, all by default; `kinds`: names of folders of the sample, such as
    `filings`, all by default.
    """
    files = sample(firms)
    for path, content in files.items():
        if not kinds or path.partition("/")[0] in kinds:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return sum(path.startswith("filings/") and not path.endswith(".meta.json") for path in files)


def sample(firms: int | None = None) -> Files:
    """Every file of the sample by its path, its truth left out, with the reports that so many firms file."""
    files, world = make(), make_world()
    del files["truth.json"]
    write_articles(Newsroom(world))  # which adds the loans that only articles tell
    own, covered = print_filings(world)[0], of_the_sample(world)
    filers = [firm for label in ("Company", "Bank") for firm in world.firms if firm.label == label]
    numbered(world)
    made, told = reports(world, filers[:firms])
    registers = print_registers(world, covered | told, [])
    return files | registers | made | own


def numbered(world: World) -> None:
    """Give a CIK to every firm that has none."""
    rng, taken = stream("every cik"), {firm.cik for firm in world.firms}
    for firm in world.firms:
        while not firm.cik:
            number = cik(rng)
            firm.cik = "" if number in taken else number
        taken.add(firm.cik)


def reports(world: World, filers: list[Firm]) -> tuple[Files, Covered]:
    """The reports of firms by path, and the years of companies that they cover."""
    rng, lent, files, covered = stream("every report"), lending(world), Files(), Covered()
    for firm in filers:
        figures = {year: figures_of(world, firm, year, lent)[:6] for year in (YEARS[0] - 1, *YEARS)}
        for year, day in filed(firm, rng):
            files |= report(firm, year, day, figures, rng)
            if firm.label != "Company":
                continue
            covered.add((firm.n, year))
            if year == 2020 and not firm.n % AMENDED and firm.alive(day + LATER):
                note = lowered(figures[year])
                files |= report(firm, year, day + LATER, figures, rng, note)
    return files, covered


def filed(firm: Firm, rng: Random) -> Iterator[tuple[int, date]]:
    """The years that a firm reports on and the day of each report, as its balance sheet would be published."""
    for year in YEARS:
        day = max(firm.born, date(year + 1, 2, 20) + timedelta(days=rng.randrange(60)))
        if firm.born.year <= year + 1 and firm.alive(day):
            yield year, day


def lowered(figures: list[float]) -> str:
    """Lower assets, equity and income by the same amount; what the amendment says of it."""
    less = round(figures[0] * 0.07, -4)
    for place in (0, 2, 5):
        figures[place] -= less
    return f"This amendment lowers total assets by {less / 1e3:,.0f} thousand euro: inventories had been counted twice."


def report(firm: Firm, year: int, day: date, figures: Figures, rng: Random, note: str = "") -> Files:
    """A 10-K with its sidecar, or a 10-K/A where a note says what is amended."""
    form, stem = ("10-K/A", f"{year}a") if note else ("10-K", f"{year}")
    path = f"filings/10k-{firm.cik}-{stem}"
    return {
        f"{path}.html": annual_report(firm, year, figures[year], figures[year - 1], rng, note),
        f"{path}.meta.json": sidecar(firm.cik, form, date(year, 12, 31), day, firm.name),
    }
