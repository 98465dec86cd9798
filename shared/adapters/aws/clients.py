"""boto3 clients that refuse what the operation did not declare, before anything is sent.

The guard reads the same literal actions that CDK writes into the role, so an ordinary test on an emulator without IAM
fails where AWS would deny. So it is with tenants: a call that reaches another one than its operation works for is
refused here, whether it reads, writes, sends or seals; and calls to tables and buckets are signed with credentials that
could not reach it. Secrets are the deployment's own.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeVar

import boto3
from botocore.config import Config

from shared.adapters.aws.calls import Use, use_of_s3, uses_of_dynamodb
from shared.adapters.aws.messages import tenant_of_sealed, tenants_of_events, tenants_of_messages
from shared.adapters.aws.sdk_sessions import for_threads, new_sdk_session
from shared.adapters.aws.session_credentials import CallCredentials, OneProvider, TenantSessions
from shared.kernel.ids import TenantId
from shared.kernel.tenants import admitted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

Guard = Callable[[str, str], None]
"""Takes an address (name of a table or bucket, address of a queue, ARN of a secret or key) and an IAM action.

Raises when the action was not declared.
"""

WriteCheck = Callable[[str, Mapping[str, Any]], None]
"""Takes the name and the parameters of a request to DynamoDB. Raises when it writes what no audit event tells of."""

Admit = Callable[[Sequence[Use]], TenantId | None]
"""Takes what one call uses of tables or a bucket and returns the tenant whom it reaches, None for what is nobody's.

Raises when that is not the one tenant whom the invocation works for.
"""

SessionsOf = Callable[["STSClient"], TenantSessions]
"""Return the sessions that the function may ask for."""

# Left to the SDK, the name is put together again for each call, which is a third of what a small call costs.
_NAMED: Final = Config(user_agent="Tessera")
_CONFIG: Final = _NAMED.merge(
    Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "max_attempts": 4})
)
PROMPT: Final = _NAMED.merge(
    Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "max_attempts": 2})
)
"""How what every request waits for is asked: with three short tries."""

_SQS_ACTIONS: Final = {
    "SendMessageBatch": "sqs:SendMessage",
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "DeleteMessageBatch": "sqs:DeleteMessage",
}


_T = TypeVar("_T")
_MAKING: Final = RLock()


class _made_once(cached_property[_T]):  # noqa: N801
    """A cached property that one thread at a time makes: sessions of the SDK are not made for several."""

    def __get__(self, instance: object, owner: type[Any] | None = None) -> _T:  # type: ignore[override]
        with _MAKING:
            return super().__get__(instance, owner)


class AwsClients:
    """The AWS clients of one function, each made when first asked for, by whichever thread."""

    def __init__(self, guard: Guard, check_told: WriteCheck, admit: Admit, sessions_of: SessionsOf) -> None:
        self._guard = guard
        self._check_told = check_told
        self._admit = admit
        self._sessions_of = sessions_of

    @_made_once
    def _own(self) -> boto3.Session:
        return new_sdk_session()

    @_made_once
    def _signing(self) -> boto3.Session:
        """A session whose clients sign each call for the tenant whom it serves."""
        return new_sdk_session(OneProvider(self._credentials))

    @_made_once
    def _credentials(self) -> CallCredentials:
        return CallCredentials(self._own._session.get_credentials(), lambda: self._sessions)  # noqa: SLF001

    @_made_once
    def _sessions(self) -> TenantSessions:
        return self._sessions_of(for_threads(self._own.client("sts", config=PROMPT)))

    @_made_once
    def dynamodb(self) -> "DynamoDBClient":
        return self._guarded(self._signing.client("dynamodb", config=_CONFIG), self._check_dynamodb)

    @_made_once
    def prompt_dynamodb(self) -> "DynamoDBClient":
        """A client of three short tries: for what every request waits for."""
        return self._guarded(self._signing.client("dynamodb", config=PROMPT), self._check_dynamodb)

    @_made_once
    def s3(self) -> "S3Client":
        config = _CONFIG.merge(Config(signature_version="s3v4"))
        return self._guarded(self._signing.client("s3", config=config), self._check_s3)

    @_made_once
    def sqs(self) -> "SQSClient":
        return self._guarded(self._own.client("sqs", config=_CONFIG), self._check_sqs)

    @_made_once
    def prompt_sqs(self) -> "SQSClient":
        """A client of three short tries: for what every request waits for."""
        return self._guarded(self._own.client("sqs", config=PROMPT), self._check_sqs)

    @_made_once
    def events(self) -> "EventBridgeClient":
        return self._guarded(self._own.client("events", config=_CONFIG), self._check_events)

    @_made_once
    def secrets(self) -> "SecretsManagerClient":
        return self._guarded(self._own.client("secretsmanager", config=_CONFIG), self._check_secrets)

    @_made_once
    def kms(self) -> "KMSClient":
        return self._guarded(self._own.client("kms", config=_CONFIG), self._check_kms)

    def _guarded(self, client: _T, check: Callable[..., None]) -> _T:
        meta = client.meta  # type: ignore[attr-defined]
        meta.events.register(f"provide-client-params.{meta.service_model.service_name}", check)
        return for_threads(client)

    def _check_dynamodb(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        uses = uses_of_dynamodb(model.name, params)
        for use in uses:
            self._guard(use.address, use.action)
        self._credentials.serve(self._admit(uses))
        self._check_told(model.name, params)

    def _check_s3(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        use = use_of_s3(model.name, params)
        self._guard(use.address, use.action)
        self._credentials.serve(self._admit([use]))

    def _check_sqs(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self._guard(params["QueueUrl"], _SQS_ACTIONS.get(model.name, f"sqs:{model.name}"))
        for tenant in tenants_of_messages(model.name, params):
            admitted(tenant)

    def _check_events(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        for entry in params["Entries"]:
            self._guard(entry["EventBusName"], f"events:{model.name}")
        for tenant in tenants_of_events(params):
            admitted(tenant)

    def _check_secrets(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self._guard(params["SecretId"], f"secretsmanager:{model.name}")

    def _check_kms(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        # A decryption that names no key would be done with whatever key the content names.
        self._guard(params.get("KeyId", ""), f"kms:{model.name}")
        admitted(tenant_of_sealed(params))
