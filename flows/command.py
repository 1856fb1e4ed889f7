"""What the command lines share: exit codes, and errors a user can mend in one line.

0: done, even where an upstream failed and synthetic values stand in. 1: a table could not be published. 2: a
parameter, a setting or the server is wrong; nothing was changed.
"""

import sys
from collections.abc import Callable
from typing import NoReturn

from pydantic import ValidationError

from flows.settings import FlowSettings
from warehouse.errors import LockTimeoutError, UsageError, in_words, trouble_of
from warehouse.printed import out


def is_tracked() -> bool:
    """Whether a Prefect server is asked to track this run."""
    return bool(FlowSettings().prefect_api_url)


def run(command: Callable[[], bool]) -> NoReturn:
    """Run a command that returns whether all went well, and exit as it went."""
    try:
        went_well = command()
    except UsageError as error:
        _refuse(str(error))
    except ValidationError as error:
        _refuse(in_words(error))
    except LockTimeoutError as error:
        out(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        if (reason := trouble_of(error)) is None:
            raise
        out(f"error: {reason}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        out("stopped; run the same command again to go on", file=sys.stderr)
        sys.exit(130)
    sys.exit(0 if went_well else 1)


def _refuse(reason: str) -> NoReturn:
    out(f"error: {reason}", file=sys.stderr)
    sys.exit(2)
