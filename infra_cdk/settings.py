"""What differs between environments, typed; chosen by `-c environment=local|dev|prod`, adjusted by file or context.

An address that this project cannot know (the token issuer of `dev` and `prod`) has no default: synthesis stops and says
which context value to give.
"""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from shared.kernel.errors import Kind, TesseraError

LOCAL_ISSUER: Final = "urn:tessera:local-issuer"
"""The issuer that signs for the local cloud. Its private key lies on a developer's disk, so nothing else trusts it."""

LOCAL_COLD_START_S: Final = 30
"""Enough for a machine that is busy with something else."""

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - a list of hosts to refuse, none is bound


DEPLOYMENTS: Final = Path(__file__).resolve().parent.parent / "deployments"
"""Where a team keeps the settings of its environments, one JSON file each, so that nobody types them twice."""


class SettingsError(TesseraError):
    """The settings of an environment do not fit together; the message says what to pass."""

    code: ClassVar[str] = "deployment-settings-invalid"
    kind: ClassVar[Kind] = Kind.INVALID


class Environment(StrEnum):
    LOCAL = "local"
    DEV = "dev"
    PROD = "prod"


def _split(value: object) -> object:
    """Accept `a,b` from the command line where a list is meant."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _whole(value: object) -> object:
    """Accept `30` from the command line, where every value is text."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class SearchCapacity(BaseModel):
    """Size of the OpenSearch domain (O14). Dedicated masters and a second zone cost about as much as the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance_type: str
    instances: int = Field(ge=1)
    volume_gib: int = Field(ge=10)
    master_instance_type: str | None = None
    in_vpc: bool = False


class Settings(BaseModel):
    """One environment. Every field may be given as context under its own name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Environment
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    token_issuer: str
    token_jwks_url: str
    token_audience: str
    opensearch_endpoint: str | None = None
    """An existing node or domain; None lets the search stack build a domain (and the local cloud use its file)."""
    opensearch_domain_name: str | None = None
    """The name of the existing domain, so that roles can name it."""
    search_capacity: SearchCapacity | None = None
    log_retention_days: Annotated[Literal[3, 7, 14, 30, 90, 180, 365, 731], BeforeValidator(_whole)]
    alarms_email: str | None = None
    cors_origins: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()
    throttle_rate: int = Field(ge=1)
    throttle_burst: int = Field(ge=1)
    keep_data: bool
    snap_start: bool
    bundle_wheels: bool

    @property
    def is_local(self) -> bool:
        return self.environment is Environment.LOCAL

    @property
    def cold_start_allowance_s(self) -> int:
        """Added to every function's timeout. AWS counts a cold start apart; the emulator lets it use up the timeout."""
        return LOCAL_COLD_START_S if self.is_local else 0

    @property
    def builds_domain(self) -> bool:
        """Whether the search stack exists: neither locally nor where an endpoint is given."""
        return self.search_capacity is not None and self.opensearch_endpoint is None

    @property
    def uses_vpc(self) -> bool:
        return self.builds_domain and self.search_capacity is not None and self.search_capacity.in_vpc

    @model_validator(mode="after")
    def _refuse_what_is_not_safe(self) -> Self:
        if self.is_local:
            return self
        for field in ("token_issuer", "token_jwks_url"):
            address = urlsplit(getattr(self, field))
            host = address.hostname or ""
            if address.scheme != "https" or host in LOOPBACK or host.endswith((".localhost", ".local")):
                raise ValueError(
                    f"{field} of {self.environment} must be a public https address, not {getattr(self, field)!r}: "
                    "the local issuer's key lies on a developer's disk and is trusted by the local cloud only."
                )
        if "*" in self.cors_origins:
            raise ValueError("cors_origins lists origins; '*' would let every site call the API with a user's token.")
        if self.opensearch_endpoint is not None and self.opensearch_domain_name is None:
            raise ValueError("opensearch_endpoint needs opensearch_domain_name, or no role could name the domain.")
        return self


DEFAULTS: Final[Mapping[Environment, Mapping[str, Any]]] = {
    Environment.LOCAL: {
        "region": "us-east-1",
        "token_issuer": LOCAL_ISSUER,
        # The launcher says where its key set lies; this one is for those who only look at the template.
        "token_jwks_url": "http://localhost:4566/jwks.json",
        "token_audience": "tessera",
        "log_retention_days": 3,
        "cors_origins": ("http://localhost:3000", "http://127.0.0.1:3000"),
        "throttle_rate": 1_000,
        "throttle_burst": 2_000,
        "keep_data": False,
        "snap_start": False,
        "bundle_wheels": False,
    },
    Environment.DEV: {
        "region": "eu-central-1",
        "token_audience": "tessera",
        "search_capacity": SearchCapacity(instance_type="t3.small.search", instances=1, volume_gib=20),
        "log_retention_days": 30,
        "throttle_rate": 50,
        "throttle_burst": 100,
        "keep_data": False,
        "snap_start": True,
        "bundle_wheels": True,
    },
    Environment.PROD: {
        "region": "eu-central-1",
        "token_audience": "tessera",
        "search_capacity": SearchCapacity(
            instance_type="r7g.large.search",
            instances=2,
            volume_gib=100,
            master_instance_type="m7g.medium.search",
            in_vpc=True,
        ),
        "log_retention_days": 365,
        "throttle_rate": 1_000,
        "throttle_burst": 2_000,
        "keep_data": True,
        "snap_start": True,
        "bundle_wheels": True,
    },
}


def settings_from(context: Callable[[str], Any], folder: Path = DEPLOYMENTS) -> Settings:
    """Read the settings: defaults of the environment, then `<folder>/<environment>.json`, then CDK context.

    `context` is a lookup that answers None for what is not given; the file is optional.
    Raises: SettingsError when the environment is unknown, a value is missing or a combination is unsafe.
    """
    asked = context("environment")
    if asked not in list(Environment):
        raise SettingsError(f"Choose an environment with -c environment=local|dev|prod, not {asked!r}.")
    environment = Environment(asked)
    given = {name: value for name in Settings.model_fields if (value := context(name)) is not None}
    values = {**known_values(environment, folder), **given, "environment": environment}
    if missing := [name for name in ("token_issuer", "token_jwks_url") if name not in values]:
        wanted = " ".join(f"-c {name}=https://…" for name in missing)
        raise SettingsError(
            f"The environment {environment} trusts the tokens of your OpenID Connect provider. Say which one: {wanted} "
            f"(or write it into deployments/{environment}.json)"
        )
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or environment}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_url=False)
        )
        raise SettingsError(f"The settings of {environment} do not fit: {problems}") from error


def known_values(environment: Environment, folder: Path = DEPLOYMENTS) -> dict[str, Any]:
    """Return what is known without context: the defaults, and over them the file of the environment.

    Raises: SettingsError when the file cannot be read.
    """
    file = folder / f"{environment}.json"
    if not file.exists():
        return dict(DEFAULTS[environment])
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise SettingsError(f"deployments/{file.name} is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"deployments/{file.name} must be an object of settings by name.")
    return {**DEFAULTS[environment], **values}
