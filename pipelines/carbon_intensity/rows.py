"""What all bodies of the API share: half-hours and fuels.

msgspec rather than pydantic: a year of regional data is 2.85 million fuel shares, which msgspec reads in a quarter of the
time and the memory (docs/decisions/shape_at_the_door.md). Unknown keys are accepted; missing ones and other types are not.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from pydantic import JsonValue

from pipelines.dataset import BodyRejected, Contents, NoDataYet
from pipelines.door import read
from warehouse.periods import HALF_HOUR, iso, parse_iso

REGION_IDS = range(1, 19)
Fuel = Literal["biomass", "coal", "imports", "gas", "nuclear", "other", "hydro", "solar", "wind"]
FUELS: tuple[Fuel, ...] = ("biomass", "coal", "imports", "gas", "nuclear", "other", "hydro", "solar", "wind")
"""In the order in which the upstream lists them."""
# Far beyond anything real: a bound of the type, not of the value, so that a body is refused only for what cannot be read.
Grams = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
Percent = Annotated[float, Meta(ge=-10_000, le=10_000)]


class FuelShare(Struct, gc=False):
    """A fuel's share of the generation, in per cent."""

    fuel: Fuel
    perc: Percent


Mix = Annotated[list[FuelShare], Meta(min_length=len(FUELS), max_length=len(FUELS))]


def read_body(shape: Any, body: bytes) -> Any:
    """The body as its shape. Raises BodyRejected: NoDataYet for `{}`, which the API answers beyond its horizon."""
    try:
        return read(shape, body)
    except BodyRejected as refusal:
        raise NoDataYet(str(refusal)) if body.strip() == b"{}" else refusal from None


class HalfHour(Struct, rename={"start": "from", "end": "to"}):
    """What every row has: `from` and `to`."""

    start: str
    end: str


def contents(rows: Sequence[Any], is_complete: Callable[[Any], bool]) -> Contents:
    """The half-hours of rows. Raises BodyRejected for what is none."""
    named: set[datetime] = set()
    complete: set[datetime] = set()
    for row in rows:
        try:
            start, end = parse_iso(row.start), parse_iso(row.end)
        except ValueError as error:
            raise BodyRejected(f"a timestamp cannot be read: {error}") from None
        if end - start != HALF_HOUR:
            raise BodyRejected(f"{row.start} to {row.end} is not a half-hour")
        named.add(start)
        if is_complete(row):
            complete.add(start)
    return Contents(named=frozenset(named), complete=frozenset(complete))


def half_hour(start: datetime) -> dict[str, JsonValue]:
    """A half-hour as the upstream names it, in a synthetic body."""
    return {"from": iso(start), "to": iso(start + HALF_HOUR)}
