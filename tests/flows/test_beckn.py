"""The Beckn catalogue, end to end: values equal, a row when something changed, geometry before names."""

import json

import pytest
import shapely
from shapely.geometry import shape

from tests.conftest import RECORDED_DIR, needs_recorded
from tests.dbt_project.test_regions import REGION_OF_AREA
from tests.emulator import Emulator
from tests.energy import Energy
from tests.flows import killing

KILLS = 6
SLOW_TO_CHANGE = ("grid_zones", "compute_windows", "grid_snapshots", "offers")


def counts(energy: Energy) -> dict[str, int]:
    return {table: energy.value(f"select count(*) from {table}") for table in SLOW_TO_CHANGE}


@needs_recorded
def test_the_recorded_catalogue_field_by_field(energy: Energy, recorded_emulator: Emulator) -> None:
    energy.set(**recorded_emulator.settings)
    energy.refresh("beckn")
    recorded = json.loads((RECORDED_DIR / "beckn/recorded/on_discover_recorded_20251124T172519Z.json").read_text())
    (catalog,) = recorded["message"]["catalogs"]
    for item in catalog["beckn:items"]:
        attributes = item["beckn:itemAttributes"]
        grid, capacity = attributes["beckn:gridParameters"], attributes["beckn:capacityParameters"]
        address = item["beckn:availableAt"][0]["address"]
        (row,) = energy.query(
            "select name, provider_id, grid_area, zone_code, locality, region_name, country, geometry, starts_at_time::text, "
            "ends_at_time::text, crosses_midnight, capacity_mw::float, reservation_required, valid_from::text, is_expired, "
            "renewable_pct::float, carbon_intensity_gco2_kwh::float, available_capacity_mw::float from latest_compute_windows "
            "join grid_zones using (zone_id, grid_area, zone_code) join compute_windows using (window_id, name, provider_id, "
            "starts_at_time, ends_at_time, crosses_midnight, reservation_required, valid_from) where window_id = %s",
            item["beckn:id"],
        )
        window = attributes["beckn:timeWindow"]
        assert row == (
            item["beckn:descriptor"]["schema:name"], "gridflex-agent-uk", grid["gridArea"], grid["gridZone"],
            address["addressLocality"], address["addressRegion"], "GB", item["beckn:availableAt"][0]["geo"],
            window["start"].rstrip("Z"), window["end"].rstrip("Z"), window["end"] < window["start"],
            capacity["availableCapacity"], capacity["reservationRequired"], "2025-11-17 00:00:00+00", True,
            grid["renewableMix"], grid["carbonIntensity"], capacity["availableCapacity"],
        )  # fmt: skip
    prices = energy.query("select window_id, price::float, currency, unit from offers order by 1")
    assert prices == [
        ("item-ce-cambridge-morning-001", 0.102, "GBP", "per_kWh"),
        ("item-ce-manchester-afternoon-001", 0.092, "GBP", "per_kWh"),
    ]
    assert counts(energy) == {"grid_zones": 9, "compute_windows": 9, "grid_snapshots": 9, "offers": 2}
    assert energy.value("select count(*) from latest_compute_windows where price is null") == 7


@needs_recorded
def test_each_zone_lies_where_the_true_areas_say(energy: Energy) -> None:
    energy.refresh("beckn")
    document = json.loads((RECORDED_DIR / "geography/dno_license_areas.geojson").read_text())
    areas = {REGION_OF_AREA[f["properties"]["ID"]]: shape(f["geometry"]) for f in document["features"]}
    zones = energy.query("select zone_id, geometry, region_id, region_name, address_differs from grid_zones")
    assert len(zones) == 9
    for zone, geometry, region_id, _, _ in zones:
        centre = shape(geometry).centroid
        assert [i for i, area in areas.items() if area.contains(shapely.Point(centre))] == [region_id], zone
    differs = {region_name: differs for _, _, _, region_name, differs in zones}
    assert differs["West Midlands"] is True, "Birmingham's polygon lies in the East Midlands"
    assert differs["Scotland"] is differs["East England"] is False


@pytest.mark.slow
def test_the_same_again_adds_nothing_and_a_changed_number_adds_one_snapshot(energy: Energy, emulator: Emulator) -> None:
    energy.refresh("beckn")
    before = counts(energy)
    energy.refresh("beckn")
    assert counts(energy) == before
    assert "the same catalogue as before" in energy.output
    assert energy.value("select count(*) from staging.beckn__catalogue_payloads") == 1
    emulator.beckn.change("item-ce-leeds-night-001", renewableMix=79)
    energy.refresh("beckn")
    assert counts(energy) == {**before, "grid_snapshots": before["grid_snapshots"] + 1}
    leeds = "select renewable_pct::int from latest_compute_windows where window_id = 'item-ce-leeds-night-001'"
    assert energy.value(leeds) == 79
    emulator.beckn.reset()
    energy.refresh("beckn")
    assert energy.value(leeds) == 78, "back to what it was is a change too"
    emulator.beckn.change_offer("offer-ce-cambridge-morning-001", value=0.2)
    energy.refresh("beckn")
    assert energy.value("select count(*) from offers") == before["offers"] + 1
    assert energy.value("select max(price)::float from latest_compute_windows") == 0.2


@pytest.mark.slow
def test_all_catalogues_are_read_and_an_offer_for_nothing_is_for_nothing(energy: Energy, emulator: Emulator) -> None:
    emulator.beckn.switches.second_catalogue = True
    emulator.beckn.switches.unicode = True
    emulator.beckn.switches.polygon_hole = True
    energy.refresh("beckn")
    assert energy.value("select count(*) from compute_windows") == 12
    assert energy.value("select count(*) from grid_zones where region_id is null and country <> 'GB'") == 3
    emulator.beckn.reset()
    emulator.beckn.switches.unknown_item_offer = True
    outcome = energy.refresh("beckn")
    assert not outcome["failures"]
    assert "Every value is real" in energy.output
    assert (
        energy.value("select count(*) from offers where window_id not in (select window_id from compute_windows)") == 0
    )
    assert energy.value("select bool_or(name ~ '[^[:ascii:]]') from compute_windows")


@pytest.mark.slow
def test_windows_and_offers_that_are_gone_are_listed_no_longer(energy: Energy, emulator: Emulator) -> None:
    emulator.beckn.switches.second_catalogue = True
    energy.refresh("beckn")
    listed = energy.value("select count(*) from latest_compute_windows")
    emulator.beckn.reset()
    energy.refresh("beckn")
    assert energy.value("select count(*) from latest_compute_windows") == 9 < listed
    assert energy.value("select count(*) from compute_windows") == listed, "what was once there is kept"


REFUSED = (
    ("item_without_grid_parameters", True, "gridParameters"),
    ("swapped_axes", True, "are its axes swapped"),
    ("mapped_legacy_catalog", True, "older form"),
    ("nack", "onix", "NACK"),
    ("nack", "cds", "NACK"),
    ("nack", "successor", "NACK"),
    ("bad_gateway", True, "502"),
)


@pytest.mark.slow
def test_what_cannot_be_right_is_refused_whole(energy: Energy, emulator: Emulator) -> None:
    for switch, value, words in REFUSED:
        emulator.beckn.reset()
        setattr(emulator.beckn.switches, switch, value)
        energy.query("truncate staging.rejected_payloads")
        outcome = energy.refresh("beckn")
        assert not outcome["failures"]
        assert words in energy.output
        assert energy.value("select count(*) from compute_windows where not is_synthetic") == 0, switch
        assert energy.value("select count(*) from staging.rejected_payloads") == 1, switch


FORMS = ("legacy_example_shape", "availability_object", "price_string", "duplicate_items", "gzip", "fresh_validity")


@pytest.mark.slow
def test_every_form_of_the_documents_is_read(energy: Energy, emulator: Emulator) -> None:
    for number, switch in enumerate(FORMS):
        emulator.beckn.reset()
        emulator.beckn.change("item-ce-leeds-night-001", renewableMix=60 + number)
        setattr(emulator.beckn.switches, switch, True)
        energy.refresh("beckn")
        assert "Every value is real" in energy.output
        offered = energy.query(
            "select count(*) filter (where region_id is not null), count(price), bool_or(is_expired), "
            "max(renewable_pct::int) filter (where window_id = 'item-ce-leeds-night-001') from latest_compute_windows"
        )
        assert offered == [(9, 2, switch != "fresh_validity", 60 + number)], switch


def test_an_item_twice_with_different_values_refuses_the_catalogue(energy: Energy, emulator: Emulator) -> None:
    emulator.fault("duplicate", "/api/discover")
    energy.refresh("beckn")
    assert "twice, with different values" in energy.output
    assert energy.value("select count(*) from compute_windows where not is_synthetic") == 0


@pytest.mark.slow
def test_five_thousand_windows(energy: Energy, emulator: Emulator) -> None:
    emulator.beckn.switches.item_count = 5000
    outcome = energy.refresh("beckn")
    assert not outcome["failures"]
    assert energy.value("select count(*) from compute_windows where not is_synthetic") == 5000


@pytest.mark.slow
def test_without_the_sandbox_a_synthetic_catalogue_stands_in_once_and_gives_way(
    energy: Energy, emulator: Emulator
) -> None:
    energy.unplug()
    energy.refresh("beckn")
    energy.refresh("beckn")
    assert energy.value("select count(*) from staging.beckn__catalogue_payloads") == 1
    assert energy.value("select bool_and(is_synthetic) from latest_compute_windows")
    energy.set(**emulator.settings)
    energy.refresh("beckn")
    assert energy.value("select bool_or(is_synthetic) from latest_compute_windows") is False
    real = energy.query("select * from compute_windows order by window_id")
    energy.unplug()
    energy.refresh("beckn")
    assert energy.query("select * from compute_windows order by window_id") == real
    assert energy.value("select bool_or(is_synthetic) from latest_compute_windows") is False


@pytest.mark.slow
def test_killed_at_any_moment_the_catalogue_is_as_without_the_kills(energy: Energy, emulator: Emulator) -> None:
    command = ("flows.refresh", "--datasets", "beckn")
    slowest = killing.seconds(*command)
    killed, number = 0, 0
    emulator.beckn.change("item-ce-leeds-night-001", renewableMix=30)
    for was_at_work in killing.killed_at(killing.moments(4, KILLS), slowest, *command):
        killed, number = killed + was_at_work, number + 1
        if number < KILLS:
            emulator.beckn.change("item-ce-leeds-night-001", renewableMix=30 + number)
    assert killed >= KILLS / 2, "most runs were killed before their end"
    energy.refresh("beckn")
    landed = "select count(*) from staging.beckn__catalogue_payloads"
    assert counts(energy)["grid_snapshots"] == 9 + energy.value(landed) - 1, "each catalogue that landed is one change"
    shares = energy.query(
        "select observed_at, renewable_pct::int from grid_snapshots where window_id = 'item-ce-leeds-night-001' order by 1"
    )
    in_payloads = energy.query(
        "select fetched_at, renewable_pct::int from intermediate.stg_beckn__catalogue "
        "where window_id = 'item-ce-leeds-night-001' order by 1"
    )
    assert shares == in_payloads
    assert shares[-1][1] == 30 + KILLS - 1
