"""The floor: COPY of the bodies into jsonb, then plain SQL into tables of the same columns, keys, checks, foreign keys.

The tables are made from the clean tables themselves (`like ... including all`), so that the two cannot drift apart.
"""

import hashlib
import time
import uuid
from collections.abc import Sequence

import psycopg

FUELS = ("biomass", "coal", "gas", "hydro", "imports", "nuclear", "other", "solar", "wind")
# where the upstream lists each fuel: by place is the fastest way to read it
PLACES = {"biomass": 0, "coal": 1, "imports": 2, "gas": 3, "nuclear": 4, "other": 5, "hydro": 6, "solar": 7, "wind": 8}

PROVENANCE = "payload_id, is_synthetic, fetched_at, updated_at"
INTENSITY_COLUMNS = f"region_id, period_start, period_end, forecast_gco2_kwh, intensity_index, {PROVENANCE}"
MIX_COLUMNS = (
    "region_id, period_start, period_end, "
    f"{', '.join(f'{fuel}_pct' for fuel in FUELS)}, renewable_pct, low_carbon_pct, {PROVENANCE}"
)
INTENSITY = f"""
insert into floor.intensity ({INTENSITY_COLUMNS})
select (r -> 'regionid')::smallint, (h ->> 'from')::timestamptz, (h ->> 'to')::timestamptz,
    (r -> 'intensity' -> 'forecast')::smallint, r -> 'intensity' ->> 'index', p.payload_id, false, p.fetched_at, now()
from floor.payloads p
cross join lateral jsonb_array_elements(p.payload -> 'data') h
cross join lateral jsonb_array_elements(h -> 'regions') r
"""


def _share(fuel: str) -> str:
    return f"(m -> {PLACES[fuel]} -> 'perc')::numeric"


MIX = f"""
insert into floor.mix ({MIX_COLUMNS})
select (r -> 'regionid')::smallint, (h ->> 'from')::timestamptz, (h ->> 'to')::timestamptz,
    {", ".join(_share(fuel) for fuel in FUELS)},
    {_share("hydro")} + {_share("solar")} + {_share("wind")},
    {_share("hydro")} + {_share("solar")} + {_share("wind")} + {_share("nuclear")} + {_share("biomass")},
    p.payload_id, false, p.fetched_at, now()
from floor.payloads p
cross join lateral jsonb_array_elements(p.payload -> 'data') h
cross join lateral jsonb_array_elements(h -> 'regions') r
cross join lateral (select r -> 'generationmix' as m offset 0) x
"""

TABLES = """
drop schema if exists floor cascade;
create schema floor;
create table floor.payloads (payload_id uuid, fetched_at timestamptz, payload jsonb);
create table floor.intensity (like public.carbon_intensity_regional including constraints);
create table floor.mix (like public.generation_mix_regional including constraints);
alter table floor.intensity add primary key (region_id, period_start), add foreign key (region_id) references public.regions;
alter table floor.mix add primary key (region_id, period_start), add foreign key (region_id) references public.regions;
"""


def measure(connection: psycopg.Connection, bodies: Sequence[bytes]) -> dict[str, float]:
    """Seconds of each step: copy, intensity, mix."""
    connection.execute(TABLES)
    connection.execute("set enable_memoize = off")  # with it, jsonb of a megabyte becomes a cache key
    seconds = {}
    started = time.perf_counter()
    with connection.cursor().copy("copy floor.payloads (payload_id, fetched_at, payload) from stdin") as copy:
        for body in bodies:
            key = uuid.UUID(bytes=hashlib.sha256(body).digest()[:16])
            copy.write_row((key, "2026-01-01T00:00Z", body.decode()))
    seconds["copy"] = time.perf_counter() - started
    for name, statement in (("intensity", INTENSITY), ("mix", MIX)):
        started = time.perf_counter()
        connection.execute(statement)
        seconds[name] = time.perf_counter() - started
    return seconds
