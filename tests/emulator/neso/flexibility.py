"""The Demand Flexibility Service: requirements by half-hour, bids, and what was accepted and settled."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from tests.emulator.neso.auctions import financial_year
from tests.emulator.neso.table import HALF_HOUR, LONDON, Table, days, midnight, noise

_WHEN = {
    "Delivery Date": "date", "From_Local": "text", "To_Local": "text", "From_UTC": "text", "To_UTC": "text",
}  # fmt: skip
_EVENT = {"Event Type": "text", "Event Tag": "text"}
REQUIREMENT = {
    "Event ID": "numeric", "DFS Submission Time_Local": "text", **_EVENT, **_WHEN, "Service Requirement MW": "int4",
    "Service Requirement Type": "text", "Guaranteed Acceptance Price GBP per MWh": "numeric", "Dispatch Type": "text",
    "Participant Bids Eligible": "text", "Zonal Cap": "text",
}  # fmt: skip
REQUIREMENT_2025 = {
    "Delivery Date": "date", "From": "text", "To": "text", "Service Requirement MW": "int4",
    "Service Requirement Type": "text", "Guaranteed Acceptance Price GBP per MWh": "numeric", "Dispatch Type": "text",
    "Participant Bids Eligible": "text",
}  # fmt: skip
_OUTCOME = {
    "Service Requirement Type": "text", "Service Requirement MW": "numeric", "DFS Procured MW": "numeric",
    "DFS Provider Bids Accepted Total Cost GBP": "numeric", "Settled Volume MW": "numeric",
    "Settled Cost GBP": "numeric",
}  # fmt: skip
SUMMARY = {"Event ID": "numeric", **_EVENT, **_WHEN, **_OUTCOME}
SUMMARY_2025 = {"Delivery Date": "date", "From": "text", "To": "text", **_OUTCOME}
REPORT = {
    "Event ID": "numeric", **_EVENT, **_WHEN, "Registered DFS Participant": "text", "DFS Unit ID": "text",
    "Zone": "numeric", "DFS Procured MW": "numeric", "Service Requirement Type": "text",
    "Utilisation Price GBP per MWh": "numeric", "Status": "text",
}  # fmt: skip
PARTICIPANTS = ("AXLE ENERGY LIMITED", "EQUIWATT LIMITED", "GRIDBEYOND LIMITED", "OCTOPUS ENERGY LIMITED")
SETTLED_AFTER = timedelta(days=90)
FIRST_2025, LAST_2025 = date(2024, 11, 27), date(2026, 3, 27)


class Window(NamedTuple):
    """A half-hour of an event."""

    event: int
    start: datetime
    number: int
    required: int
    downwards: bool
    test: bool
    energy: bool
    guaranteed: int
    byte: int

    @property
    def day(self) -> date:
        """The day of delivery in London."""
        return self.start.astimezone(LONDON).date()

    @property
    def local(self) -> tuple[str, str]:
        """From and to, as London's clock shows them."""
        return tuple(f"{i.astimezone(LONDON):%H:%M}" for i in (self.start, self.start + HALF_HOUR))  # type: ignore[return-value]

    @property
    def utc(self) -> tuple[str, str]:
        """From and to in UTC."""
        return f"{self.start:%H:%M}", f"{self.start + HALF_HOUR:%H:%M}"

    @property
    def kind(self) -> str:
        """Live or Test."""
        return "Test" if self.test else "Live"

    @property
    def tags(self) -> tuple[str, str]:
        """Event Type and Event Tag."""
        return "Downwards" if self.downwards else "Upwards", "Energy" if self.energy else "System"

    @property
    def procured(self) -> float:
        """MW accepted."""
        return round(self.required * (20 + self.byte % 60) / 100, 1) if self.byte > 40 else 0.0

    @property
    def price(self) -> int:
        """GBP/MWh of the bids accepted."""
        return 90 + self.byte


def windows(first: date, last: date) -> Iterator[Window]:
    """The half-hours of the events of these days, the oldest event first, numbered from 1."""
    event = 0
    for day in days(first, last):
        bytes_ = noise(f"dfs|{day}", 24)
        if bytes_[0] % 100 >= 72:
            continue
        event += 1
        downwards = bytes_[1] > 200
        start = midnight(day) + timedelta(hours=11 if downwards else 16) + HALF_HOUR * (bytes_[2] % 3)
        for number in range(4 + bytes_[3] % 7):
            yield Window(
                event, (start + HALF_HOUR * number).astimezone(UTC), number, (200, 300, 500)[bytes_[4] % 3], downwards,
                bytes_[5] > 230, bytes_[6] > 128, (0, 0, 0, 180)[bytes_[7] % 4], bytes_[8 + number],
            )  # fmt: skip


def _current(published: datetime) -> Iterator[Window]:
    today = published.astimezone(LONDON).date()
    return windows(date(financial_year(today), 4, 1), today)


def requirement(published: datetime) -> Table:
    """What is asked for since April, today included."""
    return Table(REQUIREMENT, (_requirement(window) for window in _current(published)))


def _requirement(window: Window) -> list[object]:
    caps = ",".join(f"Z{zone}:{0 if zone > 8 else window.required}" for zone in range(1, 13))
    return [
        window.event, f"{window.day:%d/%m/%Y} 12:00", *window.tags, window.day, *window.local, *window.utc,
        window.required, window.kind, window.guaranteed, "All Participants", ",".join(PARTICIPANTS), caps,
    ]  # fmt: skip


def requirement_2025(_: datetime) -> Table:
    """What was asked for in 2025/26, in the older layout: no events, London's clock alone."""
    rows = (
        [w.day, *w.local, w.required, w.kind, w.guaranteed, "All Providers", ",".join(PARTICIPANTS)]
        for w in windows(FIRST_2025, LAST_2025)
    )
    return Table(REQUIREMENT_2025, rows)


def _outcome(window: Window, today: date) -> list[object]:
    cost = round(window.procured * window.price / 2, 2)
    settled: list[object] = [round(window.procured * 0.3, 2), round(cost * 0.3, 2)]
    blank: list[object] = [None, None]
    return [
        window.kind, window.required, window.procured, cost,
        *(settled if today - window.day > SETTLED_AFTER else blank),
    ]  # fmt: skip


def summary(published: datetime) -> Table:
    """What was accepted in each half-hour up to yesterday; settled only after months."""
    today = published.astimezone(LONDON).date()
    rows = (
        [w.event, *w.tags, w.day, *w.local, *w.utc, *_outcome(w, today)] for w in _current(published) if w.day < today
    )
    return Table(SUMMARY, rows)


def summary_2025(_: datetime) -> Table:
    """The same for 2025/26 in the older layout."""
    rows = ([w.day, *w.local, *_outcome(w, date.max)] for w in windows(FIRST_2025, LAST_2025))
    return Table(SUMMARY_2025, rows)


def report(published: datetime) -> Table:
    """Bids of each half-hour up to yesterday, by unit."""
    today = published.astimezone(LONDON).date()
    return Table(REPORT, (row for w in _current(published) if w.day < today for row in _bids(w)))


def _bids(window: Window) -> Iterator[list[object]]:
    for place, participant in enumerate(PARTICIPANTS):
        for zone in (1 + place, 9 + place):
            accepted = window.procured > 0 and zone < 9
            share = window.procured / 4 if accepted else 1 + window.byte % 20 / 10
            yield [
                window.event, *window.tags, window.day, *window.local, *window.utc, participant,
                f"{participant.split()[0][:6]}-01-Z{zone}", zone, round(share, 1), window.kind,
                window.price + (0 if accepted else 400), "Accepted" if accepted else "Rejected",
            ]  # fmt: skip
