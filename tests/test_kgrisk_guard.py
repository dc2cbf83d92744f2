"""The socket guard and the meter: what leaves this machine is refused and counted, what stays is let through."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from kg.errors import KgRiskError
from kg.meter import Meter
from kgrisk.guard import SocketGuard, is_loopback


@pytest.fixture
def guard() -> Iterator[SocketGuard]:
    with SocketGuard() as made:
        yield made


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80)])
def test_a_connection_off_this_machine_is_refused_and_counted(guard: SocketGuard, address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as s, pytest.raises(KgRiskError, match="works offline"):
        s.connect(address)
    assert guard.refused == [f"socket.connect {address[0]}"]
    with pytest.raises(KgRiskError, match="1 connections off this machine"):
        guard.check()


def test_a_name_is_not_even_looked_up(guard: SocketGuard) -> None:
    with pytest.raises(KgRiskError, match=r"example\.com"):
        socket.getaddrinfo("example.com", 443)
    assert len(guard.refused) == 1


def test_a_datagram_off_this_machine_is_refused(guard: SocketGuard) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, pytest.raises(KgRiskError, match=r"192\.0\.2\.7"):
        s.sendto(b"hello", ("192.0.2.7", 53))


def test_an_error_that_a_library_hides_is_still_found_at_the_end(guard: SocketGuard) -> None:
    with contextlib.suppress(Exception):
        socket.create_connection(("198.51.100.9", 80), timeout=1)
    with pytest.raises(KgRiskError, match=r"198\.51\.100\.9"):
        guard.check()


def test_loopback_is_let_through_and_counted(guard: SocketGuard) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        socket.create_connection(server.getsockname(), timeout=5).close()
    assert guard.inside >= 1
    guard.check()


def test_a_guard_that_was_left_refuses_nothing() -> None:
    with SocketGuard() as guard:
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", 9))
    assert (guard.inside, guard.refused) == (0, [])


def test_a_host_that_was_allowed_may_be_reached() -> None:
    datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # there may be no route to it, which is not the guard's doing
    with SocketGuard(allowed=["192.0.2.1"]) as guard, datagram as s, contextlib.suppress(OSError):
        s.connect(("192.0.2.1", 9))
    assert guard.refused == [] and guard.inside == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "::ffff:127.0.0.1", "", None])
def test_these_are_this_machine(host: str | None) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "example.com", "::ffff:10.0.0.1", "localhost.example.com", "0.0.0.0"])
def test_these_are_not_this_machine(host: str) -> None:
    assert not is_loopback(host)


def test_the_meter_sees_time_and_memory_of_a_stage() -> None:
    meter = Meter()
    with meter.stage("idle"):
        pass
    with meter.stage("busy"):
        block = bytearray(120 * 2**20)
        block[:: 2**12] = b"x" * len(block[:: 2**12])
        time.sleep(0.2)
        del block
    idle, busy = meter.stages
    assert busy.seconds >= 0.2 and busy.peak_mb >= idle.peak_mb + 100
    assert meter.seconds == pytest.approx(idle.seconds + busy.seconds)


def test_a_stage_that_fails_is_measured_too() -> None:
    meter = Meter()
    with pytest.raises(ValueError, match="broken"), meter.stage("broken"):
        raise ValueError("broken")
    assert [stage.name for stage in meter.stages] == ["broken"]
