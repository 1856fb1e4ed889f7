"""`risk` over HTTP: a cautious task is placed and promised by the upper end of the band, and the decision can be made again."""

from tests.service.conftest import Api, api  # noqa: F401

BANDS = """
insert into intermediate.int_carbon_intensity__bands
select (now() at time zone 'UTC')::date, region, lead, now(), 30, 1000, 100, 0, -40, 10, 20, now()
from generate_series(1, 14) as region cross join unnest(array[0, 1, 2, 3, 4, 6, 9, 12, 18, 24, 30, 36, 42]) as lead
"""


def test_a_cautious_task_is_promised_the_upper_end_of_the_band(api: Api) -> None:  # noqa: F811
    api.query(BANDS)
    size = {"power_kw": 1, "duration_minutes": 60, "region_ids": [13]}
    found = {risk: api.submit("Train", **size, risk=risk) for risk in ("expected", "cautious")}
    for risk, answer in found.items():
        assert answer["risk"] == risk
        begins = answer["placement"]["starts_at"]
        ((published, p50, p90),) = api.query(
            "select avg(published_gco2_kwh)::float8, avg(p50_gco2_kwh)::float8, avg(p90_gco2_kwh)::float8 "
            "from carbon_intensity_forecast where region_id = 13 and period_start >= %s "
            "and period_start < %s::timestamptz + '1 hour'",
            begins, begins,
        )  # fmt: skip
        assert (p50, p90) == (max(published - 10, 0), published + 40)
        if answer["placement"]["starts_at"][14:16] in (
            "00",
            "30",
        ):  # or it begins at once, in the middle of a half-hour
            assert answer["placement"]["mean_gco2_kwh"] == (p50 if risk == "expected" else p90)
        stands = api.client.get(f"/workloads/{answer['workload_id']}").json()
        assert stands["risk"] == risk
        again = api.client.get(f"/workloads/{answer['workload_id']}/decision").json()
        assert again["is_same"], again
    difference = found["cautious"]["placement"]["mean_gco2_kwh"] - found["expected"]["placement"]["mean_gco2_kwh"]
    assert difference > 0


def test_what_is_no_risk_is_refused_by_name(api: Api) -> None:  # noqa: F811
    answer = api.client.post("/submit_task", json={"request": "Train", "risk": "none"})
    assert answer.status_code == 422
    assert "risk" in answer.text and "cautious" in answer.text
