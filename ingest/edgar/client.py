"""A client asks one web host for files: named, paced, with a memory of what it has, and patient when refused.

What was fetched before is asked for by its ETag or Last-Modified, and a 304 costs no body. A transfer that was cut goes
on where it stopped (Range with If-Range), in this run or a later one. 429, 5xx and lost connections are tried again
after a pause that doubles, or the one the host names. A file appears under its name only when it is whole.
"""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ingest.edgar.pace import Pace
from kg.errors import SettingsError, SourceError
from kg.files import write_whole

TRIES = 6
"""Times a request is made before its failure ends the run."""
LONGEST_PAUSE = 60.0
LARGEST = 2**30
"""Bytes of the largest file taken."""
_AGAIN = (408, 429, 500, 502, 503, 504)


class NotThereError(SourceError):
    """The host has no such file."""


class _CutError(Exception):
    """The transfer ended before the file did, or the host asked to come again later."""

    def __init__(self, why: str, pause: float = 0.0) -> None:
        super().__init__(why)
        self.pause = pause


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a file is taken from the host that was asked, or not at all."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Client:
    """Fetches files; `memory` is a JSON file that outlives the run."""

    def __init__(self, user_agent: str, memory: Path, pace: Pace, patience: float = 1.0) -> None:
        if "@" not in user_agent or len(user_agent.split()) < 2:
            raise SettingsError(
                f"user agent {user_agent!r}: the SEC wants to know who asks; give a name and an address to write to, "
                "such as 'Example Fund research@example.com'"
            )
        self._agent, self._pace, self._patience = user_agent, pace, patience
        self._memory = memory
        self._known: dict[str, dict[str, str]] = _remembered(memory)
        self._opener = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler())
        self.requests = 0

    def get(self, url: str, into: Path, unchanging: bool = False) -> bool:
        """Bring the file at `url` to `into`; True if its bytes are new. NotThereError for a 404.

        An `unchanging` file that is there whole is not asked for again.
        """
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise SettingsError(f"{url} is no http or https address")
        if unchanging and into.exists():
            return False
        why = ""
        for attempt in range(TRIES):
            try:
                return self._once(url, into)
            except _CutError as error:
                why, pause = str(error), max(error.pause, self._patience * 2**attempt)
                if attempt + 1 < TRIES:
                    time.sleep(min(pause, LONGEST_PAUSE))
        raise SourceError(
            f"{url} could not be fetched in {TRIES} tries: {why}; what came so far is kept, run again later"
        )

    def _once(self, url: str, into: Path) -> bool:
        part = into.with_name(f".{into.name}.part")
        request = urllib.request.Request(url, headers=self._headers(url, into, part))  # noqa: S310  # http(s) only, see get
        self._pace.wait()
        self.requests += 1
        try:
            with self._opener.open(request, timeout=60) as answer:
                stamps = self._take(url, answer, part)
        except urllib.error.HTTPError as error:
            return self._refused(url, error, part)
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            raise _CutError(f"{type(error).__name__}: {error}") from error
        os.replace(part, into)
        self._remember(url, stamps)  # only now: the stamps of a half file must not vouch for the older one in its place
        return True

    def _headers(self, url: str, into: Path, part: Path) -> Mapping[str, str]:
        known = self._known.get(url, {})
        headers = {"User-Agent": self._agent, "Accept-Encoding": "identity"}
        if into.exists():
            if etag := known.get("etag"):
                headers["If-None-Match"] = etag
            if modified := known.get("modified"):
                headers["If-Modified-Since"] = modified
        elif part.exists() and (stamp := known.get("part")):
            headers |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": stamp}
        return headers

    def _take(self, url: str, answer: http.client.HTTPResponse, part: Path) -> dict[str, str]:
        """Write the body and return the stamps of the file; what was written stays if the transfer is cut."""
        etag, modified = answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
        more = answer.status == 206
        self._remember(url, self._known.get(url, {}) | {"part": etag or modified})
        part.parent.mkdir(parents=True, exist_ok=True)
        told = answer.headers.get("Content-Length")
        with part.open("ab" if more else "wb") as out:
            got = _copied(answer, out, url)
        if told is not None and got < int(told):
            raise _CutError(f"the transfer ended after {got} of {told} bytes")
        return {"etag": etag, "modified": modified}

    def _refused(self, url: str, error: urllib.error.HTTPError, part: Path) -> bool:
        """False if nothing changed (304); an error to try again, or one that ends the run."""
        if error.code == 304:
            return False
        if error.code == 416:  # what lies there is longer than the file: begin again
            part.unlink(missing_ok=True)
            raise _CutError("the part that was there does not fit the file any more")
        if error.code in _AGAIN:
            raise _CutError(
                f"the host answered {error.code} {error.reason}", _pause(error.headers.get("Retry-After", ""))
            )
        raise _final(url, error) from error

    def _remember(self, url: str, stamps: dict[str, str]) -> None:
        self._known[url] = stamps
        write_whole(self._memory, json.dumps(self._known, indent=0, sort_keys=True).encode(), lasting=False)


def _copied(answer: http.client.HTTPResponse, out: IO[bytes], url: str) -> int:
    got = 0
    try:
        while piece := answer.read(65_536):
            out.write(piece)
            got += len(piece)
            if got > LARGEST:
                raise SourceError(f"{url} is larger than {LARGEST} bytes; it was not taken")
    except http.client.IncompleteRead as cut:
        out.write(cut.partial)
        raise
    return got


def _final(url: str, error: urllib.error.HTTPError) -> SourceError:
    if error.code == 404:
        return NotThereError(f"{url} is not there")
    hint = {
        403: "the SEC refuses user agents it does not know; see that yours names you and an address",
        301: "redirects are not followed; give the host that has the file",
        302: "redirects are not followed; give the host that has the file",
    }.get(error.code, "look at the address")
    return SourceError(f"{url} answered {error.code} {error.reason}; {hint}")


def _pause(text: str) -> float:
    return float(text) if text.isdigit() else 0.0


def _remembered(memory: Path) -> dict[str, dict[str, str]]:
    """What earlier runs fetched; nothing if the file is broken, for then all is asked for again."""
    try:
        known = json.loads(memory.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
