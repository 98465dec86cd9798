"""A server of names on loopback that may answer differently each time it is asked, and a resolver that asks it."""

import secrets
import socket
import struct
import threading
from collections.abc import Callable
from ipaddress import IPv4Address

from shared.adapters.http.destinations import IpAddress

_HEADER = struct.Struct("!HHHHHH")
_A, _IN = 1, 1


class NameServer:
    """Answers every question with the next list of IPv4 addresses, the last one for ever, to be kept for no time."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.questions = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._socket.getsockname()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            question, asker = self._socket.recvfrom(512)
            if not question:
                return
            self.questions += 1
            addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            (number,) = struct.unpack_from("!H", question)
            records = b"".join(
                struct.pack("!HHHIH", 0xC00C, _A, _IN, 0, 4) + IPv4Address(address).packed for address in addresses
            )
            header = _HEADER.pack(number, 0x8180, 1, len(addresses), 0, 0)
            self._socket.sendto(header + question[_HEADER.size :] + records, asker)

    def stop(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"", self.address)
        self._thread.join()
        self._socket.close()


def resolver_at(address: tuple[str, int]) -> Callable[[str, int], list[IpAddress]]:
    """Return a resolver that asks the server at `address` anew each time."""

    def resolve(host: str, _port: int) -> list[IpAddress]:
        name = b"".join(bytes([len(label)]) + label.encode() for label in host.split(".")) + b"\0"
        question = _HEADER.pack(secrets.randbits(16), 0x0100, 1, 0, 0, 0) + name + struct.pack("!HH", _A, _IN)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.sendto(question, address)
            answer = asking.recv(512)
        count = _HEADER.unpack_from(answer)[3]
        records = answer[len(question) :]
        return [IPv4Address(records[16 * one + 12 : 16 * one + 16]) for one in range(count)]

    return resolve
