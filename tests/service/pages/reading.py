"""A page as a reader gets it: its text, its links, what it loads; and databases in states that a page has to survive."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from tests.service.conftest import Api

PAGES = (
    "/",
    "/when",
    "/when?hours=2&within=18&place=13&by=cost",
    "/regions/13?hours=2",
    "/regions/1?tz=UTC",
    "/trust",
    "/trust/held",
    "/data",
    "/data?table=carbon_intensity_national",
)
HTML = {"Accept": "text/html"}
FORECASTS = ("carbon_intensity_national", "carbon_intensity_regional", "intermediate.int_carbon_intensity__captures")


@dataclass
class Seen(HTMLParser):
    """What is in a page."""

    title: str = ""
    text: str = ""
    loads: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = {name: value or "" for name, value in attrs}
        self.attributes += [(tag, name, value) for name, value in given.items()]
        if tag in ("script", "img", "iframe", "source"):
            self.loads.append(given.get("src", ""))
        if tag == "link":
            self.loads.append(given["href"])

    def handle_data(self, data: str) -> None:
        inside = next((tag for tag in reversed(self.tags) if tag in ("script", "style", "title")), "")
        if self.lasttag in ("script", "style") and data.strip():
            self.inline.append(data)
        elif self.lasttag == "title" and inside == "title" and not self.title:
            self.title = data
        else:
            self.text += data


def see(api: Api, path: str, status: int = 200) -> Seen:
    """A page as a browser asks for it."""
    answer = api.client.get(path, headers=HTML)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    seen = Seen()
    seen.feed(answer.text)
    seen.text = re.sub(r"\s+", " ", seen.text)
    return seen


def tile(html: str, name: str) -> str:
    """The figure of a tile of the front page."""
    found = re.search(rf"<h2>{name}</h2>\s*<p class=\"big\"><b>(.*?)</b>", html)
    assert found, name
    return found[1]


def make_old(api: Api) -> None:
    """Nothing has been fetched for five hours."""
    for table in FORECASTS:
        api.query(f"update {table} set fetched_at = fetched_at - interval '5 hours'")
    api.query("update intermediate.int_carbon_intensity__captures set known_at = known_at - interval '5 hours'")


def make_synthetic(api: Api) -> None:
    """Every upstream was silent, and every value stands in for one."""
    tables = (*FORECASTS, "generation_mix_national", "generation_mix_regional", "demand_actual_national")
    for table in (*tables, "demand_forecast_national", "wholesale_prices", "compute_windows"):
        api.query(f"update {table} set is_synthetic = true")


def remove_region(api: Api, region_id: int) -> None:
    """The upstream has said nothing of one region."""
    for table in (
        "carbon_intensity_regional",
        "generation_mix_regional",
        "intermediate.int_carbon_intensity__captures",
    ):
        api.query(f"delete from {table} where region_id = %s", region_id)


def meter_demand(api: Api) -> None:
    """A metered demand of the half-hour that has just ended."""
    api.query(
        "insert into demand_actual_national (period_start, period_end, settlement_date, settlement_period, "
        "national_demand_mw, source, payload_id, is_synthetic, fetched_at, updated_at) "
        "select start, start + interval '30 minutes', (start at time zone 'Europe/London')::date, 1, 31415, 'elexon', "
        "gen_random_uuid(), false, now(), now() "
        "from date_bin('30 minutes', now() - interval '30 minutes', '2000-01-01 00:00Z') as start"
    )
