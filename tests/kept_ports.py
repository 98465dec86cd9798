"""Ports of loopback that nobody else is given, for servers that come and go, or come later."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from localstack.ports import HOST


@contextmanager
def kept_port() -> Iterator[int]:
    """Give a port for as long as the block runs: whoever asks for any free one, gets another.

    Its socket is bound and does not listen, so that whoever connects is refused; a server that reuses addresses, as all
    of ours do, may listen there as often as it likes.
    """
    with socket.socket() as keeping:
        keeping.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeping.bind((HOST, 0))
        port: int = keeping.getsockname()[1]
        yield port
