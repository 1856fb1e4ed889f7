"""Rows of the series that a refresh of one source has none of; some values beside are NULL, every third row is synthetic."""

from tests.service.conftest import Api

HALF_HOURS = (
    "generate_series(0, 59) as n, "
    "lateral (select date_bin('30 minutes', now(), '2000-01-01') - n * interval '30 minutes' as at) as x"
)
MARKS = {"payload_id": "gen_random_uuid()", "is_synthetic": "n % 3 = 0", "fetched_at": "at", "updated_at": "at"}
PERIOD = {"period_start": "at", "period_end": "at + interval '30 minutes'"}
SETTLED = {**PERIOD, "settlement_date": "at::date", "settlement_period": "1 + n % 48"}
ROWS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("demand_actual_national", {**SETTLED, "national_demand_mw": "20000 + n", "source": "'neso'"}, "(values (1)) as one (x)"),
    (
        "demand_forecast_national",
        {**SETTLED, "national_demand_mw": "21000 + n", "forecast_type": "'day_ahead'", "issued_at": "at", "source": "'neso'"},
        "(values (1)) as one (x)",
    ),
    (
        "demand_regional",
        {**PERIOD, "area_type": "kind", "area_code": "code", "is_forecast": "ahead", "demand_mw": "900 + n", "source": "'elexon'"},
        "(values ('zone', 'B1', true), ('zone', 'B1', false), ('zone', 'B10', true), ('nation', 'scotland', true)) "
        "as one (kind, code, ahead)",
    ),
    (
        "wholesale_prices",
        {**SETTLED, "market": "market", "price_gbp_mwh": "50 - n", "source": "'elexon'"},
        "(values ('apx_market_index'), ('system_price')) as one (market)",
    ),
    (
        "flexibility_prices",
        {
            "service": "service", "product": "product", "unit": "unit", "delivery_start": "at",
            "delivery_end": "at + interval '4 hours'", "direction": "(array['up', null, 'down'])[1 + n % 3]",
            "status": "(array[null, 'cleared'])[1 + n % 2]", "price_gbp_mwh": "3", "volume_mw": "10",
        },
        "(values ('eac', 'DCL', 'GB'), ('eac', 'DCH', 'GB'), ('dfs', 'utilisation', 'A')) as one (service, product, unit)",
    ),
)  # fmt: skip
SKILL = """
insert into intermediate.int_forecast_skill__months (month, series, region_id, forecast_type, lead_hours, forecasts, error_sum,
    absolute_error_sum, squared_error_sum, updated_at)
select '2026-01-01', series, region, kind, n, 10, n, 3 * n, 9 * n * n, now()
from generate_series(0, 47) as n, (values ('carbon_intensity', 13, ''), ('carbon_intensity', 18, ''),
    ('national_demand', 18, 'day_ahead'), ('national_demand', 18, '2_to_14_days_ahead')) as one (series, region, kind)
on conflict do nothing
"""


def fill(api: Api) -> None:
    """Put them in."""
    for table, values, each in ROWS:
        values = {**values, **MARKS}
        api.query(
            f"insert into {table} ({', '.join(values)}) select {', '.join(values.values())} from {HALF_HOURS}, {each} "
            "on conflict do nothing"
        )
    api.query(SKILL)
