"""A training run that is killed goes on to the same weights, and a rank that is lost is told of and not waited for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from gnn.checkpoint import FACTS, load_tensors
from gnn.distributed import team
from gnn.ranks import together
from gnn.train import Fit
from kg.errors import LostRankError
from tests.teams import fitted, in_two, killed_in_epoch
from tests.test_gnn_distributed import LOOSE, apart

pytestmark = [pytest.mark.slow, pytest.mark.faults]
ROOT = Path(__file__).parents[1]
KILLED = """
import sys
from pathlib import Path
from tests.teams import killed_in_epoch
killed_in_epoch("links", Path(sys.argv[1]), {epoch}, {step})
"""
TORCHRUN = """
import sys
from pathlib import Path
from gnn.checkpoint import save_tensors
from gnn.distributed import joined, team
from tests.teams import fitted, killed_in_epoch

if __name__ == "__main__":
    with joined(seconds=200.0):
        state = Path(sys.argv[1])
        if sys.argv[2] == "kill" and not team().first:
            killed_in_epoch("links", state, 3, 2)
        run, weights = fitted("links", False, state)
        if team().first:
            save_tensors(state.with_name("done"), weights, {"best": run.best})
"""


@pytest.fixture(scope="module")
def straight() -> tuple[Fit, dict[str, Tensor]]:
    """The undisturbed run of one process."""
    return fitted("links", False)


def test_a_run_of_one_process_that_is_killed_within_an_epoch_ends_with_the_same_bits(
    straight: tuple[Fit, dict[str, Tensor]], tmp_path: Path
) -> None:
    """At the end of one it is tests/test_gnn_train.py's matter."""
    code = KILLED.format(epoch=3, step=2)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert len(load_tensors(tmp_path)[1]["epochs"]) == 2
    run, weights = fitted("links", False, tmp_path)
    assert run == straight[0] and apart(weights, straight[1]) == 0.0


def torchrun(script: Path, state: Path, how: str) -> subprocess.CompletedProcess[str]:
    """The script in two processes, as torch's own launcher starts them."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    env = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launcher, str(script), str(state), how]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=240)


def test_under_torchrun_a_rank_that_is_killed_ends_the_other_and_started_again_the_run_is_that_of_one_process(
    straight: tuple[Fit, dict[str, Tensor]], tmp_path: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text(TORCHRUN)
    killed = torchrun(script, tmp_path / "state", "kill")
    assert killed.returncode != 0 and not (tmp_path / "done").exists()
    assert (tmp_path / "state").exists(), killed.stderr[-3000:]
    assert len(load_tensors(tmp_path / "state")[1]["epochs"]) == 2
    whole = torchrun(script, tmp_path / "state", "whole")
    assert whole.returncode == 0, whole.stderr[-2000:]
    weights, facts = load_tensors(tmp_path / "done")
    assert apart(weights, straight[1]) <= LOOSE and facts["best"] == straight[0].best


def killed_second(state: Path) -> tuple[Fit, dict[str, Tensor]]:
    """A run whose second rank kills itself in the third epoch."""
    return fitted("links", False, state) if team().first else killed_in_epoch("links", state, 3, 2)


def test_a_rank_that_dies_ends_the_other_with_a_clear_error_and_the_state_is_that_of_the_last_epoch(
    straight: tuple[Fit, dict[str, Tensor]], tmp_path: Path
) -> None:
    told = r"process 1 of 2 lost another one .* died or did not answer .* process 2 was killed by signal 9"
    with pytest.raises(LostRankError, match=told):
        in_two(killed_second, tmp_path)
    assert len(load_tensors(tmp_path)[1]["epochs"]) == 2
    run, weights = in_two(fitted, "links", False, tmp_path)
    assert apart(weights, straight[1]) <= LOOSE and run.best == straight[0].best


def asleep(state: Path) -> Any:
    """A run whose second rank stops answering."""
    if not team().first:
        os.kill(os.getpid(), signal.SIGSTOP)
    return fitted("links", False, state)


def broken(_: Path) -> Any:
    """A run whose second rank fails by itself."""
    if not team().first:
        raise ValueError("no such graph")
    return fitted("links", False)


def test_a_rank_that_hangs_or_fails_is_not_waited_for(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(LostRankError, match="died or did not answer"):
        together(lambda: asleep(tmp_path), asleep, (tmp_path,), 2, seconds=45.0)
    assert not (tmp_path / FACTS).exists()
    with pytest.raises(LostRankError, match="process 2 said: ValueError: no such graph"):
        together(lambda: broken(tmp_path), broken, (tmp_path,), 2, seconds=1000.0)
    assert time.monotonic() - began < 900  # neither was waited for as long as it might have taken


def test_the_weights_that_a_run_began_with_come_from_the_first_rank_alone(tmp_path: Path) -> None:
    fitted("links", False, tmp_path / "first")
    elsewhere = tmp_path / "a folder that the second rank does not see"
    (tmp_path / "first").rename(elsewhere)
    run, _ = together(lambda: fitted("links", False, elsewhere), fitted, ("links", False, tmp_path / "nothing"), 2)
    assert len(run.epochs) == 4 and not (tmp_path / "nothing").exists()
