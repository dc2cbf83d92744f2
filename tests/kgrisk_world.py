"""A folder of five small registers: three firms, two banks, loans between them, one bad row."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from pytest import MonkeyPatch

from kgrisk.cli import main

BIG, SMALL, FIRM = "lei:9KGR00R7ZH626RFHJZ38", "lei:9KGR00IPX8F6SRGZ3673", "lei:9KGR002IECGPTX3QCU92"
ENTITIES = """id,label,name,former_name,country,sector,ticker,isin,lei,cik,published,description
lei:9KGR00R7ZH626RFHJZ38,Bank,Big Bank AG,,DE,banking,,,9KGR00R7ZH626RFHJZ38,,2020-01-07,A bank.
lei:9KGR00IPX8F6SRGZ3673,Bank,Small Bank plc,,GB,banking,,,9KGR00IPX8F6SRGZ3673,,2020-01-07,Another bank.
lei:9KGR002IECGPTX3QCU92,Company,Steel Works SA,,FR,steel,,,9KGR002IECGPTX3QCU92,,2020-01-07,A steel maker.
"""
EXPOSURES = """creditor_id,debtor_id,facility,amount,currency,valid_from,valid_to,published
lei:9KGR00R7ZH626RFHJZ38,lei:9KGR002IECGPTX3QCU92,term loan,40.00,EUR,2020-01-01,,2020-02-01
lei:9KGR00IPX8F6SRGZ3673,lei:9KGR00R7ZH626RFHJZ38,deposit,100.00,EUR,2020-01-01,,2020-02-01
"""
BAD = "lei:9KGR00IPX8F6SRGZ3673,lei:9KGR00R7ZH626RFHJZ38,deposit 2,about ten,EUR,2020-01-01,,2020-02-01\n"
BALANCES = """entity_id,period_end,assets,liabilities,equity,cash,revenue,net_income,external_assets,currency,published
lei:9KGR00R7ZH626RFHJZ38,2019-12-31,160.00,140.00,20.00,5.00,9.00,1.00,120.00,EUR,2020-02-20
lei:9KGR00IPX8F6SRGZ3673,2019-12-31,150.00,110.00,40.00,5.00,9.00,1.00,50.00,EUR,2020-02-20
lei:9KGR002IECGPTX3QCU92,2019-12-31,90.00,60.00,30.00,5.00,50.00,3.00,90.00,EUR,2020-02-20
"""


def write_registers(folder: Path, bad: bool = False) -> Path:
    """The registers below a folder."""
    registers = folder / "registers"
    registers.mkdir(parents=True)
    (registers / "entities.csv").write_text(ENTITIES)
    (registers / "exposures.csv").write_text(EXPOSURES + (BAD if bad else ""))
    (registers / "balances.csv").write_text(BALANCES)
    return folder


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without settings of ours, plus some."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("KGRISK_", "NEO4J_"))}
    return own | {"NO_COLOR": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[1])} | more


def kgrisk(*args: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "kgrisk.cli", *map(str, args)]
    return subprocess.run(command, cwd=cwd, env=clean_environment(**more), capture_output=True, text=True, timeout=1800)


def kgrisk_here(*args: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, which saves the seconds that imports take."""
    command = ["kgrisk", *map(str, args)]
    out, err, code = StringIO(), StringIO(), 0
    with MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in [name for name in os.environ if name.startswith(("KGRISK_", "NEO4J_"))]:
            patch.delenv(name)
        for name, value in more.items():
            patch.setenv(name, value)
        patch.chdir(cwd)
        patch.setattr(sys, "argv", command)
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())


@contextmanager
def served(*args: str | Path, cwd: Path, **more: str) -> Iterator[str]:
    """The address at which a `kgrisk serve` in a process of its own answers, at a free port, until the block ends."""
    command = [sys.executable, "-m", "kgrisk.cli", *map(str, args), "--port", "0"]
    environment = clean_environment(**more)
    with subprocess.Popen(command, cwd=cwd, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            said = server.stderr.readline()
            while "serving" not in said:
                assert said, "the server ended without a word"
                said = server.stderr.readline()
            yield re.findall(r"http://[^\s/]+:\d+", said)[0]
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(60) in (0, 130, -signal.SIGINT)
