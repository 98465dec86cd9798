"""What differs between environments, typed; chosen by `-c environment=local|dev|prod`, adjusted by file or context.

Every environment can be deployed without a word more; settings that would not be safe are refused.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from infra_cdk.naming import further_domain_name
from shared.kernel.errors import Kind, TesseraError
from shared.operations.fetch_policy import FetchPolicy
from shared.operations.vector_cells import MAIN, CellName, IndexPrefix

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


def _json(value: object) -> object:
    """Accept JSON from the command line, and `none`, where nothing cannot be said."""
    if not isinstance(value, str):
        return value
    try:
        return None if value == "none" else json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON: {error}") from error


Endpoint = Annotated[str, Field(pattern=r"^https?://\S+$")]

Origin = Annotated[str, Field(pattern=r"^(\*|https?://[^/\s]+)$")]
"""What a browser sends as `Origin`: without a path, and without a slash at its end."""


class SearchCapacity(BaseModel):
    """Size of the OpenSearch domain (O14). Dedicated masters and a second zone cost about as much as the data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance_type: str
    instances: int = Field(ge=1)
    volume_gib: int = Field(ge=10)
    master_instance_type: str | None = None
    in_vpc: bool = False


class SearchCell(BaseModel):
    """One more cell for tenants' chunks: a domain of its own, built like the first one, or an existing endpoint.

    `weight` is its capacity in units of the smallest cell. Cells may share an endpoint under different prefixes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: CellName
    weight: int = Field(default=1, ge=1, le=100)
    endpoint: Endpoint | None = None
    domain_name: str | None = None
    region: str | None = Field(default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    index_prefix: IndexPrefix = "tessera"


class CacheCapacity(BaseModel):
    """What the cache may grow to. It is paid by use; the bounds keep a mistake from being expensive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    storage_gib: int = Field(ge=1)
    units_per_s: int = Field(ge=1_000)


class DatabaseCapacity(BaseModel):
    """Between which sizes the database moves, in Aurora capacity units of 2 GiB; at 0 it sleeps while nobody asks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    smallest: float = Field(ge=0, multiple_of=0.5)
    largest: float = Field(ge=1, multiple_of=0.5)
    instances: int = Field(default=1, ge=1, le=15)
    backup_days: int = Field(default=1, ge=1, le=35)

    @model_validator(mode="after")
    def _refuse_the_wrong_way_round(self) -> Self:
        if self.smallest > self.largest:
            raise ValueError("smallest must not be more than largest.")
        return self


class Settings(BaseModel):
    """One environment. Every field may be given as context under its own name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Environment
    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    token_issuer: str = Field(pattern=r"^(https://|urn:)\S+$")
    """The `iss` of the access tokens that this environment signs and trusts; by default `urn:tessera:<environment>`."""
    token_audience: str
    opensearch_endpoint: Endpoint | None = None
    """An existing node or domain; None lets the search stack build a domain (and the local cloud use its file)."""
    opensearch_domain_name: str | None = None
    """The name of the existing domain, so that roles can name it."""
    search_capacity: Annotated[SearchCapacity | None, BeforeValidator(_json)] = None
    vector_cells: Annotated[tuple[SearchCell, ...], BeforeValidator(_json)] = ()
    """Cells besides the first one, `main`, among which new tenants are spread and tenants can be moved (T6)."""
    own_indexes: bool = False
    """Whether large tenants may be moved into indexes of their own; with further cells they may anyway."""
    cache_endpoint: str | None = None
    """An existing cache; its URL looks as the declaration of `Cache` says."""
    cache_capacity: Annotated[CacheCapacity | None, BeforeValidator(_json)] = None
    """None leaves rate limits to a table, as does an environment without a VPC: a cache is reached nowhere else."""
    database_endpoint: str | None = None
    """A PostgreSQL server of the machine, for the local cloud alone: `postgresql://127.0.0.1:<port>/tessera`."""
    database_capacity: Annotated[DatabaseCapacity | None, BeforeValidator(_json)] = None
    """None leaves out the database, and with it what is asked of it: searching and exporting the audit log."""
    database_proxy: bool = False
    """Whether an RDS Proxy stands between the functions and the database."""
    log_retention_days: Annotated[Literal[3, 7, 14, 30, 90, 180, 365, 731], BeforeValidator(_whole)]
    archive_lock_days: Annotated[int, BeforeValidator(_whole), Field(ge=1)] = 400
    """How long nobody can delete what the audit archive holds, where data is kept; a lock can never be shortened."""
    alarms_email: str | None = None
    sign_up: Literal["open", "closed"] = "open"
    """Whether people may create organisations by themselves; where not, operators invite their first owners."""
    cors_origins: Annotated[tuple[Origin, ...], BeforeValidator(_split)] = ()
    fetch_contact: str = ""
    """A page or mailbox that sites may complain to about what is fetched from them; every request names it."""
    fetch_allowed_hosts: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()
    """With any, users may add web addresses of these hosts, and those below them, alone."""
    fetch_denied_hosts: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()
    fetch_plain_http: bool = False
    """Whether users may also add web addresses without TLS."""
    fetch_loopback: bool = False
    """Whether web addresses of the machine itself may be fetched: the local cloud's choice alone."""
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
    def has_places(self) -> bool:
        """Whether tenants may be in different places, so that functions must know where each one is."""
        return bool(self.vector_cells) or self.own_indexes

    @property
    def searches_inside(self) -> bool:
        """Whether the search domain is reached from inside the VPC alone."""
        return self.builds_domain and self.search_capacity is not None and self.search_capacity.in_vpc

    @property
    def builds_database(self) -> bool:
        return self.database_capacity is not None and not self.is_local

    @property
    def builds_cache(self) -> bool:
        return self.searches_inside and self.cache_capacity is not None and self.cache_endpoint is None

    @property
    def has_cache(self) -> bool:
        """Whether requests are counted in a cache; else they are counted in a table."""
        return self.builds_cache or self.cache_endpoint is not None

    @property
    def fetch_policy(self) -> FetchPolicy:
        """What functions hear about fetching from the web."""
        return FetchPolicy(
            contact=self.fetch_contact,
            allowed_hosts=self.fetch_allowed_hosts,
            denied_hosts=self.fetch_denied_hosts,
            takes_plain_http=self.fetch_plain_http,
            reaches_loopback=self.fetch_loopback,
        )

    @model_validator(mode="after")
    def _refuse_what_is_no_host(self) -> Self:
        try:
            _ = self.fetch_policy
        except ValidationError as error:
            names = ", ".join(str(problem["loc"][0]) for problem in error.errors())
            raise ValueError(f"What the settings of fetch_{names} say is not of that form.") from None
        return self

    @model_validator(mode="after")
    def _refuse_cells_that_are_none(self) -> Self:
        ids = [MAIN, *(cell.id for cell in self.vector_cells)]
        if len(set(ids)) != len(ids):
            raise ValueError(f"vector_cells must have ids of their own; {MAIN!r} is the first cell's.")
        for cell in self.vector_cells:
            if cell.endpoint is None and not (self.builds_domain or self.is_local):
                raise ValueError(f"vector_cells: {cell.id} needs an endpoint, for no domain is built here.")
            if cell.endpoint is None and cell.domain_name is None:
                further_domain_name(self.environment, cell.id)
            if cell.endpoint is not None and cell.domain_name is None and not self.is_local:
                raise ValueError(f"vector_cells: {cell.id} needs its domain_name, or no role could name the domain.")
            if cell.endpoint is None and cell.region not in {None, self.region}:
                raise ValueError(f"vector_cells: {cell.id} is built in {self.region}; elsewhere name an endpoint.")
        return self

    @model_validator(mode="after")
    def _refuse_what_is_not_safe(self) -> Self:
        if self.is_local:
            return self
        if self.fetch_loopback:
            raise ValueError("fetch_loopback would let users read what only this deployment's machines may reach.")
        self._refuse_issuer_of_another_environment()
        if self.cache_endpoint is not None:
            if not self.searches_inside:
                raise ValueError("cache_endpoint needs the VPC: functions outside of it do not reach a cache.")
            signed_in_to(self.cache_endpoint)
        if self.database_endpoint is not None:
            raise ValueError("database_endpoint is for the local cloud; database_capacity says what is built here.")
        if "*" in self.cors_origins:
            raise ValueError("cors_origins lists origins; '*' would let every site call the API with a user's token.")
        if self.opensearch_endpoint is not None and self.opensearch_domain_name is None:
            raise ValueError("opensearch_endpoint needs opensearch_domain_name, or no role could name the domain.")
        if self.opensearch_endpoint is None and self.search_capacity is None:
            raise ValueError("search_capacity is needed where no opensearch_endpoint is named.")
        return self

    def _refuse_issuer_of_another_environment(self) -> None:
        host = urlsplit(self.token_issuer).hostname or ""
        others = {issuer_of(other) for other in Environment if other is not self.environment}
        if self.token_issuer in others or host in LOOPBACK or host.endswith((".localhost", ".local")):
            raise ValueError(
                f"token_issuer of {self.environment} must not be {self.token_issuer!r}, another environment's: "
                "what one environment signs, no other may seem to have signed."
            )


def issuer_of(environment: Environment) -> str:
    """Return the `iss` of an environment's access tokens unless a setting names another."""
    return f"urn:tessera:{environment}"


def signed_in_to(cache_endpoint: str) -> tuple[str, str]:
    """Return the user and the name of an ElastiCache cache, from its URL.

    Raises: ValueError unless it is reached over TLS and by a role: a password would be read in every template.
    """
    url = urlsplit(cache_endpoint)
    name = parse_qs(url.query).get("iam", [""])[0]
    if url.scheme != "rediss" or not url.username or url.password is not None or not name:
        raise ValueError("cache_endpoint must look like rediss://<user>@<host>:6379/?iam=<name of the cache>.")
    return url.username, name


DEFAULTS: Final[Mapping[Environment, Mapping[str, Any]]] = {
    Environment.LOCAL: {
        "region": "us-east-1",
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
        "database_capacity": DatabaseCapacity(smallest=0, largest=2),
        "log_retention_days": 30,
        "throttle_rate": 50,
        "throttle_burst": 100,
        "keep_data": False,
        "snap_start": False,  # snapshots of every function cost more than the rest of a quiet environment
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
        "cache_capacity": CacheCapacity(storage_gib=1, units_per_s=5_000),
        "database_capacity": DatabaseCapacity(smallest=0.5, largest=16, instances=2, backup_days=35),
        "log_retention_days": 365,
        "throttle_rate": 1_000,
        "throttle_burst": 2_000,
        "keep_data": True,
        "snap_start": True,
        "bundle_wheels": True,
    },
}


_OF_THE_CDK: Final = frozenset({"acknowledged-issue-numbers", "cli-telemetry"})
"""What `cdk acknowledge` and `cdk cli-telemetry` put into the context; all else of theirs holds `:`, `/` or `@`."""


def refuse_unknown(context: Iterable[str]) -> None:
    """Raise SettingsError for a misspelt setting."""
    known = _OF_THE_CDK | set(Settings.model_fields)
    unknown = [name for name in context if not set(name) & set(":/@") and name not in known]
    if unknown:
        raise SettingsError(f"There is no setting {', '.join(unknown)}. Known are: {', '.join(Settings.model_fields)}.")


def _completed(given: object, default: BaseModel) -> object:
    """Return `given`, with what it leaves out as in `default`; anything that is no object as it is."""
    with suppress(ValueError):
        given = _json(given)
    return {**default.model_dump(), **given} if isinstance(given, dict) else given


def settings_from(context: Callable[[str], Any], folder: Path = DEPLOYMENTS) -> Settings:
    """Read the settings: defaults of the environment, then `<folder>/<environment>.json`, then CDK context.

    `context` is a lookup that answers None for what is not given; the file is optional.
    Raises: SettingsError when the environment is unknown, or a value or a combination is unsafe.
    """
    asked = context("environment")
    if asked not in list(Environment):
        raise SettingsError(f"Choose an environment with -c environment=local|dev|prod, not {asked!r}.")
    environment = Environment(asked)
    given = {name: value for name in Settings.model_fields if (value := context(name)) is not None}
    values = {
        "token_issuer": issuer_of(environment),
        **known_values(environment, folder),
        **given,
        "environment": environment,
    }
    for name, default in DEFAULTS[environment].items():
        if isinstance(default, BaseModel):
            values[name] = _completed(values[name], default)
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
