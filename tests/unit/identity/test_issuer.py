"""The local cloud's issuer makes tokens that the verifier believes, and keeps its key to itself."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localstack.issuer import AUDIENCE, ISSUER, main, open_issuer
from shared.adapters.jose.key_set import KeySet, fetcher
from shared.adapters.jose.token_verifier import JoseTokenVerifier
from shared.identity.caller import Caller
from shared.identity.permissions import Role
from shared.kernel.clock import SystemClock
from shared.kernel.ids import TenantId, UserId


async def test_printed_token_is_believed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--folder", str(tmp_path), "--tenant", "acme", "--user", "ada", "--role", "viewer", "--ttl", "60"])

    keys = KeySet(fetcher(open_issuer(tmp_path).keys_address, "local"))
    verifier = JoseTokenVerifier(keys, issuer=ISSUER, audience=AUDIENCE, clock=SystemClock())
    caller = await verifier.verify(capsys.readouterr().out.strip())

    assert caller == Caller(TenantId("acme"), UserId("ada"), Role.VIEWER)


def test_starting_twice_at_once_leaves_one_key_and_its_key_set(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        issuers = list(pool.map(lambda _: open_issuer(tmp_path), range(4)))

    assert len({issuer.key_id for issuer in issuers}) == 1
    assert issuers[0].key_id in issuers[0].keys_file.read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"signing-key.pem", "jwks.json"}


def test_signing_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    open_issuer(tmp_path)

    assert (tmp_path / "signing-key.pem").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("wish", [["--ttl", "3601"], ["--ttl", "0"], ["--tenant", "Acme"], ["--role", "root"]])
def test_token_that_nobody_would_believe_is_not_made(tmp_path: Path, wish: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--folder", str(tmp_path), *wish])
