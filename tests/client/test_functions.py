"""`energy.wait`, `wait_async` and `carbon_aware` in programs of a user."""

from tests.client.conftest import Machine

START = """
import asyncio, logging, sys, time
from datetime import datetime, timedelta, timezone
import energy
from energy.clock import Clock
logging.basicConfig(stream=sys.stdout, format="%(message)s")

class Hurried(Clock):
    '''Each second that is slept is an hour.'''
    ahead = 0.0

    def now(self):
        return datetime.now(timezone.utc) + timedelta(seconds=self.ahead)

    def sleep(self, seconds):
        self.ahead += 3600
        time.sleep(0.01)

now = dict(hours=1, deadline="1h")
"""


def run(machine: Machine, program: str) -> tuple[int, str]:
    done = machine.python("-c", START + program)
    return done.returncode, done.stdout + done.stderr


def test_a_block_and_a_program_report_how_they_ended(machine: Machine) -> None:
    code, said = run(machine, "with energy.wait(**now) as turn: print(turn.workload_id)")
    assert code == 0 and "begins at once" in said
    assert run(machine, "with energy.wait(**now): 1 / 0")[0] == 1
    assert run(machine, "energy.wait(**now)")[0] == 0
    assert run(machine, "energy.wait(**now); 1 / 0")[0] == 1
    assert machine.statuses() == ["completed", "failed", "completed", "failed"]


def test_a_function_waits_for_its_moment_at_each_call(machine: Machine) -> None:
    program = """
clock = Hurried()
@energy.carbon_aware(hours=1, deadline="30h", place="Leeds", clock=clock)
def work(number, *, more):
    '''Works.'''
    return number + more

@energy.carbon_aware(**now)
async def work_async(number):
    await asyncio.sleep(0)
    return number

@energy.carbon_aware(**now)
def fail():
    raise KeyError("mine")

assert work.__doc__ == "Works." and work(1, more=2) == 3 and work(3, more=4) == 7
assert asyncio.run(work_async(5)) == 5
try:
    fail()
except KeyError as error:
    assert error.args == ("mine",)
"""
    code, said = run(machine, program)
    assert code == 0, said
    assert machine.statuses() == ["completed", "completed", "completed", "failed"]
    rows = machine.query("select request, region_ids from app.compute_workloads order by created_at")
    assert rows[0] == ("Run work", [5]) and rows[2][0] == "Run work_async"


def test_asyncio_goes_on_while_it_waits_and_a_cancelled_wait_frees_its_place(machine: Machine) -> None:
    program = """
class Far(Clock):
    '''A machine whose clock is behind: what is now is still to come for it.'''
    def now(self):
        return datetime.now(timezone.utc) - timedelta(hours=3)

async def main():
    ticks = 0
    task = asyncio.ensure_future(energy.wait_async(hours=1, deadline="6h", clock=Far()).__aenter__())
    for _ in range(40):
        await asyncio.sleep(0.05)
        ticks += 1
    assert not task.done() and ticks == 40
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")
    async with energy.wait_async(**now) as turn:
        assert turn.workload_id
asyncio.run(main())
"""
    code, said = run(machine, program)
    assert code == 0 and "cancelled" in said, said
    assert machine.statuses() == ["cancelled", "completed"]


def test_without_the_service_the_work_goes_on_unless_it_is_strict(machine: Machine) -> None:
    machine.url = "http://127.0.0.1:9"
    code, said = run(machine, "with energy.wait(hours=4): print('worked')")
    assert code == 0 and "worked" in said and said.count("it begins at once") == 1
    code, said = run(
        machine, "try: energy.wait(hours=4, strict=True)\nexcept energy.Trouble as trouble: print('refused', trouble)"
    )
    assert code == 0 and "refused the service at" in said
    code, said = run(machine, "try: energy.wait(hours=4, deadline='2h')\nexcept ValueError as error: print(error)")
    assert code == 0 and "deadline is before" in said


BEATING = """
from energy.api import Api
from energy.job import Job
from energy.settings import Settings
said = []
clock = Clock()
job = Job(words="Run it", length=timedelta(hours=1), submitted_at=clock.now(), deadline=clock.now() + timedelta(hours=1))
turn = energy.Turn(Api(Settings.read()), job, clock=clock, say=said.append, beat_seconds=0.2)
turn.submit()
turn.wait()
turn.begin()
"""


def test_heartbeats_keep_the_lease_until_the_end(machine: Machine) -> None:
    code, said = run(machine, f"{BEATING}\ntime.sleep(3)\nturn.end(is_success=True)\nprint(said)")
    assert code == 0, said
    ((status, seconds, runner, outcome),) = machine.query(
        "select status, extract(epoch from leased_until - claimed_at)::float8 - lease_seconds, runner, outcome "
        "from app.workload_claims join app.compute_workloads using (workload_id)"
    )
    assert (status, outcome) == ("completed", "completed") and seconds > 1, "the lease began anew"
    ((run_by,),) = machine.query("select run ->> 'runner' from app.compute_workloads")
    assert run_by == runner, "nobody else may claim it"


def test_work_that_the_service_has_given_up_goes_on_and_is_said_once(machine: Machine) -> None:
    cancel = "Api(Settings.read()).patch(f'/workloads/{turn.workload_id}', {'status': 'cancelled'})"
    code, said = run(
        machine,
        f"{BEATING}\n{cancel}\nwhile not any('goes on' in one for one in said): time.sleep(0.1)\n"
        "time.sleep(1)\nturn.end(is_success=True)\nprint('\\n'.join(said))",
    )
    assert code == 0 and said.count("the command goes on") == 1 and said.count("the end is not recorded") == 1, said
    assert machine.statuses() == ["cancelled"]
