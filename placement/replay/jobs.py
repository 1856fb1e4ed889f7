"""The jobs that a replay places, and the policies that it compares."""

from typing import Literal, NamedTuple, get_args

Policy = Literal[
    "start now", "02:00", "yesterday's best", "plan once (published)", "plan once (P50)", "plan once (P90)",
    "re-plan", "re-plan (hindsight)", "oracle",
]  # fmt: skip
POLICIES: tuple[Policy, ...] = get_args(Policy)
WEIGHTS = (1.0, 0.5, 0.0)
"""1 decides by carbon alone, 0 by cost alone"""
HOURS = (1, 2, 4, 8)
SLACK_HOURS = (24, 48)


class Job(NamedTuple):
    """A job of constant power that may begin at once and ends within its slack. Split: it may stop and go on at any half-hour."""

    hours: int
    slack_hours: int
    is_split: bool = False

    @property
    def half_hours(self) -> int:
        """Its length."""
        return 2 * self.hours

    @property
    def slack(self) -> int:
        """Half-hours within which it ends."""
        return 2 * self.slack_hours


JOBS = tuple(Job(hours, slack, is_split) for is_split in (False, True) for slack in SLACK_HOURS for hours in HOURS)
