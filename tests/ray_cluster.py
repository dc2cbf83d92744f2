"""A real Ray cluster on loopback: two nodes with one processor each, of which the second can be killed and replaced.

One at a time on a machine: who comes second waits at a file.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

import psutil
from pytest import MonkeyPatch

from kgrisk.ray import LOOPBACK

SECOND = "127.0.0.3" if sys.platform == "linux" else LOOPBACK
"""Address of the second node."""
STORE = 512 << 20
"""Bytes of shared memory of a node."""


class Nodes:
    """Two nodes of one cluster. Drivers of this machine connect to the first; it stays."""

    def __init__(self, cluster: Any, temp: str) -> None:
        self._cluster = cluster
        self._temp = temp
        self._second: Any = None
        self._add(head=True)
        self.add()

    @property
    def address(self) -> str:
        """`host:port`, for an Executor, a setting or `ray.init`."""
        return str(self._cluster.address)

    def add(self) -> None:
        """Start the second node (anew)."""
        self._second = self._add(head=False)
        self._cluster.wait_for_nodes()

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes of both nodes that work on shards, or wait for one."""
        raylets = [part for node in self._cluster.list_all_nodes() for part in node.all_processes["raylet"]]
        found = [child for one in raylets for child in psutil.Process(one.process.pid).children(recursive=True)]
        names = {one: "".join(one.cmdline()) for one in found}
        # a node ends with its agents, so they are none of these
        return [one for one, name in names.items() if name.startswith("ray::") and "Agent" not in name]

    @property
    def second(self) -> list[str]:
        """What the processes of the second node are called; those that work begin with `ray::`."""
        return ["".join(one.cmdline()) for one in self._family()]

    def kill(self) -> None:
        """kill -9 of every process of the second node, as when a machine loses its power."""
        for one in self._family():
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
        self._cluster.remove_node(self._second, allow_graceful=False)

    def _family(self) -> list[psutil.Process]:
        """The processes of the second node with all that they started."""
        processes = [one for part in self._second.all_processes.values() for one in part]
        family = [psutil.Process(one.process.pid) for one in processes]
        return [*family, *(child for one in family for child in one.children(recursive=True))]

    def _add(self, head: bool) -> Any:
        more = {"include_dashboard": False, "temp_dir": self._temp} if head else {"temp_dir": self._temp}
        # addresses of their own: a driver of this machine would else join any of the two, and die with it
        at = LOOPBACK if head else SECOND
        return self._cluster.add_node(num_cpus=1, node_ip_address=at, object_store_memory=STORE, **more)


@contextmanager
def two_nodes() -> Iterator[Nodes]:
    """The cluster; at the end it is gone with all its processes and files."""
    with _alone(), MonkeyPatch.context() as patch, _folder() as temp:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("GLOO_SOCKET_IFNAME", "lo")
        import ray
        from ray._common.utils import get_default_ray_temp_dir
        from ray.cluster_utils import Cluster

        Path(get_default_ray_temp_dir()).mkdir(exist_ok=True)  # type: ignore[no-untyped-call]  # the address is noted there
        logging.getLogger("ray").setLevel(logging.ERROR)
        cluster = Cluster(shutdown_at_exit=True)
        try:
            yield Nodes(cluster, temp)
        finally:
            ray.shutdown()
            cluster.shutdown()  # type: ignore[no-untyped-call]


@contextmanager
def _alone() -> Iterator[None]:
    with (Path(tempfile.gettempdir()) / "kgrisk-ray.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _folder() -> Iterator[str]:
    """A folder with a short name: a socket's path has room for a hundred letters."""
    made = tempfile.mkdtemp(prefix="kgray-", dir="/tmp" if os.path.isdir("/tmp") else None)
    try:
        yield made
    finally:
        rmtree(made, ignore_errors=True)
