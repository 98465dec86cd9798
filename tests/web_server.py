"""A web server on loopback that counts who connects: what must not be reached proves that it was not."""

import re
import socket
import ssl
import threading
from collections.abc import Callable

Serve = Callable[[socket.socket], None]


def read_request(peer: socket.socket) -> bytes:
    content = b""
    while b"\r\n\r\n" not in content:
        received = peer.recv(65_536)
        if not received:
            raise ConnectionResetError("no request came")
        content += received
    head, _, body = content.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    while length and len(body) < int(length[1]):
        body += peer.recv(65_536)
    return head + b"\r\n\r\n" + body


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Server:
    """A listener on loopback that answers each connection as it is told to."""

    def __init__(self, serve: Serve, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self._serve = serve
        self._tls = tls
        self._listening = socket.create_server((host, port))
        self.port = self._listening.getsockname()[1]
        self.connections = 0
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            with connected:
                try:
                    speaking = self._tls.wrap_socket(connected, server_side=True) if self._tls else connected
                    with speaking:
                        self.requests.append(read_request(speaking))
                        self._serve(speaking)
                except OSError:
                    continue

    def stop(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


class Site(Server):
    """A server with pages: each path has its answer, or a list of which each request gets the next."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.pages: dict[str, bytes | list[bytes]] = {}
        super().__init__(self._answer, host=host, port=port)

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [request.split(b" ")[1].decode() for request in list(self.requests)]

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def _answer(self, peer: socket.socket) -> None:
        found = self.pages.get(self.paths[-1], answer(b"nothing", "404 Not Found"))
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        peer.sendall(found)
