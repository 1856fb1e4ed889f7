"""Lines for a terminal. What came from elsewhere, an upstream or a name in the database, may hold control characters, and a
terminal would obey them; here they become text."""

import re
import sys
from typing import TextIO

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""C0 except tab and newline, delete, C1, and what turns the direction of writing."""


def printable(text: str) -> str:
    """The text with each control character spelled out: `\\x1b` for ESC."""
    return _OBEYED.sub(
        lambda found: f"\\x{ord(found[0]):02x}" if ord(found[0]) < 256 else f"\\u{ord(found[0]):04x}", text
    )


def out(line: object = "", *, file: TextIO | None = None, flush: bool = False) -> None:
    """Print a line, on standard output unless `file` is given."""
    print(printable(str(line)), file=file or sys.stdout, flush=flush)


def storable(text: str) -> str:
    """The text as PostgreSQL can hold it: NUL and halves of surrogate pairs, which JSON and headers can bring, spelled out."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\x00")
