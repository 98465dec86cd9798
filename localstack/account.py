"""The demo organisation's owner: signed up and in as anybody is, remembered in files that only this user can read.

An access token is asked for again when it nears its end, by the refresh token while that is good, else by the password.
"""

import json
import os
import secrets
import time
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from localstack.api import Api, ApiProblemError
from localstack.failures import LocalCloudError

ORGANISATION: Final = "Demo"
EMAIL: Final = "you@demo.example"
DISPLAY_NAME: Final = "You"

STILL_GOOD_S: Final = 60
"""An access token with less left is not handed out: a command may use it for a while."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in; `good_until` counts seconds since 1970."""

    tenant: str
    access_token: str
    refresh_token: str
    good_until: float


def sign_in(api_address: str, folder: Path) -> Session:
    """Return a new session; the organisation is made before if it is not there. Raises: LocalCloudError."""
    password = _password(folder)
    with Api(api_address, None) as api:
        try:
            given = _ask_for_session(api, password)
        except ApiProblemError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
            _sign_up(api, password)
            given = _ask_for_session(api, password)
    return _remember(folder, given)


def session(api_address: str, folder: Path) -> Session:
    """Return the session of last time while it is good, else the one after it, else a new one."""
    known = _known(folder)
    if known is None:
        return sign_in(api_address, folder)
    if known.good_until - time.time() > STILL_GOOD_S:
        return known
    with Api(api_address, None) as api:
        try:
            return _remember(folder, api.call("POST", "/sessions/refresh", {"refresh_token": known.refresh_token}))
        except ApiProblemError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
    return sign_in(api_address, folder)


def _sign_up(api: Api, password: str) -> None:
    body = {
        "organisation_name": ORGANISATION,
        "display_name": DISPLAY_NAME,
        "email": EMAIL,
        "password": password,
    }
    try:
        api.call("POST", "/sign-ups", body)
    except ApiProblemError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
        raise LocalCloudError(
            f"{EMAIL} is known to this local cloud under another password than the one that is remembered here.",
            "Begin anew: make clean run",
        ) from error


def _ask_for_session(api: Api, password: str) -> Any:
    return api.call("POST", "/sessions", {"email": EMAIL, "password": password})


def _password(folder: Path) -> str:
    """Return the owner's password, which is made up the first time: stored before it is used, so it is never lost."""
    file = folder / "password"
    if not file.exists():
        _write_for_this_user(file, secrets.token_urlsafe(24))
    return file.read_text(encoding="utf-8")


def _known(folder: Path) -> Session | None:
    file = folder / "session.json"
    return Session(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


def _remember(folder: Path, given: dict[str, Any]) -> Session:
    made = Session(
        given["tenant"],
        given["access_token"],
        given["refresh_token"],
        time.time() + given["expires_in"],
    )
    _write_for_this_user(folder / "session.json", json.dumps(asdict(made)))
    return made


def _write_for_this_user(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as output:
        output.write(content)
    unfinished.replace(file)
