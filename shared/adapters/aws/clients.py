"""boto3 clients that refuse what the operation did not declare, before anything is sent.

The guard reads the same literal actions that CDK writes into the role, so an ordinary test on an emulator without IAM
fails where AWS would deny. So it is with tenants: a call that reaches another one than its operation works for is
refused here, whether it reads, writes, sends or seals; and calls to tables and buckets are signed with credentials that
could not reach it. Secrets are the deployment's own.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from shared.adapters.aws.calls import Use, use_of_s3, uses_of_dynamodb
from shared.adapters.aws.messages import tenant_of_sealed, tenants_of_events, tenants_of_messages
from shared.adapters.aws.sdk_sessions import new_sdk_session
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

_CONFIG: Final = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "max_attempts": 4})
_PROMPT_CONFIG: Final = Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "max_attempts": 2})

_SQS_ACTIONS: Final = {
    "SendMessageBatch": "sqs:SendMessage",
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "DeleteMessageBatch": "sqs:DeleteMessage",
}


class AwsClients:
    """The AWS clients of one function, each made when first asked for."""

    def __init__(self, guard: Guard, check_told: WriteCheck, admit: Admit, sessions_of: SessionsOf) -> None:
        self._guard = guard
        self._check_told = check_told
        self._admit = admit
        self._sessions_of = sessions_of

    @cached_property
    def _own(self) -> boto3.Session:
        return new_sdk_session()

    @cached_property
    def _signing(self) -> boto3.Session:
        """A session whose clients sign each call for the tenant whom it serves."""
        return new_sdk_session(OneProvider(self._credentials))

    @cached_property
    def _credentials(self) -> CallCredentials:
        return CallCredentials(self._own._session.get_credentials(), lambda: self._sessions)  # noqa: SLF001

    @cached_property
    def _sessions(self) -> TenantSessions:
        return self._sessions_of(self._own.client("sts", config=_PROMPT_CONFIG))

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        client = self._signing.client("dynamodb", config=_CONFIG)
        client.meta.events.register("provide-client-params.dynamodb", self._check_dynamodb)
        return client

    @cached_property
    def prompt_dynamodb(self) -> "DynamoDBClient":
        """A client of three short tries: for what every request waits for."""
        client = self._signing.client("dynamodb", config=_PROMPT_CONFIG)
        client.meta.events.register("provide-client-params.dynamodb", self._check_dynamodb)
        return client

    @cached_property
    def s3(self) -> "S3Client":
        client = self._signing.client("s3", config=_CONFIG.merge(Config(signature_version="s3v4")))
        client.meta.events.register("provide-client-params.s3", self._check_s3)
        return client

    @cached_property
    def sqs(self) -> "SQSClient":
        client = self._own.client("sqs", config=_CONFIG)
        client.meta.events.register("provide-client-params.sqs", self._check_sqs)
        return client

    @cached_property
    def prompt_sqs(self) -> "SQSClient":
        """A client of two short tries: for what every request waits for."""
        client = self._own.client("sqs", config=_PROMPT_CONFIG)
        client.meta.events.register("provide-client-params.sqs", self._check_sqs)
        return client

    @cached_property
    def events(self) -> "EventBridgeClient":
        client = self._own.client("events", config=_CONFIG)
        client.meta.events.register("provide-client-params.events", self._check_events)
        return client

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        client = self._own.client("secretsmanager", config=_CONFIG)
        client.meta.events.register("provide-client-params.secretsmanager", self._check_secrets)
        return client

    @cached_property
    def kms(self) -> "KMSClient":
        client = self._own.client("kms", config=_CONFIG)
        client.meta.events.register("provide-client-params.kms", self._check_kms)
        return client

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
