"""One upsert per row over a connection, as a hand-written loader does it: a day, from which the year follows."""

import json
import time

import psycopg

from benchmarks.floor import FUELS, INTENSITY_COLUMNS, MIX_COLUMNS

UPSERT = {
    "intensity": (
        f"insert into floor.intensity ({INTENSITY_COLUMNS}) values (%s, %s, %s, %s, %s, gen_random_uuid(), false, now(), now()) "
        "on conflict (region_id, period_start) do update set forecast_gco2_kwh = excluded.forecast_gco2_kwh"
    ),
    "mix": (
        f"insert into floor.mix ({MIX_COLUMNS}) values ({', '.join(['%s'] * 14)}, gen_random_uuid(), false, now(), now()) "
        "on conflict (region_id, period_start) do update set gas_pct = excluded.gas_pct"
    ),
}


def measure(connection: psycopg.Connection, body: bytes) -> float:
    """Seconds for the first day of a body."""
    connection.execute("truncate floor.intensity, floor.mix")
    half_hours = json.loads(body)["data"][:48]
    started = time.perf_counter()
    for half_hour in half_hours:
        for region in half_hour["regions"]:
            key = (region["regionid"], half_hour["from"], half_hour["to"])
            mix = {share["fuel"]: share["perc"] for share in region["generationmix"]}
            renewable = mix["hydro"] + mix["solar"] + mix["wind"]
            connection.execute(
                UPSERT["intensity"], (*key, region["intensity"]["forecast"], region["intensity"]["index"])
            )
            shares = [mix[fuel] for fuel in FUELS]
            connection.execute(UPSERT["mix"], (*key, *shares, renewable, renewable + mix["nuclear"] + mix["biomass"]))
    return time.perf_counter() - started
