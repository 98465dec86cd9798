"""Settings of one process, read from the environment on first use and nowhere else."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Final, Self

from shared.kernel.errors import Kind, TesseraError
from shared.operations.capabilities import (
    CACHE,
    DATABASE,
    DATABASE_OWNER,
    EMBEDDER,
    FETCH_POLICY,
    RESOURCES,
    VECTORS,
    Capability,
    Resource,
)
from shared.operations.fetch_policy import FetchPolicy
from shared.operations.grants import UndeclaredUseError
from shared.operations.tenant_policies import TENANT_ROLE
from shared.operations.variables import ENVIRONMENT, OPERATION, variables_of
from shared.operations.vector_cells import MAIN, VECTOR_CELLS, VectorCell, VectorCells

LOCAL_FOLDER: Final = "TESSERA_LOCAL_FOLDER"
RETRY_BASE_S: Final = "TESSERA_RETRY_BASE_S"
ACCESS_TOKEN_LIFETIME_S: Final = "TESSERA_ACCESS_TOKEN_LIFETIME_S"  # noqa: S105 (a name)
CORS_ORIGINS: Final = "TESSERA_CORS_ORIGINS"
REGION: Final = "AWS_REGION"
TRACING_DAEMON: Final = "AWS_XRAY_DAEMON_ADDRESS"

OF_THE_PROCESS: Final = frozenset(
    {LOCAL_FOLDER, RETRY_BASE_S, ACCESS_TOKEN_LIFETIME_S, CORS_ORIGINS, REGION, TRACING_DAEMON}
)
"""What no deployment writes: Lambda says it, or whoever starts a process on a machine of their own."""


class MissingSettingError(TesseraError):
    """The deployment did not provide something the function was granted."""

    code: ClassVar[str] = "missing-setting"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class UnsafeSettingError(TesseraError):
    """A setting opens here what must stay closed here."""

    code: ClassVar[str] = "unsafe-setting"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class Settings:
    """A typed view of environment variables; a resource's variable is derived from its name.

    Settings of a function raise UndeclaredUseError for what a deployment does not tell it, wherever it runs.
    """

    def __init__(self, variables: Mapping[str, str] | None = None, own: frozenset[str] | None = None) -> None:
        """`own` are the variables that may be read; without it, all."""
        self._variables = os.environ if variables is None else variables
        self._own = own

    def told_to(self, capabilities: Iterable[Capability]) -> Self:
        """Return what of these settings a function with `capabilities` gets."""
        return type(self)(self._variables, variables_of(capabilities) | OF_THE_PROCESS)

    @property
    def environment(self) -> str:
        """`local`, `dev` or `prod`."""
        return self._get(ENVIRONMENT)

    @property
    def operation(self) -> str:
        """`<area>.<operation id>` of the function that this process serves."""
        return self._get(OPERATION)

    @property
    def tenant_role(self) -> str:
        """The ARN of the role that this function assumes for one tenant at a time. Raises: MissingSettingError."""
        return self._get(TENANT_ROLE)

    @property
    def region(self) -> str:
        """The AWS region that this process works in. Raises: MissingSettingError."""
        return self._get(REGION)

    @property
    def retry_base_s(self) -> int:
        """Seconds before the first retry of a stage; each further one waits twice as long (row K2: 60)."""
        return int(self._read(RETRY_BASE_S) or "60")

    @property
    def access_token_lifetime_s(self) -> int:
        """Seconds that an access token is good, at most an hour (row T2)."""
        return int(self._read(ACCESS_TOKEN_LIFETIME_S) or "3600")

    @property
    def fetch_policy(self) -> FetchPolicy:
        """Which web addresses may be fetched. Raises: UnsafeSettingError for what only the local cloud may reach."""
        policy = FetchPolicy.model_validate_json(self._read(FETCH_POLICY.resource.variable) or "{}")
        if policy.reaches_loopback and self.environment != "local":
            raise UnsafeSettingError(
                "Only the local cloud may fetch from its own machine.", environment=self.environment
            )
        return policy

    @property
    def is_traced(self) -> bool:
        """Whether Lambda runs its X-Ray daemon beside this process."""
        return bool(self._read(TRACING_DAEMON))

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """Origins whose pages may read answers of the API in this process; in AWS the gateway knows them."""
        return tuple(origin for origin in (self._read(CORS_ORIGINS) or "").split(",") if origin)

    @property
    def local_folder(self) -> Path:
        """Where the local cloud keeps its files. Raises: MissingSettingError anywhere else."""
        return Path(self._get(LOCAL_FOLDER))

    @property
    def cells(self) -> tuple[VectorCell, ...]:
        """The cells of chunks, the one first that holds whoever was never placed."""
        written = self._read(VECTOR_CELLS)
        if written:
            return VectorCells.model_validate_json(written).cells
        # Who only asks which cells there are is told no address; who opens one asks for it by its resource.
        address = self._read(VECTORS.variable) if self._is_told(VECTORS.variable) else None
        return (VectorCell(id=MAIN, address=address or "", region=self._read(REGION) or "local"),)

    @property
    def home_cell(self) -> VectorCell:
        return self.cells[0]

    @property
    def has_places(self) -> bool:
        """Whether tenants may be in different places; if not, nobody has to ask where they are."""
        return bool(self._read(VECTOR_CELLS))

    @property
    def index_replicas(self) -> int:
        """Further copies of each index shard: only production has the nodes to hold one (row K6: replication 2)."""
        return 1 if self.environment == "prod" else 0

    @property
    def model_folder(self) -> Path:
        """Where the bundled embedding model lies: beside the code in a deployed asset, else where a setting says."""
        named = self._read(EMBEDDER.resource.variable)
        return Path(named) if named else Path(__file__).resolve().parents[2] / "model"

    def address_of(self, resource: Resource) -> str:
        """Return where `resource` is: a name, an address or a folder. Raises: MissingSettingError."""
        return self._get(resource.variable)

    @property
    def cache_address(self) -> str:
        """Where the cache is; empty in an environment without one. Raises: MissingSettingError when nothing says so."""
        address = self._read(CACHE.variable)
        return self._get(CACHE.variable) if address is None else address

    @property
    def database_address(self) -> str:
        """Where the database is; empty in an environment without one. Raises: MissingSettingError when nothing says."""
        address = self._read(DATABASE.variable)
        return self._get(DATABASE.variable) if address is None else address

    @property
    def database_server(self) -> str:
        """Where the owner of the database's tables signs in; empty in an environment without a database."""
        return self._read(DATABASE_OWNER.server_variable) or ""

    @property
    def database_owner_secret(self) -> str:
        """Which secret holds the owner's password; empty where the server asks for none, as the local one."""
        return self._read(DATABASE_OWNER.variable) or ""

    def known_addresses(self) -> dict[str, str]:
        """Return the resource name of every address this process was given."""
        return {
            address: resource.name
            for resource in RESOURCES
            if self._is_told(resource.variable) and (address := self._read(resource.variable))
        }

    def _get(self, variable: str) -> str:
        value = self._read(variable)
        if not value:
            raise MissingSettingError(f"Set {variable}; a deployment by CDK does it.", variable=variable)
        return value

    def _read(self, variable: str) -> str | None:
        if not self._is_told(variable):
            raise UndeclaredUseError(f"A deployment does not tell this operation of {variable}.")
        return self._variables.get(variable)

    def _is_told(self, variable: str) -> bool:
        return self._own is None or variable in self._own
