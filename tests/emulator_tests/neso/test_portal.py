"""Packages, resources, pages and limits of the portal."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.emulator.neso import Neso
from tests.emulator.neso.published_demand import (
    HISTORIC,
    ONE_DAY,
    UPDATE,
)
from tests.emulator.protocol import Asked
from tests.emulator_tests.neso.asking import N2EX, NOW, Clock, error, get, post, result, rows, sql


class TestPortal:
    def test_packages_and_resources_are_found(self, neso: Neso) -> None:
        found = result(get(neso, "package_search", q="price"))
        names = {package["name"] for package in found["results"]}
        assert found["count"] > 3
        assert "day-ahead-power-exchange-prices-nordpool" in names
        assert result(get(neso, "package_search", q="N2EX Price", rows=0))["count"] == 1
        assert result(get(neso, "package_search", q="price nonsense"))["results"] == []
        assert result(get(neso, "package_search", q="*:*", fq="organization:dfs"))["count"] == 2
        package = result(get(neso, "package_show", id="historic-demand-data"))
        assert result(get(neso, "package_show", id=package["id"])) == package
        assert package["organization"]["name"] == "demand"
        ids = {item["name"]: item["id"] for item in package["resources"]}
        assert ids["Historic Demand Data 2018"] == HISTORIC[2018]
        assert result(get(neso, "resource_search", query="name:n2ex"))["results"][0]["name"].startswith(" N2EX")
        assert package["name"] in result(get(neso, "package_list"))
        assert len(result(get(neso, "organization_list"))) == 16
        assert result(get(neso, "status_show"))["ckan_version"] == "2.8.7"
        frictionless = result(get(neso, "datapackage_show", id="daily-demand-update"))["resources"][0]
        assert (frictionless["name"], frictionless["title"]) == ("demand_data_update", "Demand Data Update")
        assert frictionless["path"].endswith("demanddataupdate.csv")

    def test_a_resource_tells_when_it_changed(self, neso: Neso) -> None:
        def modified(resource_id: str) -> Any:
            return result(get(neso, "resource_show", id=resource_id))["last_modified"]

        assert modified(UPDATE) == "2026-10-08T08:20:19.247563"
        before = modified(HISTORIC[2018]), modified(N2EX), modified(HISTORIC[2026]), rows(neso, ONE_DAY)
        Clock.now = NOW + timedelta(days=1)
        assert modified(UPDATE) == "2026-10-09T08:20:19.247563"
        assert (modified(HISTORIC[2018]), modified(N2EX)) == before[:2]
        assert modified(HISTORIC[2026]) > before[2]
        assert rows(neso, ONE_DAY) != before[3], "the table is as of now"
        assert (NOW - datetime.fromisoformat(before[1]).replace(tzinfo=UTC)).days > 7, "N2EX is stale"
        bsad = result(get(neso, "package_show", id="aggregated-bsad"))["resources"]
        assert {item["last_modified"] for item in bsad} == {None}

    def test_what_is_refused(self, neso: Neso) -> None:
        assert error(get(neso, "package_show", id="nope")) == (
            404,
            {"__type": "Not Found Error", "message": "Not found"},
        )
        assert error(get(neso, "resource_show"))[0] == 409
        unknown = get(neso, "nonexistent_action")
        assert (unknown.status, json.loads(unknown.body)) == (
            400,
            "Bad request - Action name not known: nonexistent_action",
        )
        malformed = post(neso, "package_show", b"{")
        assert malformed.status == 400 and json.loads(malformed.body).startswith("Bad request - JSON Error")
        assert error(get(neso, "package_search", q='"open'))[1]["__type"] == "Search Query Error"

    def test_another_path_is_a_page(self, neso: Neso) -> None:
        reply = neso.answer(Asked("GET", "/openapi.json"))
        assert (reply.status, reply.content_type) == (200, "text/html; charset=utf-8")
        assert b"404 Not Found" in reply.body

    def test_limits_are_counted(self, neso: Neso) -> None:
        for _ in range(3):
            get(neso, "status_show")
            sql(neso, f'select count(*) from "{ONE_DAY}"')
        assert neso.calls == {"ckan": 3, "datastore": 3}
        assert neso.over_limit == {"ckan": 2, "datastore": 1}

    def test_limits_are_enforced_on_demand(self, neso: Neso) -> None:
        neso.enforces_limits = True
        asked = [get(neso, "datastore_search_sql", sql=f'select 1 from "{ONE_DAY}"') for _ in range(3)]
        assert [reply.status for reply in asked] == [200, 200, 403]
        assert asked[2].content_type.startswith("text/html")
        assert [get(neso, "status_show").status for _ in range(2)] == [200, 403]
        neso.reset()
        assert get(neso, "status_show").status == 200 and neso.over_limit.total() == 0
