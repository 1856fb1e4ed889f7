"""Each part of a page is there, with the figures of its view: remove one, and one of these fails."""

import asyncio
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest

from service.assembly import assemble, opened
from service.pages import grid, now, region
from service.pages.clock import Clock
from service.pages.rendering import figure
from service.settings import ServiceSettings
from tests.service.conftest import Api
from tests.service.pages.reading import HTML
from warehouse.database import Database

SPINE = "date_bin('30 minutes', now(), '2000-01-01 00:00Z')"
SKILL = """
insert into intermediate.int_forecast_skill__months
    (month, series, region_id, forecast_type, lead_hours, forecasts, error_sum, absolute_error_sum, squared_error_sum, updated_at)
select date_trunc('month', now())::date, 'carbon_intensity', region, 'half_hourly', lead, 10, 50, 120 + 10 * lead, 2000, now()
from unnest(array[13, 18]) as region, generate_series(0, 47) as lead
"""
VINTAGE = """
insert into intermediate.int_carbon_intensity__captures
    (region_id, payload_id, known_at, first_period_start, forecasts_gco2_kwh, is_synthetic, fetched_at, updated_at, is_archive)
select 13, gen_random_uuid(), at, date_bin('30 minutes', at, '2000-01-01 00:00Z'), array_fill(123::smallint, array[96]), false, at,
    now(), false
from generate_series(now() - interval '46 hours', now() - interval '1 hour', interval '4 hours') as at
"""


def part(html: str, title: str) -> str:
    """The section of this title."""
    return html.split(f'<section aria-labelledby="{title}-title"')[1].split("</section>")[0]


def rows(section: str) -> list[list[str]]:
    """The rows of a section's table, as text."""
    body = section.split("<tbody>")[1].split("</table>")[0]
    cells = [re.split(r"<t[dh][^>]*>", row)[1:] for row in body.split("<tr")[1:]]
    return [[re.sub(r"<[^>]+>|\s+", " ", cell).strip() for cell in row] for row in cells]


def front(api: Api) -> str:
    """The front page."""
    return str(api.client.get("/", headers=HTML).text)


def test_the_sentence_and_the_marked_window_are_the_cleanest_four_hours(api: Api) -> None:
    api.query("update carbon_intensity_national set forecast_gco2_kwh = 200, is_isolated = false")
    api.query(
        "update carbon_intensity_national set forecast_gco2_kwh = 150 "
        f"where period_start >= {SPINE} + interval '10 hours' and period_start < {SPINE} + interval '14 hours'"
    )
    html = front(api)
    ((starts,),) = api.query(f"select {SPINE} + interval '10 hours'")
    assert f"start at {Clock().relative(starts, datetime.now(UTC))}, 25 % less than now." in html
    curve = part(html, "curve")
    stretch = re.search(r'<rect class="stretch best" x="([\d.]+)%" width="([\d.]+)%"', curve)
    assert stretch and float(stretch[1]) == pytest.approx(100 * 34 / 72, abs=0.01)
    assert float(stretch[2]) == pytest.approx(100 * 4 / 72, abs=0.01)
    assert "cleanest four hours" in curve and "mean 150 g" in curve


def test_the_gauge_points_at_the_figure_over_the_bands_of_the_index(api: Api) -> None:
    api.query("update carbon_intensity_national set actual_gco2_kwh = 100, forecast_gco2_kwh = 100")
    gauge = front(api).split('<svg class="gauge"')[1].split("</svg>")[0]
    needle = re.search(r'class="needle" x1="([\d.]+)%"', gauge)
    assert needle and float(needle[1]) == pytest.approx(100 * 100 / now.GAUGE_TO, abs=0.01)
    bounds = grid.index_bounds(datetime.now(UTC).year)
    edges = [float(x) for x in re.findall(r'class="band b\d" x="([\d.]+)%"', gauge)]
    assert edges == pytest.approx([100 * edge / now.GAUGE_TO for edge in (0, *bounds)], abs=0.01)


def test_the_mix_is_a_bar_of_its_shares(api: Api) -> None:
    strip = front(api).split('<svg class="strip"')[1].split("</svg>")[0]
    ((wind, gas),) = api.query(
        "select wind_pct::float8, gas_pct::float8 from generation_mix_national where period_start <= now() "
        "order by period_start desc limit 1"
    )
    for name, share in (("wind", wind), ("gas", gas)):
        drawn = re.search(rf'class="fuel {name}" x="[\d.]+%" width="([\d.]+)%"', strip)
        assert (float(drawn[1]) if drawn else 0) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("path", ["/", "/regions/13"])
def test_the_band_is_there_if_the_errors_of_forecasts_are_known(api: Api, path: str) -> None:
    api.query("delete from intermediate.int_forecast_skill__months")
    without = api.client.get(path, headers=HTML).text
    assert 'class="area error"' not in without and "typical error" not in without
    api.query(SKILL)
    html = api.client.get(f"{path}?tz=UTC", headers=HTML).text
    assert 'class="area error"' in part(html, "curve") and "typical error" in part(html, "curve")
    if path != "/":
        found = {row[0]: row[1:] for row in rows(part(html, "skill"))}
        assert found["1"] == ["13.0", "10"] and found["24"] == ["36.0", "10"] and len(found) == 9


def test_earlier_forecasts_fan_out_over_what_came(api: Api) -> None:
    api.query(VINTAGE)
    curve = part(api.client.get("/regions/13", headers=HTML).text, "curve")
    fans = re.findall(r'class="line vintage" d="([^"]*)"', curve)
    assert len(fans) >= 10 and "earlier forecasts" in curve
    assert len({fan.split(" ")[0] for fan in fans}) > 5, "they begin where they were known"


def test_a_region_stacks_nine_fuels(api: Api) -> None:
    mix = part(api.client.get("/regions/13", headers=HTML).text, "mix")
    drawn = re.findall(r'class="area (\w+)"', mix)
    ((present,),) = api.query(
        "select count(*) from generation_mix_regional where region_id = 13 and period_start > now() - interval '20 hours'"
    )
    assert present and drawn == [name for name, _ in region.FUELS]


def test_the_best_hours_of_a_region_are_those_of_its_view(api: Api) -> None:
    wanted = ", ".join(
        f"best_{n}h_gco2_kwh::float8, now_{n}h_gco2_kwh::float8, saving_{n}h_pct::float8" for n in region.LENGTHS
    )
    for hours in (1, 2, 4):  # a half-hour may begin in between
        (before,) = api.query(f"select {wanted} from regional_opportunities where region_id = 13")
        html = api.client.get(f"/regions/13?hours={hours}", headers=HTML).text
        found = rows(part(html, "best"))
        shown = [(row[2], row[3], row[4]) for row in found]
        expected = [
            (figure(before[n], 1), figure(before[n + 1], 1), figure(before[n + 2]) + " %") for n in range(0, 12, 3)
        ]
        if shown == expected:
            break
    assert shown == expected and [row[0] for row in found] == ["1 h", "2 h", "4 h", "8 h"]


def test_open_capacity_is_that_of_the_newest_catalogue(api: Api) -> None:
    api.query("update compute_windows set valid_until = null")
    found: list[Any] = api.query(
        "select region_id, coalesce(name, window_id), available_capacity_mw::float8, price::float8 from latest_compute_windows "
        "where region_id between 1 and 14 and not is_expired order by region_id, available_capacity_mw desc nulls last, window_id"
    )
    assert found
    region_id = found[0][0]
    shown = rows(part(api.client.get(f"/regions/{region_id}", headers=HTML).text, "windows"))
    wanted = [(name, figure(mw, 1), figure(price, 3)) for at, name, mw, price in found if at == region_id][:20]
    assert [(row[0].removesuffix(" synthetic"), row[2], row[4].split(" ")[0]) for row in shown] == wanted


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_pages_of_a_day_on_which_the_clocks_change(grid_of_a_year: Database, day: date, hours: int) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)

    async def made() -> list[str]:
        service = assemble(grid_of_a_year, ServiceSettings())
        async with opened(service):
            pages = [
                await now.answer(service, Clock(), now=noon),
                await region.answer(service, Clock(), 13, 4, now=noon),
            ]
        return [bytes(page.body).decode() for page in pages]

    for html in asyncio.run(made()):
        labels = [row[0] for row in rows(part(html, "curve"))]
        begins = next(n for n, label in enumerate(labels) if label.startswith(f"{day:%a} {day.day} {day:%b}, "))
        ends = next(n for n in range(begins + 1, len(labels)) if ", " in labels[n])
        assert len(labels) == 144 and ends - begins == 2 * hours
        assert len(set(labels[begins:ends])) == 2 * hours
        assert ("01:30 BST" in labels and "01:30 GMT" in labels) is (hours == 25)
        assert not [cells for cells in rows(part(html, "curve")) if cells[1] == "–"], "no half-hour is lost"


@pytest.fixture
def grid_of_a_year(grid: Database) -> Database:
    """Intensities around both changes of the clocks."""
    with grid.connect() as connection:
        for table, more, values in (("national", "", ""), ("regional", "region_id, ", "13, ")):
            connection.execute(
                f"insert into carbon_intensity_{table} ({more}period_start, period_end, forecast_gco2_kwh, payload_id, "  # type: ignore[arg-type]
                "is_synthetic, fetched_at, updated_at) "
                f"select {values}at, at + interval '30 minutes', 200, gen_random_uuid(), false, now(), now() "
                "from unnest(array['2026-03-29 12:00Z', '2026-10-25 12:00Z']::timestamptz[]) as noon, "
                "generate_series(noon - interval '2 days', noon + interval '3 days', interval '30 minutes') as at "
                "on conflict do nothing"
            )
    return grid
