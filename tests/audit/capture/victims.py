"""Processes that ask for things and are killed while they do: `python -m tests.audit.capture.victims`.

Reads one line of JSON: the settings of a cloud. Then each further line is one process of its own, a fork of this one:
whose tenant it acts for, at which of its requests to AWS it is killed (0: never), and whether before or after. What it
heard is written one answer a line, at once; a last line says that it ended, and how many requests it made.
"""

import asyncio
import json
import os
import sys
from typing import Any

from shared.composition.settings import Settings
from tests.audit.capture.acting import NOBODYS_BASE, client_of, create_base
from tests.audit.capture.faults import Death, met_with


def say(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


async def ask(settings: Settings, tenant: str, death: Death) -> None:
    async with client_of(settings, tenant) as client:
        with met_with(death):
            created = await create_base(client)
            say(said="POST", status=created.status_code, id=created.json()["id"], request=_id(created))
            for base in (created.json()["id"], NOBODYS_BASE):
                answer = await client.get(f"/knowledge-bases/{base}")
                say(said="GET", status=answer.status_code, request=_id(answer))
            renamed = await client.patch(f"/knowledge-bases/{NOBODYS_BASE}", json={"name": "Initech"})
            say(said="PATCH", status=renamed.status_code, request=_id(renamed))
    say(said="END", requests=death.counted)


def _id(answer: Any) -> str:
    return str(answer.headers["x-request-id"])


def main() -> None:
    variables = json.loads(sys.stdin.readline())
    os.environ.update({name: value for name, value in variables.items() if name.startswith("AWS_")})
    for line in sys.stdin:
        planned = json.loads(line)
        child = os.fork()
        if child == 0:
            asyncio.run(ask(Settings(variables), planned["tenant"], Death(planned["at"], planned["is_after"])))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        say(said="GONE", is_killed=os.WIFSIGNALED(status))


if __name__ == "__main__":
    main()
