"""What all command lines share: exit codes, and errors that a user can mend in one line.

0: done, even where an upstream failed and synthetic values stand in. 1: something could not be done, or was cut short; what
was done is kept. 2: a parameter, a setting or the server is wrong; nothing was changed.
"""

import sys
from collections.abc import Callable
from typing import NoReturn

from pydantic import ValidationError

from warehouse.errors import LockTimeoutError, OutageError, UsageError, in_words, trouble_of
from warehouse.printed import out


def run(command: Callable[[], bool | None]) -> NoReturn:
    """Run a command that returns whether all went well (None: it did), and exit as it went."""
    try:
        went_well = command()
    except UsageError as error:
        _end(str(error), 1 if isinstance(error, OutageError) else 2)
    except ValidationError as error:
        _end(in_words(error), 2)
    except LockTimeoutError as error:
        _end(str(error), 1)
    except Exception as error:
        if (reason := trouble_of(error)) is None:
            raise
        _end(reason, 1)
    except KeyboardInterrupt:
        out("stopped; run the same command again to go on", file=sys.stderr)
        sys.exit(130)
    sys.exit(1 if went_well is False else 0)


def _end(reason: str, code: int) -> NoReturn:
    out(f"error: {reason}", file=sys.stderr)
    sys.exit(code)
