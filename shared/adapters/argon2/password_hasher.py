"""Passwords hashed with Argon2id (RFC 9106), in a thread: a hash takes a tenth of a second and 64 MiB."""

import asyncio
from typing import Final

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from shared.identity.passwords import spelled

TIME_COST: Final = 3
MEMORY_KIB: Final = 64 * 1024
LANES: Final = 1
"""RFC 9106 §4 recommends 3 passes over 64 MiB, with 4 lanes where there are 4 cores; a function has one."""


class Argon2PasswordHasher:
    """Implements `PasswordHasher`."""

    def __init__(self, *, time_cost: int = TIME_COST, memory_kib: int = MEMORY_KIB, lanes: int = LANES) -> None:
        self._hasher = argon2.PasswordHasher(time_cost, memory_kib, lanes, type=argon2.Type.ID)

    async def hash(self, password: str) -> str:
        return await asyncio.to_thread(self._hasher.hash, spelled(password))

    async def verify(self, password_hash: str, password: str) -> bool:
        return await asyncio.to_thread(self._verify, password_hash, password)

    async def verify_nobody(self, password: str) -> None:
        # Making a hash costs what checking one does, and needs none to be at hand.
        await self.hash(password)

    def needs_rehash(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, spelled(password))
        except (VerificationError, InvalidHashError):
            return False
