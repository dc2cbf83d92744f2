"""Who may open a store: one process at a time, and only at an address that names one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kg.errors import StoreError, StoreLockedError
from kg.ledger import Ledger
from kg.store import open_store, without_password
from tests.store_world import loans, rows, versions


@pytest.mark.slow
def test_a_second_process_is_told_which_process_holds_the_folder(ring: Ledger, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from kg.store import open_store
store = open_store("arcadedb://{tmp_path}/store", Path("{tmp_path}"))
print("ready", flush=True)
sys.stdin.read()
store.close()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        with pytest.raises(StoreLockedError, match=rf"process {holder.pid} on "):
            open_store(f"arcadedb://{tmp_path}/store", tmp_path)
        holder.communicate("")
    store = open_store(f"arcadedb://{tmp_path}/store", tmp_path)
    store.sync(ring)
    assert len(loans(store)) == 12
    store.close()


@pytest.mark.slow
def test_a_holder_that_was_killed_leaves_the_folder_free_and_whole(ring: Ledger, tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from kg.ledger import Ledger
from kg.store import open_store
store = open_store("arcadedb://{tmp_path}/store", Path("{tmp_path}"))
calls = []
def on_io(word):
    calls.append(word)
    if len(calls) == 6:
        os.kill(os.getpid(), signal.SIGKILL)
from kg.stores import arcadedb
arcadedb.CHUNK = 7
store.sync(Ledger.open(Path("{tmp_path}") / "ledger"), on_io)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -9
    store = open_store(f"arcadedb://{tmp_path}/store", tmp_path)
    assert store.mark is not None and store.mark.offset == 21
    store.sync(ring)
    assert versions(store) == sorted(ring.delta(0).opens["version"].to_pylist())
    assert rows(store, "MATCH (n:Bank) RETURN count(n) AS n") == [{"n": 12}]
    store.close()


@pytest.mark.slow
def test_sigterm_ends_a_process_that_holds_a_store_as_it_ends_any_other(tmp_path: Path) -> None:
    code = f"""
import os, signal, time
from pathlib import Path
from kg.store import open_store
store = open_store("arcadedb://{tmp_path}/store", Path("{tmp_path}"))
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(20)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -15
    assert done.stderr == ""


@pytest.mark.slow
def test_a_process_whose_store_was_opened_in_a_thread_ends(tmp_path: Path) -> None:
    code = f"""
import threading
from pathlib import Path
from kg.store import open_store
def work():
    store = open_store("arcadedb://{tmp_path}/store", Path("{tmp_path}"))
    print(store.mark, flush=True)
    store.close()
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "None\n", "")


@pytest.mark.parametrize("url", ["", "store", "sqlite:///x", "arcadedb:", "arcadedb://host/x", "arcadedb://"])
def test_a_url_that_names_no_store_is_refused_with_an_example(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="arcadedb:///"):
        open_store(url, tmp_path)


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    url = "bolt://neo4j:secret-word@127.0.0.1:1/neo4j"
    with pytest.raises(StoreError, match="start it") as caught:
        open_store(url, tmp_path)
    assert "secret-word" not in str(caught.value)
    assert without_password(url) == "bolt://neo4j:...@127.0.0.1:1/neo4j"


@pytest.mark.neo4j
def test_a_wrong_password_says_which_setting_to_check(neo4j_url: str, tmp_path: Path) -> None:
    wrong = neo4j_url.replace(neo4j_url.split("@")[0].rpartition(":")[2], "wrong-password")
    with pytest.raises(StoreError, match="NEO4J_PASSWORD"):
        open_store(wrong, tmp_path)
