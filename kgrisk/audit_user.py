"""Who runs this process, as the audit log names them."""

from __future__ import annotations

import os
import pwd


def user() -> str:
    """Name of who runs this process, as the system knows it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
