"""The fields that the client reads are fields of the service's models, of the same types: one fact, tied by this test."""

from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from energy import answers

from service.models import claims, grid, places, receipts, workloads
from service.models.common import Age, Answer, Piece

MODELS: dict[str, type[Answer]] = {
    "Age": Age,
    "Piece": Piece,
    "PlacedPiece": workloads.PlacedPiece,
    "AgainstBaseline": workloads.AgainstBaseline,
    "Saving": workloads.Saving,
    "PlacementOption": workloads.PlacementOption,
    "Submitted": workloads.Submitted,
    "Placement": workloads.Placement,
    "Workload": workloads.Workload,
    "Workloads": workloads.Workloads,
    "Claimed": claims.Claimed,
    "Claims": claims.Claims,
    "BestWindow": grid.BestWindow,
    "BestWindows": grid.BestWindows,
    "Opportunity": grid.Opportunity,
    "Opportunities": grid.Opportunities,
    "PlaceFound": places.PlaceFound,
    "PlacesFound": places.PlacesFound,
    **{
        name: getattr(receipts, name)
        for name in ("Figures", "Foresight", "Saved", "Savings", "Promised", "Method", "Receipt")
    },
}
NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}
READ = {name: kind for name, kind in vars(answers).items() if is_typeddict(kind) and not name.startswith("_")}


def of_annotation(kind: Any) -> set[str]:
    """JSON types of an annotation; a TypedDict is its name."""
    if get_origin(kind) in (Union, UnionType):
        return {name for one in get_args(kind) for name in of_annotation(one)}
    if get_origin(kind) is list:
        return {f"[{name}]" for name in of_annotation(get_args(kind)[0])}
    return {NAMES.get(kind) or kind.__name__}


def of_schema(schema: dict[str, Any]) -> set[str]:
    """The same of a JSON Schema."""
    if "anyOf" in schema:
        return {name for one in schema["anyOf"] for name in of_schema(one)}
    if "$ref" in schema:
        return {schema["$ref"].rsplit("/", 1)[1]}
    if schema.get("type") == "array":
        return {f"[{name}]" for name in of_schema(schema["items"])}
    return {schema["type"]}


def test_every_shape_has_its_model() -> None:
    assert set(READ) == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_read_is_what_the_service_gives(name: str) -> None:
    schema, kind = MODELS[name].model_json_schema(), READ[name]
    for field, annotation in get_type_hints(kind).items():
        given = schema["properties"].get(field)
        assert given is not None, f"the service gives no {name}.{field}"
        assert of_annotation(annotation) >= of_schema(given), f"{name}.{field}"
        assert field in schema.get("required", ()) or field in kind.__optional_keys__, f"{name}.{field} may be missing"
