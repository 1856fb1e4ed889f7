"""`/sign-in` and `/sign-out`: a form takes a token once, and a cookie keeps it for the pages that show an operator's rows."""

from urllib.parse import parse_qs, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from service import tokens
from service.access import Service
from service.limits import address
from service.pages import cookie
from service.pages.rendering import PRIVATE, bare
from service.problems import Problem

TITLE = "Sign in"
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 10


def show(request: Request) -> Response:
    """The form by itself."""
    return bare(TITLE, back="/plan", is_encrypted=cookie.is_encrypted(request))


async def enter(request: Request, state: Service) -> Response:
    """Let the token of the form in, and go to the page that wanted it. Raises Problem 403 for a form of another site."""
    _check_origin(request)
    token, back = await _given(request)
    hashed = tokens.digest_of(f"Bearer {token}")
    caller = None
    if hashed is not None:
        caller = await tokens.find(hashed, state.callers, state.look_ups, state.verified, address(request.scope))
    if caller is None:
        why = "This token is not known, or was revoked." if token else "No token was given."
        return bare(TITLE, why=why, status=401, back=back, is_encrypted=cookie.is_encrypted(request))
    response = RedirectResponse(back, 303, PRIVATE)
    cookie.keep(response, request, token)
    return response


def leave(request: Request) -> Response:
    """Have the browser forget the token, and go to the front page. Raises Problem 403 for a form of another site."""
    _check_origin(request)
    response = RedirectResponse("/", 303, PRIVATE)
    cookie.forget(response)
    return response


def way_back(wanted: str) -> str:
    """The page to go to after a form: one that takes the cookie, with its state; never an address of another site."""
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or parts.path not in cookie.PATHS:
        return "/plan"
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


async def _given(request: Request) -> tuple[str, str]:
    """The token and the way back. Raises Problem 422 for what is no form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Problem(422, f"body: is no form; send it as {FORM}")
    try:
        fields = parse_qs((await request.body()).decode(), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Problem(422, "body: is no form of this page") from None
    return fields.get("token", [""])[0].strip(), way_back(fields.get("back", ["/plan"])[0])


def _check_origin(request: Request) -> None:
    """Another site could otherwise sign a reader in with a token of its own, or out. Programs send neither header."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        origin = request.headers.get("origin")
        is_ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not is_ours:
        raise Problem(403, "This form was sent from another site. Open the page itself, and send its own form.")
