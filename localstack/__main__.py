"""The local cloud from the command line: `python -m localstack run|stop|clean|ask|drop|token|address|status|logs|lock`.

`make` calls this and passes what the user typed in the environment: PORT, VECTORS, CACHE, Q, FILE.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from localstack import cloud, emulator, function_logs, install, opensearch_node
from localstack.failures import LocalCloudError
from localstack.local_server import Say

LOCK: Final = "package-lock.json"
NODE_PROJECTS: Final = (
    install.ROOT,
    install.ROOT / "tests" / "oidc" / "provider",
    install.ROOT / "tests" / "policies" / "simulator",
)


def run() -> None:
    """Start and deploy the local cloud, add the sample documents, ask three questions."""
    from localstack import display
    from localstack.demo import run_demo

    port = _port()
    run_demo(cloud.FOLDER, port, _opensearch_endpoint(cloud.FOLDER, display.line) | _cache_endpoint())


def stop() -> None:
    """End everything that `run` started; data stays."""
    ended = cloud.stop(cloud.FOLDER)
    print(f"Ended: {', '.join(ended)}. The data stays in {_shown(cloud.FOLDER)}." if ended else "Nothing was running.")


def clean() -> None:
    """End everything that `run` started, and remove its data."""
    ended = cloud.remove(cloud.FOLDER)
    told = f"Ended: {', '.join(ended)}. " if ended else ""
    print(f"{told}Nothing is left in {_shown(cloud.FOLDER)}.")


def ask() -> None:
    """Ask the sample knowledge base the question in Q."""
    from localstack.demo import ask_demo

    question = _given("Q", 'make ask Q="How long is the notice period?"')
    ask_demo(cloud.find(cloud.FOLDER), question)


def drop() -> None:
    """Drop the file in FILE into the sample knowledge base and watch it become ready."""
    from localstack.demo import drop_into_demo

    file = Path(_given("FILE", "make drop FILE=path/to/document.pdf")).expanduser()
    if not file.is_file():
        raise LocalCloudError(f"There is no file {file}.", "make drop FILE=path/to/document.pdf")
    drop_into_demo(cloud.find(cloud.FOLDER), file)


def token() -> None:
    """Print an access token of the demo organisation's owner, good for some minutes at least."""
    print(cloud.find(cloud.FOLDER).session.access_token)


def address() -> None:
    """Print where the deployed API answers."""
    print(cloud.find(cloud.FOLDER).api_address)


def status() -> None:
    """Say what runs, and how every document of the sample knowledge base is."""
    from localstack.demo import show_servers, show_status

    show_servers(cloud.FOLDER)
    show_status(cloud.find(cloud.FOLDER))


def logs() -> None:
    """Print what the deployed functions logged, the oldest first, without measurements."""
    lines = function_logs.read(cloud.find(cloud.FOLDER).emulator)
    for line in sorted((one for one in lines if one.is_message), key=lambda one: one.logged_at):
        logged_at = datetime.fromtimestamp(line.logged_at / 1000, UTC)
        print(f"{logged_at:%Y-%m-%d %H:%M:%S} {line.function} {line.text}")


def lock() -> None:
    """Write every package-lock.json again, with a hash for every package and without any address."""
    for folder in NODE_PROJECTS:
        # In a folder of its own: beside installed packages npm believes those, and leaves their hashes out.
        with tempfile.TemporaryDirectory() as scratch:
            for source in (folder / "package.json", install.ROOT / ".npmrc"):
                shutil.copy(source, scratch)
            install.npm("install", "--package-lock-only", "--prefix", scratch)
            written = json.loads((Path(scratch) / LOCK).read_text(encoding="utf-8"))
        for package in written["packages"].values():
            package.pop("funding", None)
        (folder / LOCK).write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


COMMANDS: Final[dict[str, Callable[[], None]]] = {
    command.__name__: command for command in (run, stop, clean, ask, drop, token, address, status, logs, lock)
}


def main() -> int:
    """Do what the first argument says; 1 after a failure that was explained."""
    command = COMMANDS.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if command is None:
        print(f"Usage: python -m localstack {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        command()
    except (LocalCloudError, install.SetupError) as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    except PermissionError as error:
        print(
            f"✗ This user may not: {error}\n"
            f"  → Was the local cloud made by another user, with sudo perhaps? Use it, or `make clean`, as that user.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. What runs goes on running: make status, make stop.", file=sys.stderr)
        return 130
    return 0


def _given(name: str, usage: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise LocalCloudError(f"{name} is missing.", usage)
    return value


def _port() -> int:
    asked = os.environ.get("PORT", "").strip()
    if not asked:
        return emulator.last_port(cloud.FOLDER / "emulator") or emulator.DEFAULT_PORT
    if not asked.isdigit() or not 1024 <= int(asked) < 65536:
        raise LocalCloudError(f"PORT={asked} is no port that a user may take.", "make run PORT=4577")
    return int(asked)


def _cache_endpoint() -> dict[str, str]:
    """Return the setting that names the Redis in CACHE; none, and limits are counted in a table."""
    address = os.environ.get("CACHE", "").strip()
    return {"cache_endpoint": address} if address else {}


def _opensearch_endpoint(folder: Path, say: Say) -> dict[str, str]:
    """Start the node if the chunks are to lie there, and return the setting that says so; none for the file.

    Where they lie stays as it was at first.
    """
    memory = folder / "vectors"
    made_with = memory.read_text(encoding="utf-8") if memory.exists() else None
    store = os.environ.get("VECTORS", "").strip() or made_with or "sqlite"
    if store not in {"sqlite", "opensearch"}:
        raise LocalCloudError(f"VECTORS={store} is unknown.", "VECTORS=sqlite (the default) or VECTORS=opensearch")
    if made_with not in {None, store}:
        raise LocalCloudError(
            f"The documents of this local cloud are indexed in {made_with}.",
            f"Go on with them: make run VECTORS={made_with}. Or begin anew: make clean run VECTORS={store}",
        )
    cloud.claim(folder)
    memory.write_text(store, encoding="utf-8")
    if store == "sqlite":
        return {}
    endpoint = opensearch_node.start(folder / "opensearch", opensearch_node.JARS, say=say)
    say(f"OpenSearch node is up on {endpoint}")
    return {"opensearch_endpoint": endpoint}


def _shown(path: Path) -> str:
    return str(path.relative_to(install.ROOT) if path.is_relative_to(install.ROOT) else path)


if __name__ == "__main__":
    sys.exit(main())
