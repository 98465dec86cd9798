"""Where nothing ever answers, for tests of what happens then.

Not port 9: hostile documents point there, and their tests listen whether somebody comes.
"""

from typing import Final

NOBODY: Final = "127.0.0.1:1"
