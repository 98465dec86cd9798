"""What a deployment says about fetching from the web: CDK writes it into one variable, settings read it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

HostName = Annotated[str, StringConstraints(pattern=r"^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9-]{1,63}$")]
Contact = Annotated[str, StringConstraints(pattern=r"^[!-~]*$", max_length=200)]


class FetchPolicy(BaseModel):
    """Rules for addresses that users name; the defaults are the safe ones.

    `contact` (an address of a page or a mailbox) is told to every site, so that it can complain. With `allowed_hosts`,
    these hosts and those below them are all that may be fetched; `denied_hosts` never are. `reaches_loopback` opens the
    own machine: the local cloud alone may have it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    contact: Contact = ""
    allowed_hosts: tuple[HostName, ...] = ()
    denied_hosts: tuple[HostName, ...] = ()
    takes_plain_http: bool = False
    reaches_loopback: bool = False
