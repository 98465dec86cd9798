"""Signing in, sessions, signing keys and security events of one function, each built when first asked for."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from shared.composition.adapters import Adapters
from shared.composition.settings import Settings
from shared.kernel.clock import Clock
from shared.operations.capabilities import IDENTITY, SIGNING_KEYS, TOKEN_AUDIENCE, TOKEN_ISSUER
from shared.operations.grants import Grants

if TYPE_CHECKING:
    from shared.adapters.secretsmanager.signing_key_ring import SecretKeySafe
    from shared.identity.access_tokens import AccessTokens
    from shared.identity.guesses import GuessStore
    from shared.identity.key_rotation import KeyRotation
    from shared.identity.password_sign_in import PasswordChange, PasswordCheck, PasswordSignIn
    from shared.identity.passwords import PasswordHasher
    from shared.identity.security_events import SecurityEvents
    from shared.identity.session_keeping import SessionEnding, SessionKeeper
    from shared.identity.sessions import SessionStore
    from shared.identity.signing_keys import PublishedKeys
    from shared.identity.users import Memberships, Users


@dataclass(frozen=True)
class Identity:
    """Who people are, and how they show it."""

    adapters: Adapters
    settings: Settings
    grants: Grants
    clock: Clock

    @cached_property
    def sign_in(self) -> "PasswordSignIn":
        from shared.identity.password_sign_in import PasswordSignIn

        return PasswordSignIn(self.users, self.memberships, self.password_hasher, self.password_check, self.sessions)

    @cached_property
    def password_change(self) -> "PasswordChange":
        from shared.identity.password_sign_in import PasswordChange

        return PasswordChange(
            self.users,
            self.memberships,
            self.password_hasher,
            self.password_check,
            self.session_ending,
            self.security_events,
            self.clock,
        )

    @cached_property
    def sessions(self) -> "SessionKeeper":
        """Begins and refreshes sessions: it can sign access tokens."""
        from shared.identity.session_keeping import SessionKeeper

        return SessionKeeper(self._session_store, self.users, self.memberships, self._tokens, self.clock)

    @cached_property
    def session_ending(self) -> "SessionEnding":
        from shared.identity.session_keeping import SessionEnding

        return SessionEnding(self._session_store, self.clock)

    @cached_property
    def key_rotation(self) -> "KeyRotation":
        from shared.adapters.jose.token_signer import RsaKeyMaker
        from shared.identity.key_rotation import KeyRotation

        return KeyRotation(self.published_keys, self._key_safe, RsaKeyMaker(), self.clock)

    @cached_property
    def published_keys(self) -> "PublishedKeys":
        from shared.adapters.dynamodb.signing_keys import DynamoPublishedKeys

        return DynamoPublishedKeys(self.adapters.aws.dynamodb, self.settings.address_of(IDENTITY))

    @cached_property
    def users(self) -> "Users":
        from shared.adapters.dynamodb.users import DynamoUsers

        return DynamoUsers(self.adapters.transactions, self.settings.address_of(IDENTITY))

    @cached_property
    def memberships(self) -> "Memberships":
        from shared.adapters.dynamodb.memberships import DynamoMemberships

        return DynamoMemberships(self.adapters.transactions, self.settings.address_of(IDENTITY))

    @cached_property
    def password_hasher(self) -> "PasswordHasher":
        from shared.adapters.argon2.password_hasher import Argon2PasswordHasher

        return Argon2PasswordHasher()

    @cached_property
    def security_events(self) -> "SecurityEvents":
        from shared.adapters.dynamodb.security_events import DynamoSecurityEvents

        return DynamoSecurityEvents(self.adapters.aws.dynamodb, self.settings.address_of(IDENTITY))

    @cached_property
    def password_check(self) -> "PasswordCheck":
        from shared.identity.guesses import GuessAllowance
        from shared.identity.password_sign_in import PasswordCheck

        allowance = GuessAllowance(self._guess_store, self.clock)
        return PasswordCheck(self.memberships, self.password_hasher, allowance, self.security_events, self.clock)

    @cached_property
    def _tokens(self) -> "AccessTokens":
        """It remembers the signing keys between invocations."""
        from shared.adapters.jose.token_signer import JoseTokenSigner
        from shared.identity.access_tokens import AccessTokens

        self.grants.require(TOKEN_ISSUER, TOKEN_AUDIENCE, SIGNING_KEYS.read)
        return AccessTokens(
            self.published_keys,
            self._key_safe,
            JoseTokenSigner(),
            self.clock,
            issuer=self.settings.address_of(TOKEN_ISSUER.resource),
            audience=self.settings.address_of(TOKEN_AUDIENCE.resource),
            lifetime_s=self.settings.access_token_lifetime_s,
        )

    @cached_property
    def _key_safe(self) -> "SecretKeySafe":
        from shared.adapters.secretsmanager.signing_key_ring import SecretKeySafe

        return SecretKeySafe(self.adapters.aws.secrets, self.settings.address_of(SIGNING_KEYS))

    @cached_property
    def _session_store(self) -> "SessionStore":
        from shared.adapters.dynamodb.sessions import DynamoSessions

        return DynamoSessions(self.adapters.transactions, self.settings.address_of(IDENTITY))

    @cached_property
    def _guess_store(self) -> "GuessStore":
        from shared.adapters.dynamodb.guesses import DynamoGuesses

        return DynamoGuesses(self.adapters.aws.dynamodb, self.settings.address_of(IDENTITY))
