"""What was held back, rejected or failed: how many there are, and each of them, a page at a time."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

from service.pages import held
from tests.service.conftest import Api
from tests.service.pages.reading import HTML, see

HELD = """
insert into ops.payload_verdicts (payload_id, dataset, verdict, reason, run_id, validated_at)
select gen_random_uuid(), 'neso__n2ex_day_ahead', 'held', 'not met: prices within bounds', run_id,
    now() - make_interval(days => %s) from ops.runs limit 1
returning payload_id
"""
FAULTS = """
insert into ops.fetches
    (run_id, dataset, request_url, window_start, window_end, outcome, attempts, seconds, detail, fetched_at)
select run_id, 'elexon__market_index', 'http://127.0.0.1', at - interval '1 day', at + interval '2 days',
    case when n %% 3 = 0 then 'rejected' else 'failed' end, 1, 0.1, 'reason number ' || n, at
from (select run_id from ops.runs limit 1) as run, generate_series(1, %s) as n,
    lateral (select now() - make_interval(days => %s, mins => n / 2) as at) as one
"""


def listed(html: str) -> list[list[str]]:
    """The cells of the table, row by row."""
    body = html.split('<table class="faults">')[1].split("<tbody>")[1].split("</table>")[0]
    return [
        [unescape(re.sub(r"<[^>]+>", " ", cell)).strip() for cell in re.split(r"<t[dh][^>]*>", row)[1:]]
        for row in body.split("<tr>")[1:]
    ]


def test_all_of_them_are_counted_and_listed_page_by_page(api: Api) -> None:
    api.query("delete from ops.fetches where outcome in ('rejected', 'failed')")
    api.query(HELD, 60)
    api.query(FAULTS, 120, 0)
    api.query(FAULTS, 7, held.DAYS + 1)
    trust = see(api, "/trust")
    words = "1 held payload, 40 rejected requests, 80 failed requests"
    assert f"{words}, of which these are the 10 newest: all 121 of them" in trust.text
    assert ("a", "href", "/trust/held") in trust.attributes
    assert len(listed(api.client.get("/trust", headers=HTML).text)) == 10

    found, path, pages = [], "/trust/held", 0
    while path:
        html = api.client.get(path, headers=HTML).text
        assert f"There are {words}." in html
        found += listed(html)
        older = re.search(r'<a href="([^"]+)" rel="next">', html)
        path, pages = unescape(older[1]) if older else "", pages + 1
    assert "These are the oldest." in html and pages == 3
    reasons = [row[2] for row in found]
    assert len(found) == 121 and reasons[-1] == "not met: prices within bounds"
    assert sorted(reasons[:-1]) == sorted(f"reason number {n}" for n in range(1, 121)), (
        "each once, two of one instant too"
    )


def test_each_says_how_to_go_on(api: Api) -> None:
    api.query("delete from ops.fetches where outcome in ('rejected', 'failed')")
    ((payload_id,),) = api.query(HELD, 0)
    api.query(FAULTS, 3, 5)
    at = datetime.now(UTC) - timedelta(days=5)
    rows = {row[1]: row for row in listed(api.client.get("/trust/held", headers=HTML).text)}
    assert rows["held"][0] == "neso__n2ex_day_ahead"
    assert (
        f"select payload from staging.neso__n2ex_day_ahead_payloads where payload_id = '{payload_id}';"
        in rows["held"][4]
    )
    assert re.search(
        r"make backfill FROM=20\d\d-\d\d-\d\d TO=20\d\d-\d\d-\d\d DATASETS=elexon__market_index", rows["failed"][4]
    )
    assert "staging.rejected_payloads where dataset = 'elexon__market_index'" in rows["rejected"][4]
    assert "make backfill" in rows["rejected"][4] and f"{at:%b %Y}" in rows["failed"][3]
    statement = rows["rejected"][4].split(";")[0].replace("reason, body", "1")
    if api.query("select to_regclass('staging.rejected_payloads') is not null")[0][0]:
        api.query(statement)  # it can be run as it is written


def test_without_any_it_says_so_and_a_cursor_of_elsewhere_is_none(api: Api) -> None:
    api.query("delete from ops.fetches where outcome in ('rejected', 'failed')")
    api.query("delete from ops.payload_verdicts where verdict = 'held'")
    assert "There are none." in see(api, "/trust/held").text
    assert "No payload is held, and no request of the last 30 days was rejected or failed." in see(api, "/trust").text
    for cursor in ("x", "MjAyNi0xMS0yNw", "MjAyNi0xMS0yN1QwMDowMFogAA", "é"):
        assert "is not a cursor of this route" in see(api, f"/trust/held?cursor={cursor}", 422).text
