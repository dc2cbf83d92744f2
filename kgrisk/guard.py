"""The socket guard: no Python code of this process may reach anything but this machine, and every try is counted.

It is an audit hook, which CPython calls below every library and which cannot be taken off again, so a guard is
switched, not removed. Code outside Python (the Java machine of the embedded store) is watched by `outside()`, which
asks the operating system for the open connections of this process and its children.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import psutil

from kg.errors import KgRiskError

WATCHED = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.gethostbyaddr",
    "socket.sendto",
    "socket.sendmsg",
)
_LOCAL_NAMES = frozenset({"", "localhost", "ip6-localhost"})


class SocketGuard:
    """Refuses whatever leaves loopback while it is entered; `inside` and `refused` count the tries."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self.allowed = set(allowed)
        """Hosts and addresses that may be reached all the same, such as the database server the user named."""
        self.inside = 0
        self.refused: list[str] = []
        self._on = False
        self._hooked = False

    def __enter__(self) -> SocketGuard:
        self._on = True
        if not self._hooked:
            sys.addaudithook(self._hook)
            self._hooked = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._on = False

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._on or event not in WATCHED:
            return
        host = _host(event, args)
        if self._may(host):
            self.inside += 1
            return
        self.refused.append(f"{event} {host}")
        raise KgRiskError(f"{event} to {host} was refused: this run works offline and may only reach this machine")

    def outside(self) -> list[str]:
        """Remote ends off loopback of the connections that this process and its children hold now."""
        found = []
        for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
            try:
                remote = [c.raddr.ip for c in process.net_connections("inet") if c.raddr]
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            found += [f"process {process.pid} to {ip}" for ip in remote if not self._may(ip)]
        return found

    def _may(self, host: str | None) -> bool:
        return is_loopback(host) or host in self.allowed

    def check(self) -> None:
        """KgRiskError if anything tried to leave this machine, even if the library that tried hid the error."""
        left = self.refused + self.outside()
        if left:
            raise KgRiskError(
                f"{len(left)} connections off this machine in a run that works offline: {'; '.join(left[:5])}"
            )


def is_loopback(host: str | None) -> bool:
    """True for this machine: a loopback address, its name, or a local (Unix) socket."""
    if host is None or host in _LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _host(event: str, args: tuple[Any, ...]) -> str | None:
    """The host an audited call names; None for a Unix socket or an address that is already connected."""
    target = args[1] if event in ("socket.connect", "socket.sendto", "socket.sendmsg") else args[0]
    if isinstance(target, tuple):
        target = target[0]
        return target.decode() if isinstance(target, bytes) else str(target)
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        return None
    return None if target is None else target.decode() if isinstance(target, bytes) else str(target)
