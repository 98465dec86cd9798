"""Members of the deployed local cloud without a sign-in: written into its table, their tokens signed with its own key.

Tests that are not about signing in need many of them, and would wait for passwords to be hashed.
"""

import json
from dataclasses import dataclass
from functools import cached_property

from localstack import aws
from localstack.cloud import LocalCloud
from shared.adapters.dynamodb.tenancy_records import DynamoTenancy
from shared.adapters.dynamodb.transactions import Transactions
from shared.adapters.jose.token_signer import JoseTokenSigner
from shared.identity.permissions import Role
from tests.enrolment import Enrolment
from tests.records import act_of_test
from tests.signing import TestSigner

ISSUER = "urn:tessera:local"


@dataclass(frozen=True)
class People:
    """Who works with one local cloud."""

    cloud: LocalCloud

    def token(self, tenant: str, user: str, role: Role) -> str:
        """Return an access token, good for an hour, of a member who is enrolled if need be."""
        self._enrolment.enrol(tenant, user, role)
        return self.signer.issue(tenant, user, role, iss=ISSUER)

    @cached_property
    def signer(self) -> TestSigner:
        """Signs with the key that sign-in signs with: the local cloud is young, so it has one."""
        stored = aws.secrets(self.cloud.emulator.endpoint).get_secret_value(SecretId="tessera-local-signing-keys")
        ((key_id, private_key),) = json.loads(stored["SecretString"])["keys"].items()
        return TestSigner(key_id, private_key, JoseTokenSigner())

    @cached_property
    def _enrolment(self) -> Enrolment:
        outputs = self.cloud.deployment.outputs
        client = aws.dynamodb(self.cloud.emulator.endpoint)
        transactions = Transactions(client, lambda: outputs["AuditTable"], act_of=act_of_test)
        return Enrolment(DynamoTenancy(transactions, outputs["IdentityTable"]))
