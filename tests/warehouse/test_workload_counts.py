"""`app.workload_counts`: always how many workloads there are, in few rows, and nobody waits for it."""

import psycopg

from tests.warehouse.app_rows import operator, speak_for, workload
from warehouse.database import Database

COUNTED = "select sum(workloads), count(*) from app.workload_counts where operator_id = %s"


def test_the_sum_is_the_number_of_workloads_and_the_rows_stay_few(app: Database, db: psycopg.Connection) -> None:
    by, another = operator(db), operator(db)
    workload(db, another)
    speak_for(db, app, by)
    for _ in range(600):
        workload(db, by)
    total, rows = db.execute(COUNTED, [by]).fetchone() or (0, 0)
    assert total == 600 and rows < 500, "now and then they become one"
    db.execute("reset role")
    db.execute("select set_config('energy.operator_id', '', true)")
    some = "select workload_id from app.compute_workloads where operator_id = %s limit 7"
    db.execute(f"delete from app.compute_workloads where workload_id in ({some})", [by])
    for operator_id, number in ((by, 593), (another, 1)):
        assert (db.execute(COUNTED, [operator_id]).fetchone() or ())[0] == number
    db.execute("set constraints all immediate")
    db.execute("truncate app.compute_workloads cascade")
    assert db.execute("select count(*) from app.workload_counts").fetchone() == (0,)


def test_two_transactions_that_submit_do_not_wait_for_each_other(app: Database) -> None:
    with app.connect() as owner:
        by = operator(owner)
        try:
            with app.connect(autocommit=False) as one, app.connect(autocommit=False) as other:
                other.execute("set lock_timeout = '2s'")
                for _ in range(150):
                    workload(one, by)
                    workload(other, by)
                one.rollback()
            assert (owner.execute(COUNTED, [by]).fetchone() or ())[0] == 150, (
                "those of the one that was undone do not count"
            )
        finally:
            owner.execute("delete from app.compute_workloads where operator_id = %s", [by])
            owner.execute("delete from app.operators where operator_id = %s", [by])
