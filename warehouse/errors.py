"""Errors that a user can mend."""

import errno
from collections.abc import Iterator

import psycopg
from pydantic import ValidationError


class UsageError(Exception):
    """A parameter, a setting or the server is wrong: said in one line, exit code 2, nothing changed."""


class OutageError(UsageError):
    """The database could be used and then could not: said in one line, exit code 1; run the command again."""


class LockTimeoutError(Exception):
    """Another session held a lock for too long: said in one line, exit code 1; run the command again."""


def in_words(error: ValidationError) -> str:
    """The first fault of a setting or parameter in one line, without a password."""
    fault = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in fault["loc"]).upper() or "parameters"
    is_secret = any(word in name.lower() for word in ("password", "token", "database_url"))
    return f"{name}: {fault['msg']}" + ("" if is_secret else f" (given: {fault['input']!r})")


def trouble_of(error: BaseException) -> str | None:
    """What the database or the disk did, in one line, if that is what an error comes of; None if it comes of anything else."""
    for one in _chain(error):
        if isinstance(one, OutageError):
            return str(one)
        if isinstance(one, psycopg.errors.DiskFull) or (
            isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT)
        ):
            return _said("The disk is full", one, "Make space and run the same command again")
    for one in _chain(error):
        if isinstance(one, psycopg.OperationalError | psycopg.InterfaceError) or _is_of_psycopg2(one):
            if getattr(one, "pgcode", None) == psycopg.errors.DiskFull.sqlstate:
                return _said("The disk is full", one, "Make space and run the same command again")
            return went_away(str(one) or type(one).__name__)
    return None


def went_away(reason: str) -> str:
    """One line for a database that could be used until now."""
    return _said("The database went away", RuntimeError(reason), "When it is back, run the same command again")


def _said(what: str, error: BaseException, then: str) -> str:
    first = next(iter(str(error).splitlines()), type(error).__name__).strip()
    return f"{what} ({first}). What was done is kept. {then}."


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, what it wraps, and what it came of."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [getattr(one, "orig", None), one.__cause__, one.__context__]


def _is_of_psycopg2(error: BaseException) -> bool:
    import psycopg2  # dlt's driver; whoever has not loaded anything with it need not load it

    return isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
