"""A database whose payloads were unpacked by three models per dataset goes on with one, and loses nothing."""

import runpy

import pytest

from tests.energy import Energy, contents
from warehouse.settings import PROJECT_ROOT

MIGRATION = PROJECT_ROOT / "warehouse/migrations/versions/20261126_1110__payload_rows.py"
# as the version before made them: a view of what was sent, one of what is possible, a table of what waited
BEFORE = """
drop view intermediate.stg_elexon__market_index, intermediate.pending_payloads;
drop table intermediate.stg_elexon__market_index__pending;
create view intermediate.stg_elexon__market_index as
    select payload_id, fetched_at, record ->> 'dataProvider' as data_provider, record ->> 'price' as price_gbp_mwh
    from staging.elexon__market_index_payloads, jsonb_array_elements(payload -> 'data') as record;
create view intermediate.int_elexon__market_index_rows as select * from intermediate.stg_elexon__market_index;
create unlogged table intermediate.int_elexon__market_index_batch as select * from intermediate.int_elexon__market_index_rows;
alter view intermediate.stg_elexon__market_index owner to energy_transformer;
alter view intermediate.int_elexon__market_index_rows owner to energy_transformer;
alter table intermediate.int_elexon__market_index_batch owner to energy_transformer;
delete from ops.built_projects;
"""
RELATIONS = (
    "select relname, relkind::text from pg_class where relnamespace = 'intermediate'::regnamespace "
    "and relkind in ('r', 'v') order by 1"
)
PUBLISHED = "select model_name, payload_id from intermediate.published_payloads order by 1, 2"


@pytest.mark.slow
def test_what_the_models_of_before_left_gives_way_and_nothing_is_published_again(energy: Energy) -> None:
    from flows.transform import transform

    energy.refresh("elexon__market_index", "elexon__system_prices")
    relations, published = energy.query(RELATIONS), energy.query(PUBLISHED)
    tables = contents(energy)
    energy.query(BEFORE)
    assert energy.query(RELATIONS) != relations

    energy.query(runpy.run_path(str(MIGRATION))["DROP"])
    assert transform.fn()["failures"] == []
    assert energy.query(RELATIONS) == relations
    assert energy.query(PUBLISHED) == published
    assert contents(energy) == tables, "not even updated_at has moved"


@pytest.mark.slow
def test_a_staging_model_whose_columns_change_is_made_anew_by_the_next_run(energy: Energy) -> None:
    from flows.transform import transform

    columns = "select attname from pg_attribute where attrelid = 'intermediate.stg_elexon__market_index'::regclass order by attnum"
    before = energy.query(columns)
    energy.query(
        "drop view intermediate.stg_elexon__market_index; create view intermediate.stg_elexon__market_index as select 1 as one; "
        "alter view intermediate.stg_elexon__market_index owner to energy_transformer; delete from ops.built_projects"
    )
    assert transform.fn()["failures"] == []
    assert energy.query(columns) == before
