"""A task on its way in: its user, its size, its place; once for each idempotency key."""

from tests.service.conftest import Api


def test_the_readme_s_example_is_one_row_of_the_summary(api: Api) -> None:
    answer = api.submit("Train ResNet-50 on ImageNet", user_email="researcher@example.com")
    rows = api.query(
        "select user_name, operator_name, total_workloads, pending_workloads, total_energy_kwh::float8, total_carbon_kg::float8 "
        "from user_workload_summary where user_email = 'researcher@example.com'"
    )
    assert rows == [
        (None, "Default operator", 1, 1, answer["energy_kwh"], answer["placement"]["carbon_kg"])
    ]
    assert api.query("select user_count, asset_count, workload_count, active_workloads from operator_summary") == [(1, 0, 1, 0)]
