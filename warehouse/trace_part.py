"""The part of a payload that a row of a clean table was read from.

Found by what upstreams call a half-hour; in a Beckn catalogue, which has none, by the id of a window, a zone or an offer.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
HALF_HOUR = timedelta(minutes=30)
CATALOGUE_SAYS = ("beckn:validity", "beckn:provider", "beckn:providerId")
"""What a catalogue says once for all of its items."""


def part_of(payload: Any, row: Mapping[str, Any]) -> list[Any]:
    """The records of a payload that the row was read from; empty if none of them names it."""
    catalogues = (payload.get("message") or {}).get("catalogs") if isinstance(payload, dict) else None
    if catalogues is not None:
        return list(_of_catalogues(catalogues, row))
    start = row.get("period_start") or row.get("delivery_start")
    if start is None:
        return []
    return [
        _of_its_region(record, row)
        for record in _records(payload)
        if any(_has(record, sign) for sign in _signs(start, row))
    ]


def _of_catalogues(catalogues: Iterable[dict[str, Any]], row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Items by their window or zone. Of an offer that was withdrawn what is left is its window, which no longer has it."""
    offer_id = None if row.get("is_withdrawn") else row.get("offer_id")
    for catalogue in catalogues:
        if offer_id:
            for offer in catalogue.get("beckn:offers") or []:
                if offer.get("beckn:id") == offer_id and row["window_id"] in offer.get("beckn:items", []):
                    yield offer
            continue
        for item in catalogue.get("beckn:items") or []:
            grid = (item.get("beckn:itemAttributes") or {}).get("beckn:gridParameters") or {}
            zone_id = f"{grid.get('gridZone')}/{grid.get('gridArea')}"
            if item.get("beckn:id") == row["window_id"] if "window_id" in row else zone_id == row.get("zone_id"):
                yield {**{name: catalogue[name] for name in CATALOGUE_SAYS if name in catalogue}, **item}


def _records(payload: Any) -> list[dict[str, Any]]:
    found = payload.get("data") if isinstance(payload, dict) else payload
    if found is None and isinstance(payload, dict):
        found = (payload.get("result") or {}).get("records")
    return [record for record in found or [] if isinstance(record, dict)]


def _has(record: Mapping[str, Any], sign: Mapping[str, set[str]]) -> bool:
    return all(str(record.get(name)).strip() in values for name, values in sign.items())


def _signs(start: datetime, row: Mapping[str, Any]) -> Iterator[dict[str, set[str]]]:
    """What a record of this half-hour has in each of the upstreams' shapes."""
    start = start.astimezone(UTC)
    local = start.astimezone(LONDON)
    midnight = datetime(local.year, local.month, local.day, tzinfo=LONDON).astimezone(UTC)
    period = {str(int((start - midnight) / HALF_HOUR) + 1)}
    day, utc_day = _spellings(local.date()), _spellings(start.date())
    yield {"from": {f"{start:%Y-%m-%dT%H:%MZ}"}}
    zone = {"boundary": {row["area_code"]}} if row.get("area_type") == "zone" else {}
    yield {"startTime": {f"{start:%Y-%m-%dT%H:%M:%SZ}"}} | zone
    yield {"SETTLEMENT_DATE": day, "SETTLEMENT_PERIOD": period}
    yield {"Date": day, "Settlement_Period": period}
    yield {"GDATETIME": {f"{start + HALF_HOUR:%Y-%m-%dT%H:%M:%S}"}}
    yield {"Date": utc_day, "Delivery Period": {f"{start:%H}:00 - {start + timedelta(hours=1):%H}:00"}}
    yield {"TARGETDATE": day}
    yield {"deliveryStart": {f"{start:%Y-%m-%dT%H:%M:%S}"}, "auctionProduct": {str(row.get("product"))}}
    yield {
        "Delivery Date": day,
        "From_UTC": {f"{start:%H:%M}", f"{start:%H:%M:%S}"},
        "DFS Unit ID": {str(row.get("unit"))},
    }


def _spellings(day: date) -> set[str]:
    forms = ("%Y-%m-%d", "%Y-%m-%dT00:00:00", "%Y%m%d", "%d-%b-%Y", "%d-%b-%y", "%d/%m/%Y")
    return {spelled for form in forms for spelled in (day.strftime(form), day.strftime(form).upper())}


def _of_its_region(record: dict[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a half-hour with many regions, the one of this row."""
    for region in record.get("regions", []):
        if region.get("regionid") == row.get("region_id"):
            return {"from": record["from"], "to": record["to"], **region}
    return record
