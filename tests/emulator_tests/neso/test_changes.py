"""What a test may change: resources that move or are rolled, columns, rows."""

from dataclasses import replace
from datetime import date

from tests.emulator.neso import Neso
from tests.emulator.neso.published_demand import (
    ONE_DAY,
)
from tests.emulator_tests.neso.asking import N2EX, NOW, OTHER_ID, error, get, result, rows, types
from warehouse.database import Database


class TestChanges:
    def test_a_resource_moves(self, neso: Neso) -> None:
        before = rows(neso, ONE_DAY)
        neso.moved(ONE_DAY, OTHER_ID)
        assert rows(neso, OTHER_ID) == before
        assert error(get(neso, "datastore_search_sql", sql=f'select 1 from "{ONE_DAY}"'))[0] == 409
        assert error(get(neso, "datastore_search", resource_id=ONE_DAY))[0] == 404
        assert error(get(neso, "resource_show", id=ONE_DAY))[0] == 404
        ids = {
            r["name"]: r["id"] for r in result(get(neso, "package_show", id="1-day-ahead-demand-forecast"))["resources"]
        }
        assert ids["Day Ahead National Demand Forecast"] == OTHER_ID
        neso.reset()
        assert rows(neso, ONE_DAY) == before
        assert error(get(neso, "datastore_search_sql", sql=f'select 1 from "{OTHER_ID}"'))[0] == 409

    def test_a_resource_is_rolled_and_its_old_id_is_the_archive(self, neso: Neso) -> None:
        before, version = rows(neso, ONE_DAY), result(get(neso, "resource_show", id=ONE_DAY))
        neso.rolled(ONE_DAY, OTHER_ID, {"FORECASTDEMAND": "FORECAST_DEMAND"})
        new, old = (result(get(neso, "resource_show", id=id_)) for id_ in (OTHER_ID, ONE_DAY))
        assert (new["name"], old["name"]) == (version["name"], f"{version['name']} (Archive)")
        assert rows(neso, ONE_DAY) == before, "it answers still"
        assert [row["FORECAST_DEMAND"] for row in rows(neso, OTHER_ID)] == [row["FORECASTDEMAND"] for row in before]
        assert new["last_modified"] != version["last_modified"]
        listed = result(get(neso, "package_search", q=version["name"], rows="10"))["results"]
        assert OTHER_ID in [one["id"] for package in listed for one in package["resources"]]

    def test_a_resource_is_newer_and_the_same(self, neso: Neso) -> None:
        before, version = rows(neso, ONE_DAY), result(get(neso, "resource_show", id=ONE_DAY))["last_modified"]
        neso.touched(ONE_DAY)
        assert result(get(neso, "resource_show", id=ONE_DAY))["last_modified"] > version
        assert rows(neso, ONE_DAY) == before

    def test_a_column_goes(self, neso: Neso) -> None:
        neso.drop_column(ONE_DAY, "F_Point")
        assert "F_Point" not in types(neso, ONE_DAY)
        neso.drop_column(ONE_DAY, "CP_TYPE")
        assert not {"F_Point", "CP_TYPE"} & set(types(neso, ONE_DAY))
        neso.reset()
        assert "F_Point" in types(neso, ONE_DAY)

    def test_other_rows(self, neso: Neso) -> None:
        neso.put(N2EX, [{"Date": "2026-10-09", "Delivery Period": "00:00 - 01:00", "Price": None}])
        assert [row["Price"] for row in rows(neso, N2EX)] == [None]
        neso.reset()
        neso.put(N2EX, [{"Price": 3, "Note": "x"}], {"Price": "int4", "Note": "text"})
        assert types(neso, N2EX) == {"Price": "int4", "Note": "text"}
        assert result(get(neso, "resource_show", id=N2EX))["last_modified"] == "2026-10-08T12:35:00.000000"
        neso.put(OTHER_ID, [{"a": 1, "b": 1.5, "c": date(2026, 1, 1), "d": "x"}])
        assert types(neso, OTHER_ID) == {"a": "int4", "b": "numeric", "c": "date", "d": "text"}

    def test_the_database_goes_when_closed(self, server: Database) -> None:
        neso = Neso(None, lambda: NOW, lambda: server)
        rows(neso, ONE_DAY)
        database = neso._filled._database
        assert database is not None
        neso.close()
        with server.connect() as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", [database.name])
            assert found.fetchone() is None
        assert replace(database, name=server.name) == server
