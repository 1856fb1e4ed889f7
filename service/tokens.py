"""Bearer tokens: made once, shown once, kept as hashes, compared in constant time.

A token is 256 random bits, so that a plain SHA-256 of it can be neither guessed nor reversed.
"""

import hashlib
import os
import re
import secrets
from collections.abc import MutableMapping
from pathlib import Path

from service.look_ups import LookUps
from service.problems import Problem
from service.tenancy import Caller
from warehouse.database import Database
from warehouse.errors import UsageError

PREFIX = "energy_"
DEVELOPMENT = "development"
LONGEST_LABEL = 200


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def make(database: Database, *, operator: str | None, label: str) -> str:
    """Make a token for an operator by name, or (None) for the platform. Raises UsageError for a name that is not there."""
    if not 1 <= len(label) <= LONGEST_LABEL:
        raise UsageError(f"A label has 1 to {LONGEST_LABEL} characters; this one has {len(label)}.")
    token = PREFIX + secrets.token_urlsafe(32)
    with database.connect() as connection:
        operator_id = None
        if operator is not None:
            row = connection.execute("select operator_id from app.operators where name = %s", [operator]).fetchone()
            if row is None:
                known = [name for (name,) in connection.execute("select name from app.operators order by name")]
                raise UsageError(f"There is no operator {operator!r}. There are: {', '.join(known) or 'none yet'}.")
            operator_id = row[0]
    register(database, token, operator_id=operator_id, label=label)
    return token


def register(database: Database, token: str, *, operator_id: object = None, label: str) -> None:
    """Let this token in from now on, in place of the one that had this label."""
    with database.connect() as connection, connection.transaction():
        connection.execute(
            "update app.operator_tokens set revoked_at = clock_timestamp() "
            "where label = %s and revoked_at is null and token_sha256 <> %s",
            [label, digest(token)],
        )
        connection.execute(
            "insert into app.operator_tokens (token_sha256, operator_id, label) values (%s, %s, %s) "
            "on conflict (token_sha256) do update set revoked_at = null, label = excluded.label",
            [digest(token), operator_id, label],
        )


def development_token(data_dir: Path) -> str:
    """The token of `<data_dir>/service.env`, made at the first call; readable by its owner alone."""
    path = data_dir / "service.env"
    if path.exists():
        found = re.search(r"^SERVICE_TOKEN=(\S+)$", path.read_text(), flags=re.M)
        if found:
            return found[1]
    token = PREFIX + secrets.token_urlsafe(32)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
        file.write(f"SERVICE_TOKEN={token}\n")
    return token


def digest_of(authorization: str) -> bytes | None:
    """The digest of the bearer token of this header; None where it holds none."""
    scheme, _, token = authorization.partition(" ")
    return digest(token.strip()) if scheme.lower() == "bearer" and token.strip() else None


async def authenticate(
    authorization: str,
    known: MutableMapping[bytes, Caller],
    look_ups: LookUps,
    verified: MutableMapping[bytes, Caller],
) -> Caller:
    """Who sends this header. Raises Problem 401 without a token that is let in.

    `known` lets a token in without a look-up; `verified` remembers for longer that it was let in once, which lets nobody in.
    """
    hashed = digest_of(authorization)
    if hashed is None:
        raise Problem(401, "send a bearer token: Authorization: Bearer ...", headers={"WWW-Authenticate": "Bearer"})
    caller = await find(hashed, known, look_ups, verified)
    if caller is None:
        raise Problem(401, "this token is not known, or was revoked", headers={"WWW-Authenticate": "Bearer"})
    return caller


async def find(
    hashed: bytes,
    known: MutableMapping[bytes, Caller],
    look_ups: LookUps,
    verified: MutableMapping[bytes, Caller],
    address: str = "",
) -> Caller | None:
    """Whom the token of this digest speaks for; None where it is not known, or was revoked."""
    caller = known.get(hashed)
    if caller is None:
        caller = await look_ups.find(hashed, address)
        if caller is None:
            verified.pop(hashed, None)
            return None
        # only after a look-up: a use does not make it live longer, so that one that was revoked ends in time
        known[hashed] = verified[hashed] = caller
    return caller
