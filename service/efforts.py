"""How much searching a task may ask for: what is within the bound is decided in tenths of a second, the rest is refused."""

from collections.abc import Mapping, Sequence

from placement.negotiation import Decision, decide
from placement.outlook import Outlook
from placement.split import MOST_EFFORT, effort
from placement.task import Task
from placement.venues import Taken, Venue, Venues
from service.problems import Problem

MOST_AT_ONCE = 10 * MOST_EFFORT
"""Of tasks that are placed in one transaction, while others wait for theirs"""


def bounded(task: Task, venues: Venues, outlook: Outlook) -> int:
    """The effort of a task. Raises Problem 422 where it is beyond the bound."""
    asked = effort(task, venues, outlook)
    if asked > MOST_EFFORT:
        size = f"{task.minutes} minutes of work in up to {task.max_chunks} chunks of {task.min_chunk_minutes} minutes or more"
        among = f", a power profile of {len(task.power_profile_kw)} half-hours" if task.power_profile_kw else ""
        capped = ", a cap" if task.carbon_cap_gco2_kwh is not None or task.price_cap_gbp_mwh is not None else ""
        raise Problem(
            422,
            f"{size}{among}{capped} at {len(venues)} places take a search of {asked / MOST_EFFORT:.1f} times what is allowed "
            f"({MOST_EFFORT:,} values); give a smaller max_chunks, a longer min_chunk_minutes, or fewer places",
        )
    return asked


def is_long(task: Task) -> bool:
    """Whether deciding takes more than some thousandths of a second, so that it is done beside the event loop."""
    return task.max_chunks > 1 or len(task.power_profile_kw) > 4


def decide_within(
    task: Task,
    venues: Sequence[Venue] | Venues,
    outlook: Outlook,
    taken: Mapping[str, Taken],
    *,
    carbon_value_gbp_kg: float,
) -> Decision:
    """`decide`, or Problem 422 beyond the bound."""
    among = Venues.of(venues)
    bounded(task, among, outlook)
    return decide(task, among, outlook, taken, carbon_value_gbp_kg=carbon_value_gbp_kg)
