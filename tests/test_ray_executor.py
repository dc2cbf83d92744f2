"""The Ray executor beside what every executor holds: one connection for a process, its address, its cluster file."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kg.errors import MissingExtraError
from kgrisk.ray import Ray
from tests.kgrisk_world import clean_environment

PAGE = Path(__file__).parents[1] / "docs" / "scale" / "ray.md"
TOGETHER = """
import os, signal
from kg.errors import ExecutorError
from kgrisk.crash_signals import heard_by
from kgrisk.ray import Ray

def crashes():
    return {number: action.raw[:8] for number, action in heard_by().items()}  # the address of who hears

def mine(number, frame):
    pass

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, mine)
    before = crashes()
    one = Ray("local", cpus=1)
    assert crashes() == before, "a Java machine of this process has to hear of them"
    assert one.workers == 1 and signal.getsignal(signal.SIGTERM) is mine
    assert list(one.map(abs, [-1, -2])) == [1, 2]
    other = Ray("auto")
    try:
        Ray("127.0.0.1:1")
    except ExecutorError as error:
        assert "works on another Ray cluster" in str(error), error
    else:
        raise AssertionError("two clusters at once")
    one.close()
    one.close()
    assert list(other.map(abs, [-3])) == [3], "the first has not ended what the second works on"
    other.close()
    assert crashes() == before
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    import ray
    assert not ray.is_initialized()
    print("done")
"""


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'kgrisk\[ray\]'"):
        Ray("local")


@pytest.mark.ray
@pytest.mark.slow
def test_executors_of_one_process_share_its_connection_and_the_last_one_ends_it(tmp_path: Path) -> None:
    (tmp_path / "together.py").write_text(TOGETHER)
    environment = clean_environment(HOME=str(tmp_path))  # Ray keeps the key of a cluster of its own there
    found = subprocess.run(
        [sys.executable, "together.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert found.returncode == 0 and found.stdout == "done\n", found.stderr


def test_the_cluster_file_of_the_page_is_one_that_ray_takes() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    text = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    config = yaml.safe_load(text[1])
    whole = prepare_config(config)
    validate_config(whole)
    assert whole["provider"]["type"] == "local" and whole["max_workers"] == len(config["provider"]["worker_ips"])
    started = " ".join([*config["head_start_ray_commands"], *config["worker_start_ray_commands"]])
    assert started.count("RAY_AUTH_MODE=token") == started.count("ray start") == 2
    assert started.count("--disable-usage-stats") == 1 and "--include-dashboard=false" in started


def test_every_option_of_ray_start_on_the_page_is_one_that_ray_knows() -> None:
    from ray.scripts.scripts import start

    known = {word for option in start.params for word in option.opts}
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "ray start" in line]
    asked = {word for line in lines for word in re.findall(r"(--[a-z-]+)", line.partition("ray start")[2])}
    assert len(asked) >= 4 and asked <= known
