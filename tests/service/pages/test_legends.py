"""Each chart says what it measures, in which unit and from where; and what in it is synthetic or estimated."""

import re
from datetime import UTC, datetime, timedelta

from tests.flows.settling import HOUR, Past
from tests.service.conftest import Api
from tests.service.pages.reading import HTML, PAGES, make_synthetic
from warehouse.periods import floor

CHARTS = re.compile(r'<svg class="(?:chart|strip|map|heat|gauge)[ "]')
UNITS = re.compile(r"gCO₂/kWh|£/MWh|in %|kg of CO₂|half-hours by day|requests by day")
SOURCES = re.compile(r"Carbon Intensity API|NESO|Elexon|of this service|this service’s ledger")


def test_every_chart_names_its_unit_and_its_source(api: Api) -> None:
    with api.database.connect() as connection:
        past, begins = Past(api.database, connection), floor(datetime.now(UTC)) - timedelta(hours=30)
        ran = past.workload(begins)
        past.place(ran, (begins + 4 * HOUR, begins + 6 * HOUR))
        past.run(ran, begins + 4 * HOUR, begins + 6 * HOUR)
        past.settle()
    seen = 0
    for path in (*PAGES, "/plan", "/quality"):
        html = api.client.get(path, headers=HTML).text
        for section in re.split(r'<section|<div class="tile', html)[1:]:
            if not CHARTS.search(section):
                continue
            seen += 1
            legends = " ".join(re.findall(r'<p class="(?:legend|small)">(.*?)</p>', section, re.S))
            said = legends if "gauge" not in section else section  # a tile has its unit at its figure
            heading = re.search(r"<h2.*?>(.*?)</h2>", section)
            assert UNITS.search(said), (path, heading and heading[1], said)
            assert SOURCES.search(said), (path, heading and heading[1], said)
    assert seen > 15


def test_synthetic_and_estimated_prices_of_a_region_say_so_beside_real_intensities(api: Api) -> None:
    api.query("update wholesale_prices set is_synthetic = period_start < now() - interval '12 hours'")
    api.query("delete from wholesale_prices where period_start > now() + interval '24 hours'")
    html = api.client.get("/regions/13", headers=HTML).text
    section = html.split('id="price-title"')[1].split("</section>")[0]
    assert '<span class="key hatched">synthetic</span>' in section and 'class="stretch synthetic"' in section
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)<td>(\S+)<td>(.*?)\s*$", html.split('id="best-title"')[0], re.M)
    marked = [price for _, _, price in rows if price.endswith("synthetic")]
    estimated = [price for _, _, price in rows if price.endswith("estimate")]
    bare = [price for _, _, price in rows if re.fullmatch(r"[−\d.,]+", price)]
    ((known, synthetic),) = api.query(
        "select count(*), count(*) filter (where is_synthetic) from wholesale_prices where market = 'n2ex_day_ahead' "
        "and period_start >= date_bin('30 minutes', now(), '2000-01-01 00:00Z') - interval '24 hours'"
        "and period_start < date_bin('30 minutes', now(), '2000-01-01 00:00Z') + interval '48 hours'"
    )
    assert len(marked) == synthetic > 0 and len(bare) == known - synthetic
    line = re.search(r'class="line estimate" d="([^"]*)"', section)
    assert estimated and line, "what is drawn as an estimate is text too"


def test_the_map_and_the_mix_say_that_they_are_synthetic(api: Api) -> None:
    make_synthetic(api)
    html = api.client.get("/", headers=HTML).text
    sections = {part.split("-title")[0]: part for part in html.split('<section aria-labelledby="')[1:]}
    assert "100 % of the coming ones synthetic" in sections["map"] and "<mark>synthetic</mark>" in sections["mix"]
