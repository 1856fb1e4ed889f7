"""Query parameters: a route takes those it declares, each once unless it is a list, and says back how it understood them."""

from typing import Any

from fastapi import Request

from service.problems import Problem


async def only_declared(request: Request) -> None:
    """Refuse a parameter that the route does not declare: ignored, it would be answered with something else.

    A dependency of the whole application, so that it holds for every route. Raises Problem 422.
    """
    if not request.query_params:
        return
    declared = _declared(request)
    sent = [name for name, _ in request.query_params.multi_items()]
    faults = [
        {"where": f"query.{name}".encode("ascii", "replace").decode(), "what": what}
        for name in dict.fromkeys(sent)
        if (what := _fault(name, sent.count(name), declared))
    ]
    if faults:
        takes = f"this route takes {', '.join(sorted(declared))}" if declared else "this route takes no parameters"
        raise Problem(422, f"{faults[0]['where']}: {faults[0]['what']}; {takes}", faults=faults)


def _fault(name: str, times: int, declared: dict[str, bool]) -> str | None:
    if name not in declared:
        return "is not a parameter of this route"
    return "is given more than once" if times > 1 and not declared[name] else None


def _declared(request: Request) -> dict[str, bool]:
    """The parameters of the route, from the OpenAPI document, and whether each may be given more than once."""
    path = getattr(request.scope.get("route"), "path_format", "")
    described = request.app.openapi()["paths"].get(path, {}).get(request.method.lower(), {})
    return {each["name"]: _is_list(each["schema"]) for each in described.get("parameters", ()) if each["in"] == "query"}


def _is_list(schema: dict[str, Any]) -> bool:
    return any(one.get("type") == "array" for one in (schema, *schema.get("anyOf", ())))
