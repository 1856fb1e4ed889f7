"""How a run ends: what it tells its caller, and the state that Prefect shows of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec, cast

import prefect
from prefect import Flow
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.exceptions import FailedRun
from prefect.states import Completed, Failed
from pydantic import ValidationError

from flows import command
from warehouse.errors import UsageError, in_words

P = ParamSpec("P")
Outcome = dict[str, Any]
REFUSED = "Refused"


@dataclass(frozen=True)
class Shortfall:
    """What a completed run could not fetch: a name for its state in Prefect, and how much it is."""

    name: Literal["Partly fetched", "Nothing fetched"]
    message: str


def flow(name: str, **options: Any) -> Callable[[Callable[P, Outcome]], Flow[P, Outcome]]:
    """A flow of ours: where Prefect tracks it, a wrong parameter or setting ends it with a sentence, not a traceback."""

    def decorate(function: Callable[P, Outcome]) -> Flow[P, Outcome]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> Outcome:
            try:
                return function(*args, **kwargs)
            except (UsageError, ValidationError) as error:
                if FlowRunContext.get() is None:
                    raise
                reason = str(error) if isinstance(error, UsageError) else in_words(error)
            return cast(Outcome, Failed(name=REFUSED, message=reason))

        return prefect.flow(name=name, persist_result=False, **options)(call)

    return decorate


def outcome(failures: Sequence[str], *, shortfall: Shortfall | None = None, **more: Any) -> Outcome:
    """What a flow returns: its failures and more. Where Prefect tracks it, also the state that Prefect shows of the run.

    A run that could not publish a table has done everything else: nothing is raised. A run that could not fetch everything is
    completed, and its state says how much is missing.
    """
    result = {"failures": list(failures), **more}
    if FlowRunContext.get() is None:
        return result
    if failures:  # Prefect takes a returned state for the run's own
        return cast(Outcome, Failed(message="; ".join(failures)))
    if shortfall:
        return cast(Outcome, Completed(name=shortfall.name, message=shortfall.message, data=result))
    return result


def went_well(flow: "Flow[..., Outcome]", **parameters: Any) -> bool:
    """Run a flow, tracked where a Prefect server is set, and say whether it had no failures. Raises UsageError."""
    if not command.is_tracked():
        return not flow.fn(**parameters)["failures"]
    state = cast(State[Any], flow(**parameters, return_state=True))
    if state.name == REFUSED:
        raise UsageError(str(state.message))
    try:
        state.result()
    except FailedRun:  # the run has said of what
        return False
    return True
