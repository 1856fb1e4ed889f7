"""What is to come: the newest forecast, and each as it was known at `requestedAt`."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from service.gsf import locations, reading
from service.gsf.emissions import Locations
from service.gsf.headers import tell
from service.gsf.problems import Refused
from service.gsf.shapes import (
    MOST_IN_A_BATCH,
    EmissionsDataDTO,
    EmissionsForecastBatchParametersDTO,
    EmissionsForecastDTO,
    Instant,
    Minutes,
)
from service.gsf.windows import Point, lowest, rolling

router = APIRouter(prefix="/emissions/forecasts", tags=["CarbonAware"])
HALF_HOUR_MINUTES = 30


@router.get("/current", operation_id="GetCurrentForecastData")
async def current(
    request: Request,
    response: Response,
    location: Locations,
    dataStartAt: Annotated[Instant | None, Query()] = None,  # noqa: N803
    dataEndAt: Annotated[Instant | None, Query()] = None,  # noqa: N803
    windowSize: Annotated[Minutes | None, Query()] = None,  # noqa: N803
) -> list[EmissionsForecastDTO]:
    """The newest forecast of each location, within the bounds given, averaged over `windowSize` minutes."""
    now = datetime.now(UTC)
    asked = [
        EmissionsForecastBatchParametersDTO(
            requestedAt=now, location=name, dataStartAt=dataStartAt, dataEndAt=dataEndAt, windowSize=windowSize
        )
        for name in dict.fromkeys(location)
    ]
    return await _forecasts(request, response, asked)


@router.post("/batch", operation_id="BatchForecastDataAsync")
async def batch(
    request: Request,
    response: Response,
    asked: Annotated[list[EmissionsForecastBatchParametersDTO], Body(min_length=1, max_length=MOST_IN_A_BATCH)],
) -> list[EmissionsForecastDTO]:
    """Forecasts as they were known at the instant `requestedAt` of each, from kept vintages: never later knowledge."""
    return await _forecasts(request, response, asked)


async def _forecasts(
    request: Request, response: Response, asked: list[EmissionsForecastBatchParametersDTO]
) -> list[EmissionsForecastDTO]:
    found, reads = [], []
    for one in asked:
        named = locations.of(one.location)
        read = await reading.forecast(request.app.state.pool, named.region_id, one.requestedAt)
        found.append(_forecast(one, read))
        reads.append(read)
    await tell(request, response, reads)
    return found


def _forecast(asked: EmissionsForecastBatchParametersDTO, read: reading.Read) -> EmissionsForecastDTO:
    if not read.points or read.generated_at is None:
        raise Refused("No forecast", requestedAt="no forecast was known at this instant")
    first, last = read.points[0].start, read.points[-1].end
    start, end = asked.dataStartAt or first, asked.dataEndAt or last
    if start >= end:
        raise Refused("Invalid parameters", dataStartAt="dataStartAt must be earlier than dataEndAt")
    for name, instant in (("dataStartAt", start), ("dataEndAt", end)):
        if not first <= instant <= last:
            words = (
                f"must be within time range of the forecasted data, '{first.isoformat()}' through '{last.isoformat()}'"
            )
            raise Refused("Invalid parameters", **{name: f"{name} {words}"})
    window = timedelta(minutes=asked.windowSize) if asked.windowSize else None
    points = rolling(read.points, start, end, window)
    return EmissionsForecastDTO(
        generatedAt=read.generated_at,
        requestedAt=asked.requestedAt,
        location=asked.location,
        dataStartAt=start,
        dataEndAt=end,
        windowSize=asked.windowSize or HALF_HOUR_MINUTES,
        optimalDataPoints=[_point(asked.location, point) for point in lowest(points)],
        forecastData=[_point(asked.location, point) for point in points],
    )


def _point(location: str, point: Point) -> EmissionsDataDTO:
    return EmissionsDataDTO(
        location=location,
        timestamp=point.start,
        duration=round(point.duration / timedelta(minutes=1)),
        value=point.value,
    )
