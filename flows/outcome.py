"""How a run ends: what it tells its caller, and the state that Prefect shows of it."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, ParamSpec, cast

import prefect
from prefect import Flow
from prefect.client.schemas.objects import State
from prefect.exceptions import FailedRun
from prefect.states import Completed, Failed
from pydantic import ValidationError

from flows import temporary
from flows.prefect_api import tracking_api
from flows.run_log import is_tracked
from flows.settings import FlowSettings
from warehouse.errors import OutageError, UsageError, in_words, trouble_of
from warehouse.printed import out
from warehouse.settings import WarehouseSettings

P = ParamSpec("P")
Outcome = dict[str, Any]
REFUSED, CUT_SHORT = "Refused", "Cut short"


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
            except Exception as error:
                if not is_tracked() or (state := _in_a_sentence(error)) is None:
                    raise
                return cast(Outcome, state)

        return prefect.flow(name=name, persist_result=False, **options)(call)

    return decorate


def _in_a_sentence(error: Exception) -> "State[Any] | None":
    """How Prefect shows a run that ended with this error; None if the error is a defect of ours."""
    if reason := trouble_of(error):
        return Failed(name=CUT_SHORT, message=reason)
    if isinstance(error, UsageError | ValidationError):
        return Failed(name=REFUSED, message=in_words(error) if isinstance(error, ValidationError) else str(error))
    return None


def outcome(failures: Sequence[str], *, shortfall: Shortfall | None = None, **more: Any) -> Outcome:
    """What a flow returns: its failures and more. Where Prefect tracks it, also the state that Prefect shows of the run.

    A run that could not publish a table has done everything else: nothing is raised. A run that could not fetch everything is
    completed, and its state says how much is missing.
    """
    result = {"failures": list(failures), **more}
    if not is_tracked():
        return result
    if failures:  # Prefect takes a returned state for the run's own
        return cast(Outcome, Failed(message="; ".join(failures)))
    if shortfall:
        return cast(Outcome, Completed(name=shortfall.name, message=shortfall.message, data=result))
    return result


def went_well(flow: "Flow[..., Outcome]", **parameters: Any) -> bool:
    """Run a flow, tracked where a Prefect server is set, and say whether it had no failures. Raises UsageError, OutageError."""
    with temporary.inside(WarehouseSettings().data_dir):
        api = tracking_api()
        if api is None:
            if FlowSettings().prefect_api_url:
                out("The Prefect server of make up does not run: it does not track this run.", file=sys.stderr)
            return not flow.fn(**parameters)["failures"]
        with api.connected():
            state = cast(State[Any], flow(**parameters, return_state=True))
    if state.name == REFUSED:
        raise UsageError(str(state.message))
    if state.name == CUT_SHORT:
        raise OutageError(str(state.message))
    try:
        state.result()
    except FailedRun:  # the run has said of what
        return False
    return True
