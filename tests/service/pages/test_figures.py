"""The figures of the front page are those of the tables at the same instant, asked in SQL of its own."""

import re
from datetime import UTC, datetime
from typing import Any

from service.pages import grid
from service.pages.best import best
from tests.service.conftest import Api
from tests.service.pages.reading import HTML, meter_demand, tile

TABLES = """
select
    (select coalesce(actual_gco2_kwh, forecast_gco2_kwh) from carbon_intensity_national
     where period_start <= now() and coalesce(actual_gco2_kwh, forecast_gco2_kwh) is not null
     order by period_start desc limit 1),
    mix.renewable_pct, mix.low_carbon_pct, mix.wind_pct, mix.gas_pct,
    (select national_demand_mw from (
        select period_start, national_demand_mw, 1 as preference from demand_actual_national where period_start <= now()
        union all
        select period_start, national_demand_mw, 2 from demand_forecast_national where period_start <= now()
     ) as demand order by period_start desc, preference limit 1),
    (select price_gbp_mwh from wholesale_prices where market = 'n2ex_day_ahead' and period_start <= now()
     order by period_start desc limit 1),
    (select forecast_gco2_kwh from carbon_intensity_regional where region_id = 13 and period_start <= now()
     order by period_start desc limit 1),
    (select mean_gco2_kwh
     from best_windows('4 hours', now(), now() + interval '48 hours', '{13}', '{"carbon": 1}') where rank = 1),
    (select starts_at from best_windows('4 hours', now(), now() + interval '48 hours', '{13}', '{"carbon": 1}') where rank = 1),
    (select min(actual_gco2_kwh) from carbon_intensity_national
     where period_start >= date_trunc('year', now(), 'Europe/London')),
    (select max(actual_gco2_kwh) from carbon_intensity_national
     where period_start >= date_trunc('year', now(), 'Europe/London'))
from generation_mix_national as mix
where mix.period_start <= now()
order by mix.period_start desc
limit 1
"""
NATIONAL_BEST = """
select min(mean), count(*) from (
    select avg(forecast_gco2_kwh) over frame as mean, count(*) over frame as half_hours
    from carbon_intensity_national
    where period_start >= %s and period_start < %s
    window frame as (order by period_start rows between current row and 7 following)
) as window_of_four_hours
where half_hours = 8
"""


def test_twelve_figures_equal_sql(api: Api) -> None:
    meter_demand(api)
    for _ in range(3):  # a half-hour may end in between
        before: list[Any] = list(api.query(TABLES)[0])
        html = api.client.get("/", headers=HTML).text
        if before == list(api.query(TABLES)[0]):
            break
    intensity, renewable, low_carbon, wind, gas, demand, price, london, best_mean, _start, lowest, highest = before
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert tile(html, "Carbon intensity") == f"{intensity}"
    assert tile(html, "Renewables") == f"{renewable:.0f}"
    assert tile(html, "Demand") == f"{demand / 1000:.1f}"
    assert tile(html, "Price") == f"{price:.2f}".replace("-", "−")
    assert f"low-carbon {low_carbon:.0f} %" in text
    assert f"Wind {wind:.1f} %" in text and f"Gas {gas:.1f} %" in text
    row = re.search(r"London</a>\s*<td class=\"n\">(\S+)<td class=\"n\">(\S+)<td>", html)
    assert row and row[1] == f"{london}"
    # one decimal of what SQL gives with three: x.x50 may be the end of a number above it or below
    assert re.fullmatch(r"\d+\.\d", row[2]) and abs(float(row[2]) - float(best_mean)) < 0.0506
    assert f"Lowest {lowest} gCO₂/kWh" in text and f"Highest {highest} gCO₂/kWh" in text
    assert f"Great Britain runs on {renewable:.0f} % renewables at {intensity} g of CO₂ per kWh" in text


def test_the_best_hours_of_great_britain_are_those_of_sql(api: Api) -> None:
    now = datetime.now(UTC)
    over = grid.spine(now)
    rows = api.query(
        "select period_start, forecast_gco2_kwh from carbon_intensity_national where is_isolated is not true"
    )
    known = {start.astimezone(UTC): value for start, value in rows}
    found = best([known.get(start) for start in over.starts], over, now, 4)
    ((least, windows),) = api.query(NATIONAL_BEST, now, over.ends)
    assert found and windows > 80
    if found.starts_at > now:
        assert abs(found.mean - float(least)) < 1e-6
    else:
        assert found.mean <= float(least)
