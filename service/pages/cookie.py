"""The cookie of a reader who has signed in: the token, for the pages that show an operator's rows and for nothing else.

No script can read it (HttpOnly), no request that another site begins carries it (SameSite=Strict), and over https it is Secure
and of this host alone (`__Host-`). The API takes the header alone: a request that changes something is never let in by a cookie.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from service.limits import authorization_of

PATHS = frozenset({"/plan", "/quality"})
SECONDS = 12 * 3600
"""How long a browser keeps it; a token that is revoked ends before that, as everywhere"""
PLAIN, SECURE = "operator", "__Host-operator"


def is_encrypted(connection: HTTPConnection) -> bool:
    """Whether the reader's browser speaks https; a proxy that is not ours to believe may make a cookie Secure, no more."""
    forwarded = connection.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return "https" in (connection.scope.get("scheme"), forwarded)


def token_of(connection: HTTPConnection) -> str | None:
    """The token of the cookie, on a page that takes it; None elsewhere, and if there is none that can be read."""
    if connection.scope["path"] not in PATHS or connection.scope["method"] != "GET":
        return None
    kept = connection.cookies.get(SECURE if is_encrypted(connection) else PLAIN, "")
    try:
        return urlsafe_b64decode(kept + "=" * (-len(kept) % 4)).decode() or None
    except (binascii.Error, ValueError):
        return None


def sent_by(scope: Scope) -> str:
    """What a request authorizes itself with: its header, else, on a page that takes it, the cookie as such a header."""
    header = authorization_of(scope)
    if header or scope["path"] not in PATHS:
        return header
    token = token_of(HTTPConnection(scope))
    return f"Bearer {token}" if token else ""


def keep(response: Response, connection: HTTPConnection, token: str) -> None:
    """Have the reader's browser keep the token."""
    encrypted = is_encrypted(connection)
    value = urlsafe_b64encode(token.encode()).decode().rstrip("=")
    response.set_cookie(
        SECURE if encrypted else PLAIN,
        value,
        max_age=SECONDS,
        path="/",
        secure=encrypted,
        httponly=True,
        samesite="strict",
    )


def forget(response: Response) -> None:
    """Have the reader's browser forget it."""
    for name in (PLAIN, SECURE):
        response.delete_cookie(name, path="/", secure=name == SECURE, httponly=True, samesite="strict")
