"""How a run ends: what it tells its caller, and the state that Prefect shows of it."""

from collections.abc import Sequence
from typing import Any, cast

from prefect import Flow
from prefect.context import FlowRunContext
from prefect.exceptions import FailedRun
from prefect.states import Failed

from flows import command


def outcome(failures: Sequence[str], **more: Any) -> dict[str, Any]:
    """What a flow returns: its failures and more, or, where Prefect tracks it and it has any, that it failed and why.

    A run that could not publish a table has done all else that it was to do: nothing is raised.
    """
    if failures and FlowRunContext.get() is not None:
        return cast(dict[str, Any], Failed(message="; ".join(failures)))  # Prefect takes it for the run's state
    return {"failures": list(failures), **more}


def went_well(flow: "Flow[..., Any]", **parameters: Any) -> bool:
    """Run a flow, tracked where a Prefect server is set, and say whether it had no failures."""
    if not command.is_tracked():
        return not flow.fn(**parameters)["failures"]
    try:
        flow(**parameters)
    except FailedRun:  # the run has said of what
        return False
    return True
