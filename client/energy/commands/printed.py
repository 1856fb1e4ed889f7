"""What the command says: results on stdout, sentences for people on stderr.

What the service gives may hold words of others, such as the request of another user's workload. A terminal would obey the
control characters in them; here they become text.
"""

from __future__ import annotations

import re
import sys

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""C0 except tab and newline, delete, C1, and what turns the direction of writing."""


def printable(text: str) -> str:
    """The text with each control character spelled out: `\\x1b` for ESC."""
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def out(words: str) -> None:
    """A result."""
    print(printable(words), flush=True)  # noqa: T201  the one place of the command that prints


def say(words: str) -> None:
    """A sentence for people; one line."""
    print(f"energy: {printable(' '.join(words.split()))}", file=sys.stderr, flush=True)  # noqa: T201  the one place of the command that prints
