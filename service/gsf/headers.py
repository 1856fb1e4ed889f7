"""What every response says of its data, in headers, because the bodies have another's shape."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fastapi import Request, Response

from service import ages
from service.gsf.reading import Read


async def tell(request: Request, response: Response, reads: Sequence[Read]) -> None:
    """`Energy-Synthetic-Share` of the values sent, 0 to 1, and `Energy-Data-Age-Seconds` of the newest real forecast."""
    points = sum(len(read.points) for read in reads)
    response.headers["Energy-Synthetic-Share"] = (
        f"{sum(read.synthetic for read in reads) / points if points else 0:.4f}"
    )
    age = ages.of(await request.app.state.outlooks.now(), datetime.now(UTC))["age_seconds"]
    response.headers["Energy-Data-Age-Seconds"] = "unknown" if age is None else str(age)
