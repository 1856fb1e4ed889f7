"""The OpenAPI document: FastAPI's, with our refusals (RFC 9457) in the place of its own, and how to send a token."""

from typing import Any

from fastapi import FastAPI

from service.models.problems import ProblemDetails

_REFUSALS = {
    "401": "No token, or one that is not known.",
    "404": "It does not exist, or is not yours; or a place without a region.",
    "406": "None of the forms that Accept names is given.",
    "409": "The state of things forbids it.",
    "422": "A parameter or field is wrong.",
    "429": "Too many requests.",
    "503": "The service is busy or the database cannot be used; Retry-After says how long.",
}
"""What any route may answer; each as a problem document"""
_OF_A_BODY = {
    "400": "The body is not what its Content-Type says.",
    "408": "The body came too slowly.",
    "413": "The body is too large.",
}
_SCHEMA = {"$ref": "#/components/schemas/ProblemDetails"}
_OF_FASTAPI = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> dict[str, Any]:
    """The document of an application; made once, and kept by the application."""
    if app.openapi_schema:
        return app.openapi_schema
    document = FastAPI.openapi(app)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    details = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**details.pop("$defs", {}), "ProblemDetails": details}
    for name in _OF_FASTAPI:
        schemas.pop(name, None)
    for methods in document["paths"].values():
        for operation in methods.values():
            responses = operation["responses"]
            refusals = _REFUSALS | (_OF_A_BODY if "requestBody" in operation else {})
            for status, words in refusals.items():
                if status == "422" or status not in responses:
                    responses[status] = {
                        "description": words,
                        "content": {"application/problem+json": {"schema": _SCHEMA}},
                    }
    return document
