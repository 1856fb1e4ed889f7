"""`/docs`: the HTTP API, to read and to try, by Swagger UI. Everything that the page loads comes from this service.

Swagger UI's files are those in the package fastapi-offline; nothing else of it is used. No token: the page holds no data.
"""

from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, Response

from service.problems import Problem

router = APIRouter(prefix="/docs", include_in_schema=False)

_FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon.png": "image/png"}
_HEADERS = {
    # Swagger UI sets styles on its elements; scripts are files of ours alone
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_DAY = {"Cache-Control": "max-age=86400"}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>energy-data-pipeline: HTTP API</title>
<link rel="icon" href="/docs/static/favicon.png">
<link rel="stylesheet" href="/docs/static/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>The description of the API is at <a href="/openapi.json">/openapi.json</a>; this page shows it by JavaScript.</noscript>
<script src="/docs/static/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"""


@router.get("")
async def page() -> Response:
    """The page."""
    return HTMLResponse(_PAGE, headers=_HEADERS)


@router.get("/start.js")
async def start() -> Response:
    """What starts Swagger UI on it."""
    return Response(_START, media_type="text/javascript", headers=_HEADERS | _DAY)


@router.get("/static/{name}")
def static(name: Annotated[str, PathParameter(max_length=100)]) -> Response:
    """A file of Swagger UI."""
    if name not in _FILES:
        raise Problem(404, "there is no such file")
    content = files("fastapi_offline").joinpath("static", name).read_bytes()
    return Response(content, media_type=_FILES[name], headers=_HEADERS | _DAY)
