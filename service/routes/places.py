"""`GET /places`: which region a place lies in, and why."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from service.access import Authorized, State
from service.answers import answer
from service.models.places import PlacesFound
from service.places.search import search
from service.where import looked_up

router = APIRouter(tags=["places"])


@router.get("/places", response_model=PlacesFound)
async def places(
    state: State,
    _caller: Authorized,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=80,
            description="A postcode or outward code, latitude and longitude, a cloud region, a city, a region or its number.",
            examples=["EN2 6AB", "51.5,-0.1", "aws:eu-west-2", "Leeds", "13"],
        ),
    ],
) -> dict[str, Any]:
    """Which region a place lies in, and on what that rests.

    All answers come from tables that are shipped with the service; no upstream is asked. 404, in words, for the sea, Northern
    Ireland, other countries, and places that the tables do not know.
    """
    found = looked_up("q", search, q)
    return answer(await state.outlooks.now(), {"places": [asdict(place) for place in found]}, asked={"q": q})
