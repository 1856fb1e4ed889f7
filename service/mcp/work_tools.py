"""Tools on workloads: submit, look at, cancel, explain. Each sees the rows of its caller's operator alone."""

import json
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field, ValidationError

from service.mcp.desk import READ_ONLY, Desk, in_words, origin
from service.mcp.grid_tools import Somewhere
from service.mcp.results import Decided, Explained, Workload
from service.mcp.strict_tools import Tools
from service.routes import workloads
from service.shapes import Id, StatusChange, TaskRequest

Identifier = Annotated[Id, Field(description="workload_id of submit_task.")]
NOTHING: dict[str, Any] = {}
CHANGES = {"read_only_hint": False, "open_world_hint": False}


def add(tools: Tools, desk: Desk) -> None:
    """Register the tools."""

    @tools.tool(
        title="Submit a workload",
        annotations=ToolAnnotations(**CHANGES, destructive_hint=False, idempotent_hint=False),
    )
    @in_words
    async def submit_task(
        context: Context[Any, Any],
        request: Annotated[
            str,
            Field(
                min_length=1,
                max_length=10_000,
                description="What is to be run, in words; may name hours, hardware, deadline.",
            ),
        ],
        user_email: Annotated[str | None, Field(description="Whose it is; a new address makes a user.")] = None,
        duration_minutes: Annotated[int | None, Field(ge=1, le=10_080)] = None,
        power_kw: Annotated[float | None, Field(ge=0.001, le=1e6)] = None,
        energy_kwh: Annotated[float | None, Field(ge=0.001, le=1e6)] = None,
        earliest_start: Annotated[str | None, Field(description="With its zone; now if left out.")] = None,
        deadline: Annotated[str | None, Field(description="When it must have ended, with its zone.")] = None,
        places: Annotated[
            list[Somewhere] | None, Field(max_length=14, description="Where it may run; anywhere if left out.")
        ] = None,
        carbon_to_cost_weight: Annotated[
            float | None, Field(ge=0, le=1, description="1: carbon alone; 0: cost.")
        ] = None,
        idempotency_key: Annotated[
            str | None,
            Field(
                min_length=1,
                max_length=200,
                pattern=r"^[\x21-\x7e]+$",
                description="Send it again and nothing is made twice.",
            ),
        ] = None,
    ) -> Workload:
        """Take a workload in and reserve the best time and place for it. SIDE EFFECT: creates a workload (and a user for a
        new address) and takes capacity; undo with cancel_task. It starts nothing by itself. The result has the placement
        with carbon (kg), cost (GBP), savings and what was estimated; decided by the forecasts of this moment. Give
        idempotency_key so that a retry is safe.
        """
        regions = [used.region_id for used in await desk.places(places)] if places else None
        try:
            asked = TaskRequest.model_validate(
                {
                    "request": request, "user_email": user_email, "duration_minutes": duration_minutes, "power_kw": power_kw,
                    "energy_kwh": energy_kwh, "earliest_start": earliest_start, "deadline": deadline, "region_ids": regions,
                    "carbon_to_cost_weight": carbon_to_cost_weight,
                }
            )  # fmt: skip
        except ValidationError as error:
            fault = error.errors()[0]
            raise ToolError(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}") from None
        accepted = await desk.service.submissions.submit(desk.caller(context), asked, idempotency_key)
        desk.service.metrics.submitted(accepted.outcome)
        return await _workload(json.loads(accepted.answer))

    @tools.tool(title="Status of a workload", annotations=ToolAnnotations(**READ_ONLY))
    @in_words
    async def workload_status(context: Context[Any, Any], workload_id: Identifier) -> Workload:
        """A workload as it stands now: status, time and place, what it emitted (kg) and cost (GBP) once completed. Read-only.
        What was promised is by the forecasts of when it was placed, not by newer ones.
        """
        return await _workload(await workloads.workload(workload_id, desk.service, desk.caller(context)))

    @tools.tool(
        title="Cancel a workload",
        annotations=ToolAnnotations(**CHANGES, destructive_hint=True, idempotent_hint=True),
    )
    @in_words
    async def cancel_task(context: Context[Any, Any], workload_id: Identifier) -> Workload:
        """Cancel a workload. SIDE EFFECT: its status becomes cancelled for good and its capacity is given back; it stops no
        process. Cancelling twice does nothing more; one that has ended cannot be cancelled.
        """
        change = StatusChange(status="cancelled")
        return await _workload(await workloads.change_status(workload_id, change, desk.service, desk.caller(context)))

    @tools.tool(title="Why it was placed there", annotations=ToolAnnotations(**READ_ONLY))
    @in_words
    async def explain_decision(context: Context[Any, Any], workload_id: Identifier) -> Explained:
        """Decide a placement again from the forecasts that were known then, and say what each agent said. Read-only.
        `is_same` false means that assets or compute windows have changed since.
        """
        caller = desk.caller(context)
        again = await workloads.decide_again(workload_id, desk.service, caller)
        found = await workloads.workload(workload_id, desk.service, caller)
        said = [f"{one['agent']}, round {one['round']}: {one['stance']}: {reason}"
                for one in found["negotiation"] for reason in one["reasons"]]  # fmt: skip
        return Explained(
            workload_id=str(workload_id), is_same=again["is_same"], known_at=again["known_at"],
            decided_then=plain(again["decided_then"]), decided_again=plain(again["decided_again"]),
            constraints=plain(again["constraints"]), reasons=said,
            data=await desk.age(), origin=_origin(),
        )  # fmt: skip

    async def _workload(found: dict[str, Any]) -> Workload:
        placed = found.get("placement")
        decided = None if placed is None else Decided(
            **{name: placed.get(name) for name in Decided.model_fields if name != "mean_gco2_kwh"},
            mean_gco2_kwh=placed.get("mean_gco2_kwh", placed.get("mean_intensity_gco2_kwh")),
        )  # fmt: skip
        status = found["status"]
        said = f"{status}: " + (
            f"{decided.region_name or f'region {decided.region_id}'}, {decided.starts_at:%Y-%m-%d %H:%M}Z to "
            f"{decided.ends_at:%Y-%m-%d %H:%M}Z, {decided.carbon_kg:g} kg CO2."
            if decided
            else str(found.get("unplaced_because") or "it has no place.")
        )
        return Workload(
            workload_id=str(found["workload_id"]), status=status, placement=decided,
            unplaced_because=found.get("unplaced_because"), next_step=found.get("next_step"),
            deadline=found.get("deadline"), energy_kwh=found.get("energy_kwh"),
            duration_minutes=found.get("duration_minutes"), in_words=said, details=plain(found),
            data=await desk.age(), origin=_origin(),
        )  # fmt: skip

    def _origin() -> Any:
        return origin(
            "carbon_intensity_as_of()", "wholesale_prices", "latest_compute_windows",
            sources=("carbon_intensity", "neso", "beckn"),
            note="carbon is average intensity x energy, not what the marginal plant emits",
        )  # fmt: skip


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    return json.loads(json.dumps(value, default=str))
