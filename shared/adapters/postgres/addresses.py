"""Where a database is and how one signs in, from one URL."""

from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext, create_default_context
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

DEFAULT_PORT: Final = 5432


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """What an address says. `password` None means none is needed, or that a token of IAM takes its place."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = None
    signs_in_by_iam: bool = False
    tls: str = "none"
    certificates: str | None = None

    def tls_context(self) -> SSLContext | str | None:
        """Return what the driver takes as `ssl`; None for no encryption."""
        match self.tls:
            case "verify":
                return create_default_context(cafile=self.certificates)
            case "encrypt":
                return "require"
        return None


def read_address(address: str) -> DatabaseAddress:
    """Read `postgresql://user[:password]@host:port/database`, with `?iam=true` where a token of IAM is the password.

    `tls=verify` asks for a certificate of a known authority in the server's name (`certificates` names a file of
    authorities below the asset's folder), `tls=encrypt` for encryption alone. Raises: ValueError for anything else.
    """
    url = urlsplit(address)
    query = {name: values[-1] for name, values in parse_qs(url.query, strict_parsing=bool(url.query)).items()}
    tls, certificates = query.pop("tls", "none"), query.pop("certificates", None)
    iam = query.pop("iam", "false")
    if url.scheme != "postgresql" or not url.hostname or not url.path[1:] or query:
        raise ValueError("A database's address looks like postgresql://user@host:5432/database?iam=true&tls=verify.")
    if tls not in {"none", "encrypt", "verify"} or iam not in {"true", "false"}:
        raise ValueError("tls is none, encrypt or verify; iam is true or false.")
    if iam == "true" and tls == "none":
        raise ValueError("A token of IAM is a password: it travels encrypted or not at all.")
    return DatabaseAddress(
        host=url.hostname,
        port=url.port or DEFAULT_PORT,
        database=url.path[1:],
        user=unquote(url.username or ""),
        password=None if url.password is None else unquote(url.password),
        signs_in_by_iam=iam == "true",
        tls=tls,
        certificates=None if certificates is None else str(Path(__file__).resolve().parents[3] / certificates),
    )
