"""MiniStack as `python -m ministack` runs it, which saves its state at its end, and here whenever it is asked to, too.

A machine that is switched off ends no process properly: what the last save knew is then still there.
"""

import os
import signal
import threading
from pathlib import Path

SAVED = "saved"
"""File in the state folder that is touched after each save."""


def main() -> None:
    """Serve until ended; SIGUSR1 asks for a save."""
    from ministack import app
    from ministack.core import persistence

    one_at_a_time = threading.Lock()

    def save() -> None:
        with one_at_a_time:
            # The very call that MiniStack makes when it ends; a test holds it to the pinned version.
            persistence.save_all(app._build_persistence_save_dict())  # noqa: SLF001
            (Path(os.environ["STATE_DIR"]) / SAVED).touch()

    # Not in the handler itself: it would hold up the event loop.
    signal.signal(signal.SIGUSR1, lambda *_: threading.Thread(target=save, name="save").start())
    app.main()


if __name__ == "__main__":
    main()
