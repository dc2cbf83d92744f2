"""Settings: every choice a user can make, and the only place that reads the environment and kgrisk.toml.

A flag wins over the environment (`KGRISK_<NAME>`; Neo4j's own `NEO4J_*` names for the server), that over `kgrisk.toml`
in the current folder, that over the default.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from rapidfuzz.process import extract

from kg.errors import SettingsError

PREFIX = "KGRISK_"
FILE = Path("kgrisk.toml")
FOR_TESTS = ("REAL_DATA", "REQUIRE_NEO4J", "NEO4J_CACHE", "SLOW", "KILLS", "FAULT_SEED")
"""KGRISK_ names that the tests read; the engine itself does not."""
MASK = "********"
SECRET = ("neo4j_password", "llm_key")
"""Settings that are never shown."""


def _neo4j(*names: str) -> AliasChoices:
    """Names of a setting that every Neo4j tool shares, then our own."""
    own = names[0].lower()
    return AliasChoices(*names, own)


class Settings(BaseSettings):
    """Choices of one process. Use `Settings.load()`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", validate_default=False)

    home: Path = Field(Path("kgrisk-home"), description="Folder that holds ledger, files, runs and the embedded store.")
    store: str = Field("", description="URL of the graph store; empty: Neo4j if NEO4J_URI is set, else embedded.")
    ledger: str = Field("", description="Object store of the ledger, such as s3://bucket/ledger; empty: in the home.")
    inputs: Path | None = Field(None, description="Folder that refresh and schedule read when none is named.")
    user_agent: str = Field("", description="Who asks EDGAR, as it wants to know: a name and a mail address.")
    limits: dict[str, int] = Field(
        {}, description="Caps on super-nodes: `counterparties` of an account, `sharers` of a device."
    )
    cut: date | None = Field(
        None, description="Last day models learn from; none: a year before a source last published."
    )
    seed: int = Field(0, description="Seed of everything random.")
    epochs: int = Field(0, ge=0, description="Most epochs of training; 0: the model's own default.")
    threads: int = Field(1, ge=1, description="Threads of the tensor library.")
    processes: int = Field(
        1, ge=1, description="Processes that train together: of this machine, or of the Ray cluster of `executor`."
    )
    executor: str = Field(
        "here", description="Where work by shards is done: here, a number of processes, ray, ray:local, or host:port."
    )
    clip: Path | None = Field(
        None, description="Folder of a CLIP model, for the encoder `clip` of images; no weights are bundled."
    )
    measure: str = Field("debtrank", description="Risk measure that a refresh runs.")
    shock: str = Field("score:distress", description="Shock that a refresh runs.")
    currency: str = Field(
        "", pattern="^([A-Z]{3})?$", description="ISO 4217 code to count in; empty: the only one found."
    )
    rates: dict[str, float] = Field({}, description="Worth of one unit of each other currency in `currency`.")
    retrain_days: int = Field(30, ge=0, description="Days after which a refresh trains anew; 0: never for age alone.")
    margin: float = Field(
        0.1, ge=0, description="Share of the champion's Brier score by which a challenger may be worse."
    )
    psi: float = Field(0.25, gt=0, description="Population stability index above which a figure has drifted.")
    calibration: float = Field(0.05, gt=0, description="Rise of the calibration error since training that is too much.")
    fresh: dict[str, float] = Field(
        {}, description="Days a source may be silent, by source; others: three times their own rhythm."
    )
    slow: float = Field(3.0, gt=1, description="Times its usual seconds that a refresh or stage may take.")
    kyc_matcher: str = Field("", description="Plug-in that may compare two faces; empty: faces are never compared.")
    row_limit: int = Field(10_000, ge=1, description="Most rows a query may return.")
    timeout: float = Field(60.0, gt=0, description="Seconds a query may take.")
    serve_rows: int = Field(1_000, ge=1, description="Most rows of a named query over HTTP.")
    serve_seconds: float = Field(30.0, gt=0, description="Seconds a question over HTTP may take.")
    serve_body: int = Field(1 << 20, ge=1, description="Most bytes of a request's body.")
    serve_rate: float = Field(200.0, gt=0, description="Requests a second that one asker may make in the long run.")
    serve_burst: int = Field(400, ge=1, description="Requests that one asker may make at once.")
    serve_connections: int = Field(256, ge=1, description="Connections that are served at once; others get 503.")
    mcp_rows: int = Field(50, ge=1, le=1000, description="Most rows of an answer to an agent.")
    mcp_seconds: float = Field(30.0, gt=0, description="Seconds an agent's question may take.")
    mcp_tokens: int = Field(8_000, ge=500, description="Most tokens of an answer to an agent, four characters each.")
    llm_url: str = Field("", description="An OpenAI-compatible API that may reword answers; empty: none is asked.")
    llm_model: str = Field("", description="Its model.")
    llm_key: SecretStr = Field(SecretStr(""), description="Its key.")
    neo4j_uri: str = Field("", validation_alias=_neo4j("NEO4J_URI"), description="bolt:// or neo4j:// address.")
    neo4j_username: str = Field("neo4j", validation_alias=_neo4j("NEO4J_USERNAME", "NEO4J_USER"), description="User.")
    neo4j_password: SecretStr = Field(SecretStr(""), validation_alias=_neo4j("NEO4J_PASSWORD"), description="Password.")
    neo4j_database: str = Field("neo4j", validation_alias=_neo4j("NEO4J_DATABASE"), description="Database.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings

    @classmethod
    def load(cls, file: Path = FILE, **flags: Any) -> Settings:
        """Settings of this process; flags that are None count as not given. SettingsError names what is wrong."""
        _check_environment()
        given = {name: value for name, value in flags.items() if value is not None}
        _check_names(given, "flag")
        try:
            below = _read(file)
            set_elsewhere = cls(**given).model_fields_set
            return cls(**{k: v for k, v in below.items() if k not in set_elsewhere}, **given)
        except ValidationError as error:
            raise SettingsError(_told(error)) from error

    def url(self, home: Path) -> str:
        """Address of the graph store, with user and password where it is a server."""
        if self.store and "://" not in self.store:
            raise SettingsError(
                f"store {self.store!r} is no URL; write arcadedb:///path, bolt://host:7687 or neo4j://host"
            )
        address = self.store or self.neo4j_uri
        if not address:
            return embedded(home / "store")
        parts = urlsplit(address)
        if parts.scheme == "arcadedb" or parts.username:
            return address
        user, password = quote(self.neo4j_username, safe=""), quote(self.neo4j_password.get_secret_value(), safe="")
        path = parts.path if parts.path.strip("/") else f"/{self.neo4j_database}"
        return f"{parts.scheme}://{user}:{password}@{parts.netloc}{path}"

    def shown(self) -> dict[str, Any]:
        """Every setting as plain values, secrets masked."""
        values: dict[str, Any] = self.model_dump(mode="json")
        for name in SECRET:
            values[name] = MASK if getattr(self, name).get_secret_value() else ""
        return {name: masked(value) if isinstance(value, str) else value for name, value in values.items()}


def embedded(folder: Path) -> str:
    """URL of the embedded store in a folder, whatever letters its path has."""
    return f"arcadedb://{quote(str(folder.resolve()))}"


def masked(url: str) -> str:
    """The URL without its password."""
    parts = urlsplit(url) if "://" in url else None
    if parts is None or not parts.password:
        return url
    return url.replace(f":{parts.password}@", f":{MASK}@", 1)


def _check_environment() -> None:
    """SettingsError for a KGRISK_ variable that nothing reads: a typo would otherwise be silence."""
    names = [n.removeprefix(PREFIX) for n in os.environ if n.startswith(PREFIX)]
    _check_names({n.lower(): n for n in names if n not in FOR_TESTS}, "environment variable", PREFIX)


def _check_names(given: Mapping[str, Any], kind: str, prefix: str = "") -> None:
    known = list(Settings.model_fields)
    for name in given:
        if name in known and not (prefix and name.startswith("neo4j_")):
            continue
        shown = (lambda n: n.upper() if n.startswith("neo4j_") else prefix + n.upper()) if prefix else str
        near = [shown(n) for n, _, _ in extract(name, known, limit=3, score_cutoff=60)]
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(map(shown, known))}"
        raise SettingsError(f"{kind} {(prefix + name.upper()) if prefix else name}: there is no such setting; {hint}")


def _read(file: Path) -> dict[str, Any]:
    """Content of the settings file; nothing if there is none."""
    try:
        content = tomllib.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}; correct it or move it away") from error
    _check_names(content, f"{file}: key")
    return content


def _told(error: ValidationError) -> str:
    """One line for all that is wrong, without the values of secrets."""
    faults = []
    for fault in error.errors(include_url=False, include_context=False):
        name = ".".join(str(part) for part in fault["loc"]).lower()
        given = MASK if name in SECRET else repr(fault["input"])
        faults.append(f"{name}: {fault['msg']} (given: {given})")
    return "settings: " + "; ".join(faults) + "; see `kgrisk config` for what each one means"
