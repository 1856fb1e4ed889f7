"""`/trust`: a cell looks as complete, and as fresh, as the tables and the ledger say."""

import re
from datetime import UTC, date, datetime, timedelta

from service.pages.heat_row import heat_row
from tests.service.conftest import Api
from tests.service.pages.reading import HTML, see
from warehouse.periods import LONDON, day_start

NAME = "carbon_intensity_national"
DAYS = """
insert into intermediate.int_data_coverage__days
    (dataset, settlement_date, half_hours_present, half_hours_real, half_hours_synthetic, row_count, row_count_synthetic,
    updated_at)
values (%s, %s, %s, %s, %s, 50, 0, now())
on conflict (dataset, settlement_date) do update set half_hours_present = excluded.half_hours_present,
    half_hours_real = excluded.half_hours_real, half_hours_synthetic = excluded.half_hours_synthetic
"""
FETCH = """
insert into ops.fetches (run_id, dataset, request_url, window_start, window_end, outcome, attempts, seconds, fetched_at)
select run_id, 'carbon_intensity__national', 'http://127.0.0.1', at, at + interval '2 days', %s, 1, 0.1, at
from (select run_id, %s::timestamptz as at from ops.runs limit 1) as run
"""


def cells(html: str, section: str, name: str) -> list[tuple[str, str]]:
    """The looks and the words of a dataset's cells, oldest first."""
    part = html.split(f'<h2 id="{section}-title"')[1].split("</section>")[0]
    row = re.search(rf'<svg class="heat"[^>]*aria-label="{name}: .*?</svg>', part, re.S)
    assert row, name
    return re.findall(r'<rect class="cell (\w+)"[^>]*><title>(.*?)</title>', row[0])


def test_a_day_looks_as_complete_as_it_is(api: Api) -> None:
    today = datetime.now(UTC).astimezone(LONDON).date()
    whole = {back: (day_start(day + timedelta(days=1)) - day_start(day)) // timedelta(minutes=30)
             for back in range(1, 8) if (day := today - timedelta(days=back))}  # fmt: skip
    for back, missing, synthetic in ((7, 0, 0), (6, 3, 0), (5, 0, 4), (4, 2, 2), (3, 0, 0), (2, 0, 0), (1, 0, 0)):
        present = whole[back] - missing
        for name in (NAME, "wholesale_prices/system_price"):
            api.query(DAYS, name, today - timedelta(days=back), present, present - synthetic, synthetic)
    api.query("delete from intermediate.int_data_revisions__half_hours")
    for back in (3, 5, 6):
        revise(api, NAME, today - timedelta(days=back), 12, 2.5)
    html = api.client.get("/trust", headers=HTML).text
    found = cells(html, "coverage", NAME)
    assert len(found) == 30
    assert [look for look, _ in found[-8:-1]] == ["real", "missing", "synthetic", "missing", "revised", "real", "real"]
    assert f"{whole[6] - 3} of {whole[6]} half-hours, 3 missing" in found[-7][1]
    assert f"{whole[5]} of {whole[5]} half-hours, 4 synthetic" in found[-6][1]
    in_words = html.split("The same in words")[1].split("</table>")[0]
    day = today - timedelta(days=6)
    assert (
        f'<tr><th scope="row">{NAME}<td>{day}<td>{day}<td>{whole[6] - 3} of {whole[6]} half-hours, 3 missing'
        in in_words
    )
    assert "2 missing, 2 synthetic" in found[-5][1]
    assert f"{whole[3]} half-hours, 2 revised by the upstream, by up to 12 gCO₂/kWh" in found[-4][1]
    assert "4 synthetic, 2 revised by the upstream" in found[-6][1], "what is worse is the look, both are said"
    assert f"{NAME}<td>{today - timedelta(days=3)}" not in in_words, "a revised day is as it should be"
    assert "the commands that fill it</summary>" in html, "all are listed"
    prices = cells(html, "coverage", "wholesale_prices/system_price")
    assert [look for look, _ in prices[-4:-1]] == ["real", "real", "real"]


def test_of_many_gaps_the_page_says_that_it_lists_the_newest(api: Api) -> None:
    today = datetime.now(UTC).astimezone(LONDON).date()
    title = "What is missing, and the commands that fill it"
    for back in range(1, 81):  # every other day is whole
        api.query(DAYS, NAME, today - timedelta(days=back), 50 - back % 2 * 10, 40, 0)
    ((gaps,),) = api.query("select count(*) from data_gaps")
    part = api.client.get("/trust", headers=HTML).text.split(title)[1].split("</details>")[0]
    assert gaps >= 40 and part.startswith(f": the newest 25 of {gaps} gaps</summary>"), part[:100]
    assert part.count("<tr><th") == 26
    assert "All of them: the view <code>data_gaps</code>." in part


SPAN = """
insert into intermediate.int_data_revisions__half_hours
    (dataset, source, period_start, settlement_date, lowest, highest, largest_change, updated_at)
values (%(dataset)s, 'x', %(at)s, %(day)s, array[10], array[10 + %(change)s], %(change)s, now())
"""


def revise(api: Api, dataset: str, day: date, *changes: float) -> None:
    """The half-hours from the beginning of that day on have been given twice; these are the differences."""
    for n, change in enumerate(changes):
        at = day_start(day) + n * timedelta(minutes=30)
        with api.database.connect() as connection:
            connection.execute(SPAN, {"dataset": dataset, "at": at, "day": day, "change": change})


def test_what_the_upstreams_revised_is_said_of_each_dataset_by_day(api: Api) -> None:
    today = datetime.now(UTC).astimezone(LONDON).date()
    two, three, long_ago = (today - timedelta(days=n) for n in (2, 3, 40))
    api.query("delete from intermediate.int_data_revisions__half_hours")
    assert "No upstream has given a measured value of these 30 days twice" in see(api, "/trust").text
    revise(api, NAME, three, 0, 12, 7)
    revise(api, NAME, two, 3)
    revise(api, NAME, long_ago, 99)
    revise(api, "generation_mix_national", two, 1.5)
    revise(api, "demand_actual_national", two, 0, 0)
    revise(api, "wholesale_prices/system_price", three, 11.25)
    api.client.app.state.service.pages.forget()  # type: ignore[attr-defined]
    html = api.client.get("/trust", headers=HTML).text
    assert table(html, "revised") == [
        [NAME, "2", "3", "12 gCO₂/kWh", f"{three:%a %d %b}"],
        ["generation_mix_national", "1", "1", "1.5 percentage points", f"{two:%a %d %b}"],
        ["wholesale_prices/system_price", "1", "1", "11.25 £/MWh", f"{three:%a %d %b}"],
    ]
    assert table(html, "revised-days")[:2] == [
        [NAME, str(two), "1", "3 gCO₂/kWh"],
        [NAME, str(three), "2", "12 gCO₂/kWh"],
    ]


def table(html: str, name: str) -> list[list[str]]:
    """The cells of a table, row by row."""
    body = html.split(f'<table id="{name}">')[1].split("<tbody>")[1].split("</table>")[0]
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.split(r"<t[dh][^>]*>", row)[1:]]
        for row in body.split("<tr>")[1:]
    ]


def test_a_day_looks_as_fresh_as_its_upstream_answered(api: Api) -> None:
    today = datetime.now(UTC).astimezone(LONDON).date()
    api.query(
        "delete from ops.fetches where dataset = 'carbon_intensity__national' and fetched_at < now() - interval '1 day'"
    )
    for back, outcomes in ((5, ["failed"] * 3), (4, ["landed"] * 48), (3, ["known"] * 5 + ["failed"] * 40)):
        for n, outcome in enumerate(outcomes):
            at = day_start(today - timedelta(days=back)) + (n + 0.5) * timedelta(minutes=30)
            api.query(FETCH, outcome, at)
    found = cells(api.client.get("/trust", headers=HTML).text, "fresh", "carbon_intensity__national")
    assert [look for look, _ in found[-6:-2]] == ["missing", "real", "synthetic", "none"]
    assert "answered in 5 of" in found[-4][1] and "40 faults" in found[-4][1]
    assert "not asked for" in found[-3][1]


def test_days_of_which_the_same_is_to_be_said_are_one_line() -> None:
    start = date(2026, 11, 1)
    words = ["a", "a", "well", "a", "b", "b", "a"]
    cells = {
        start + timedelta(days=n): ("real" if one == "well" else "missing", one, None) for n, one in enumerate(words)
    }
    row = heat_row("demand", list(cells), cells, title="title", words="words")
    found = [((one.first - start).days, (one.last - start).days, one.words) for one in row.others]
    assert found == [(0, 1, "a"), (3, 3, "a"), (4, 5, "b"), (6, 6, "a")]
