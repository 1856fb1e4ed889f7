"""What was: the half-hours of locations, the best of them, and averages."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from service.gsf import locations, reading
from service.gsf.headers import tell
from service.gsf.problems import Refused
from service.gsf.shapes import (
    MOST_IN_A_BATCH,
    MOST_LOCATIONS,
    CarbonIntensityBatchParametersDTO,
    CarbonIntensityDTO,
    EmissionsData,
    Instant,
    Location,
)
from service.gsf.windows import average
from warehouse.periods import HALF_HOUR

router = APIRouter(prefix="/emissions", tags=["CarbonAware"])
LONGEST = timedelta(days=31)
LONGEST_AVERAGE = timedelta(days=366)
MOST_ROWS = 10_000
"""Half-hours times locations of a request"""
Locations = Annotated[list[Location], Query(min_length=1, max_length=MOST_LOCATIONS)]
NOTHING: dict[int | str, dict[str, str]] = {204: {"description": "No Content"}}


@router.get("/bylocation", operation_id="GetEmissionsDataForLocationByTime", responses=NOTHING)
async def by_location(
    request: Request,
    response: Response,
    location: Annotated[Location, Query()],
    time: Annotated[Instant | None, Query()] = None,
    toTime: Annotated[Instant | None, Query()] = None,  # noqa: N803
) -> list[EmissionsData]:
    """The observed half-hours of a location from `time` to `toTime`; the one that holds `time` (or now) without `toTime`."""
    return await _observed(request, response, [location], time, toTime)


@router.get("/bylocations", operation_id="GetEmissionsDataForLocationsByTime", responses=NOTHING)
async def by_locations(
    request: Request,
    response: Response,
    location: Locations,
    time: Annotated[Instant | None, Query()] = None,
    toTime: Annotated[Instant | None, Query()] = None,  # noqa: N803
) -> list[EmissionsData]:
    """The observed half-hours of several locations."""
    return await _observed(request, response, location, time, toTime)


@router.get("/bylocations/best", operation_id="GetBestEmissionsDataForLocationsByTime", responses=NOTHING)
async def best(
    request: Request,
    response: Response,
    location: Locations,
    time: Annotated[Instant | None, Query()] = None,
    toTime: Annotated[Instant | None, Query()] = None,  # noqa: N803
) -> list[EmissionsData]:
    """The half-hours with the least intensity of all of these locations; more than one where they are equal."""
    rows = await _observed(request, response, location, time, toTime)
    least = min((row.rating for row in rows), default=None)
    return [row for row in rows if row.rating == least]


@router.get("/average-carbon-intensity", operation_id="GetAverageCarbonIntensity")
async def average_intensity(
    request: Request,
    response: Response,
    location: Annotated[Location, Query()],
    startTime: Annotated[Instant, Query()],  # noqa: N803
    endTime: Annotated[Instant, Query()],  # noqa: N803
) -> CarbonIntensityDTO:
    """The average of the observed half-hours, each by the time that it covers."""
    asked = CarbonIntensityBatchParametersDTO(location=location, startTime=startTime, endTime=endTime)
    return (await _averages(request, response, [asked]))[0]


@router.post("/average-carbon-intensity/batch", operation_id="GetAverageCarbonIntensityBatch")
async def average_intensities(
    request: Request,
    response: Response,
    asked: Annotated[list[CarbonIntensityBatchParametersDTO], Body(min_length=1, max_length=MOST_IN_A_BATCH)],
) -> list[CarbonIntensityDTO]:
    """The same for several stretches of time of one location."""
    if len({one.location for one in asked}) > 1:
        raise Refused("Invalid parameters", location="a batch is of one location; send another for each other location")
    return await _averages(request, response, asked)


async def _observed(
    request: Request, response: Response, names: Sequence[str], time: datetime | None, to_time: datetime | None
) -> list[EmissionsData]:
    if time is None and to_time is not None:
        raise Refused("Invalid parameters", time="time must be defined if toTime is defined")
    start = time or datetime.now(UTC)
    end = to_time or start
    if end < start:
        raise Refused("Invalid parameters", time="time must be before toTime")
    if end - start > LONGEST:
        raise Refused("Invalid parameters", toTime=f"must lie within {LONGEST.days} days of time")
    named = [locations.of(name) for name in dict.fromkeys(names)]
    if len(named) * ((end - start) / HALF_HOUR + 1) > MOST_ROWS:
        words = f"a request has at most {MOST_ROWS:,} rows: ask for a shorter time, or for fewer locations"
        raise Refused("Invalid parameters", toTime=words)
    until = max(end, start + timedelta(microseconds=1))
    found = await reading.observed(request.app.state.pool, [one.region_id for one in named], start, until)
    rows = [
        EmissionsData(location=one.name, time=point.start, rating=point.value, duration="00:30:00")
        for one in named
        for point in found[one.region_id].points
    ]
    await tell(request, response, list(found.values()))
    if not rows:
        response.status_code = 204
    return rows


async def _averages(
    request: Request, response: Response, asked: Sequence[CarbonIntensityBatchParametersDTO]
) -> list[CarbonIntensityDTO]:
    found, reads, covered = [], [], 1.0
    if sum((max(one.endTime - one.startTime, timedelta()) for one in asked), timedelta()) > LONGEST_AVERAGE:
        words = f"the stretches of time of a request must not be longer than {LONGEST_AVERAGE.days} days together"
        raise Refused("Invalid parameters", endTime=words)
    for one in asked:
        if one.endTime <= one.startTime:
            raise Refused("Invalid parameters", startTime="startTime must be before endTime")
        region_id = locations.of(one.location).region_id
        read = (await reading.observed(request.app.state.pool, [region_id], one.startTime, one.endTime))[region_id]
        mean = average(read.points, one.startTime, one.endTime)
        if mean is None:
            raise Refused("No measured data", startTime="there is no measured half-hour in this stretch of time")
        found.append(CarbonIntensityDTO(**one.model_dump(exclude={"carbonIntensity"}), carbonIntensity=mean[0]))
        reads.append(read)
        covered = min(covered, mean[1])
    response.headers["Energy-Coverage"] = f"{covered:.4f}"
    await tell(request, response, reads)
    return found
