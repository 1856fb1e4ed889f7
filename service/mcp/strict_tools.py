"""Tools that take the arguments they declare, in JSON's own types, and refuse everything else by its name.

The SDK's own reading drops an argument that it does not know, and takes `true` and `"60"` for numbers.
"""

import inspect
import json
from collections.abc import Callable
from types import CodeType
from typing import Any, TypeVar, cast

from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import ConfigDict, ValidationError

Function = TypeVar("Function", bound=Callable[..., Any])
LONGEST_NAME, MOST_FAULTS = 80, 10


class StrictTool(Tool):
    """A tool whose arguments are checked before the SDK reads them."""

    @classmethod
    def of(cls, function: Callable[..., Any], **about: Any) -> "StrictTool":
        """A tool with the signature of a function. `about`: see `Tool.from_function`."""
        tool = cls.from_function(function, **about)
        lax = tool.fn_metadata.arg_model
        config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
        strict = cast(Any, type(lax))(lax.__name__, (lax,), {"model_config": config, "__module__": __name__})
        tool.fn_metadata.arg_model = strict
        tool.parameters = strict.model_json_schema(by_alias=True)
        return cast(StrictTool, tool)

    async def run(self, arguments: dict[str, Any], context: Any, convert_result: bool = False) -> Any:
        """Call it. Raises ToolError that names each argument which does not fit."""
        try:
            self.fn_metadata.arg_model.model_validate({name: self._read(name, arguments[name]) for name in arguments})
        except ValidationError as error:
            faults = [self._said(fault["type"], fault["loc"], fault["msg"]) for fault in error.errors()[:MOST_FAULTS]]
            raise ToolError("; ".join(faults)) from None
        return await super().run(arguments, context, convert_result=convert_result)

    def _read(self, name: str, value: Any) -> Any:
        """A list that a client sent as its text, which some do, as a list: the SDK reads it so too."""
        schema = self.parameters["properties"].get(name, {})
        is_list = any(one.get("type") == "array" for one in (schema, *schema.get("anyOf", ())))
        if not (is_list and isinstance(value, str)):
            return value
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value

    def _said(self, kind: str, where: tuple[int | str, ...], what: str) -> str:
        name = ".".join(map(str, where)).encode("ascii", "replace").decode()[:LONGEST_NAME]
        if kind != "extra_forbidden":
            return f"{name}: {what.removeprefix('Value error, ')}"
        taken = ", ".join(self.fn_metadata.arg_model.model_fields)
        return f"{name}: is not an argument of {self.name}, which takes {taken or 'none'}"


_MADE: dict[tuple[CodeType, str], StrictTool] = {}
"""The tools of this process: reading their signatures takes most of the time in which a service is made."""


class Tools:
    """The tools of a server, in their order."""

    def __init__(self) -> None:
        self.all: list[Tool] = []

    def tool(self, *, title: str, annotations: ToolAnnotations) -> Callable[[Function], Function]:
        """A decorator that makes a function a tool of its name."""

        def add(function: Function) -> Function:
            key = inspect.unwrap(function).__code__, title
            if key not in _MADE:
                _MADE[key] = StrictTool.of(function, title=title, annotations=annotations)
            self.all.append(_MADE[key].model_copy(update={"fn": function}))
            return function

        return add
