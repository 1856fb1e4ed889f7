"""Errors that a user can mend: they end a command with one line and exit code 2, never with a traceback."""


class UsageError(Exception):
    """A parameter, a setting or the environment is wrong; the message says what, where and what to do."""
