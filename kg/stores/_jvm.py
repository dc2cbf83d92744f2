"""The Java machine that ArcadeDB runs in: started once per process, quiet, and without a hand on our signals."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import gettempdir
from threading import Lock, current_thread, main_thread
from typing import Any

import jpype
from arcadedb_embedded.jvm import start_jvm

HEAP = "2g"
_STARTING = Lock()
_MAP = "java.util.Map"


def start(heap: str = "") -> None:
    """Start the machine, unless this process has one already (its heap stays what it was)."""
    with _STARTING:
        if not jpype.isJVMStarted():
            with _no_banner():
                start_jvm(heap_size=heap or HEAP, jvm_args=_arguments())
            _keep_out_of_imports()
            if current_thread() is not main_thread():
                # The thread that starts the machine counts as one that its end must wait for, even when it is gone.
                java("java.lang.Thread").detach()
                java("java.lang.Thread").attachAsDaemon()
            _configure()


def _arguments() -> list[str]:
    return [
        # Without -Xrs, JPype's handler crashes the process (SIGSEGV in Python) when SIGTERM comes.
        "-Xrs",
        # No log folder in the working directory.
        f"-Djava.util.logging.config.file={os.devnull}",
        f"-XX:ErrorFile={gettempdir()}/hs_err_pid%p.log",
    ]


def _keep_out_of_imports() -> None:
    """Take JPype's finder away: asked by an import in an exit hook, when the machine is gone, it crashes."""
    sys.meta_path[:] = [f for f in sys.meta_path if type(f).__module__ != "jpype.imports"]


@contextmanager
def _no_banner() -> Iterator[None]:
    """Keep the machine's "Using incubator modules" off standard error; Java writes it past every switch."""
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def _configure() -> None:
    """Log only what is severe; read no file and no address from a query."""
    levels = java("java.util.logging.Level")
    java("com.arcadedb.log.LogManager").instance().log(
        None, levels.FINEST, "start"
    )  # it sets itself up at its first line
    for handler in java("java.util.logging.Logger").getLogger("").getHandlers():
        handler.setLevel(levels.SEVERE)
    settings = java("com.arcadedb.GlobalConfiguration")
    settings.OPENCYPHER_LOAD_CSV_ALLOW_FILE_URLS.setValue(False)
    settings.OPENCYPHER_LOAD_CSV_ALLOW_REMOTE_URLS.setValue(False)


def java(name: str) -> Any:
    """A Java class by its full name."""
    return jpype.JClass(name)


def json_rows(text: str) -> Any:
    """A JSON array of objects as a Java list of maps: one crossing for any number of rows."""
    return java("com.arcadedb.serializer.json.JSONArray")(text).toList()


def java_map(**values: Any) -> Any:
    """A Java map, typed so that no overload is ambiguous."""
    found = java("java.util.HashMap")()
    for name, value in values.items():
        found.put(name, value)
    return jpype.JObject(found, java(_MAP))
