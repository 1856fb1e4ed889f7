"""Errors that a user can mend."""

from pydantic import ValidationError


class UsageError(Exception):
    """A parameter, a setting or the server is wrong: told in one line, exit code 2, nothing changed."""


class LockTimeoutError(Exception):
    """Another session held a lock for too long: told in one line, exit code 1; run the command again."""


def in_words(error: ValidationError) -> str:
    """The first fault of a setting or parameter in one line, without a password."""
    fault = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in fault["loc"]).upper() or "parameters"
    is_secret = any(word in name.lower() for word in ("password", "token", "database_url"))
    return f"{name}: {fault['msg']}" + ("" if is_secret else f" (given: {fault['input']!r})")
