"""A batch of tasks in one transaction: who, what size, where and when; each decision sees the bookings of those before it."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from uuid import UUID, uuid4

from placement.negotiation import book, decide
from placement.outlook import Outlook
from placement.venues import Taken, Venues
from service import ages, records, users, venues
from service.aside import PLACING
from service.bookings import Bookings
from service.callbacks import subscriptions
from service.drafts import Draft, described
from service.efforts import MOST_AT_ONCE, is_long
from service.outlook import Outlooks
from service.preparation import Answers, Preparation, ask_answers, by_operator, read_answers
from service.problems import Problem
from service.settings import ServiceSettings
from service.submitted import Submission
from service.tenancy import NOBODY, Connection, Pool, connected, speak_for

_TOO_MUCH_AT_ONCE = Problem(
    503,
    "too much work in chunks came at once; send it again with the same Idempotency-Key, fewer at a time",
    headers={"Retry-After": "2"},
)
OTHERS_GO_ON = 8
"""Decisions after which other requests of the process get a turn"""


@dataclass(frozen=True)
class Accepted:
    """The answer as JSON, and what became of the task: scheduled, pending or repeated."""

    answer: str
    outcome: str


@dataclass(frozen=True)
class Intake:
    """Takes batches in. `app.lock_capacity` makes all processes that place work take turns, so no capacity is given twice."""

    pool: Pool
    outlooks: Outlooks
    settings: ServiceSettings
    preparation: Preparation
    bookings: Bookings = field(default_factory=Bookings)

    async def __call__(self, batch: Sequence[Submission]) -> list[Accepted | Exception]:
        """What was accepted of each, or the Problem that refuses it. Raises what the database raises; then nothing is kept."""
        outlook = await self.outlooks.now()
        # in pipelines `begin` and `commit` make no round trip of their own
        async with connected(self.pool) as connection, connection.pipeline(), connection.transaction():
            await speak_for(connection, NOBODY)
            late = [submission for submission in batch if submission.prepared_with is not outlook]
            if late:
                await self.preparation.within(connection, late, outlook)
            for submission in batch:
                submission.prepared_with = None  # if it is written once more, it is prepared once more
            new = await subscriptions.that_can_be_called_back(connection, _new(batch), self.settings.callback_networks)
            for operator_id, own in by_operator(new).items():
                await users.link(connection, operator_id, own, outlook)
            answers, taken = await self._lock(connection, batch)
            results, rows = await self._decide(batch, taken, answers, outlook)
            for operator_id, own_rows in rows.items():
                await speak_for(connection, operator_id)
                await records.add(connection, own_rows, outlook)
        return results

    async def _lock(self, connection: Connection, batch: Sequence[Submission]) -> tuple[Answers, dict[str, Taken]]:
        """Nobody else places anything from here on. What was answered to the keys of the batch; what is taken."""
        async with connection.pipeline():  # one round trip
            clock = await connection.execute("select clock_timestamp() as now from app.lock_capacity()")
            booked = await self.bookings.ask(connection)
            asked = await ask_answers(connection, batch)
        ((now,),) = [tuple(row.values()) for row in await clock.fetchall()]
        before = {submission.name: submission.before for submission in batch if submission.name and submission.before}
        return before | await read_answers(asked), await self.bookings.taken(connection, booked, now)

    async def _decide(
        self, batch: Sequence[Submission], taken: dict[str, Taken], answers: Answers, outlook: Outlook
    ) -> tuple[list[Accepted | Exception], dict[UUID, list[records.Row]]]:
        """In the order of arrival; what is to be written, by operator."""
        results: list[Accepted | Exception] = []
        rows: dict[UUID, list[records.Row]] = {}
        for number, submission in enumerate(batch):
            if number % OTHERS_GO_ON == 0:
                await asyncio.sleep(0)
            before = answers.get(submission.name) if submission.name is not None else None
            try:
                if before is not None:
                    results.append(Accepted(records.answered(before, submission.fingerprint), "repeated"))
                    continue
                if submission.drafted is None or submission.places is None:
                    raise submission.refusal or Problem(503, "send it again with the same Idempotency-Key")
                given = (submission, submission.drafted, submission.places, taken, outlook)
                row = await PLACING(self._place, *given) if is_long(submission.drafted.task) else self._place(*given)
            except Problem as problem:
                results.append(problem)
                continue
            accepted = Accepted(row.answer_as_sent, str(row.answer["status"]))
            results.append(accepted)
            rows.setdefault(submission.operator_id, []).append(row)
            if submission.name is not None:
                answers[submission.name] = {"request_sha256": submission.fingerprint, "answer": accepted.answer}
        return results, rows

    def _place(
        self, submission: Submission, drafted: Draft, places: Venues, taken: dict[str, Taken], outlook: Outlook
    ) -> records.Row:
        task = drafted.task
        among = venues.only(submission.asked.asset_id, places)
        decision = decide(task, among, outlook, taken, carbon_value_gbp_kg=self.settings.carbon_value_gbp_tonne / 1000)
        described_task = described(drafted, decision)
        answer = {
            "understood": {
                **submission.understood.as_json(described_task),
                "places": [asdict(place) for place in submission.asked.places],
            },
            "workload_id": uuid4(),
            "operator_id": submission.operator_id,
            "placement_id": uuid4() if decision.options else None,
            "user": submission.user,
            **described_task,
            "data": ages.of(outlook, submission.at),
        }
        if decision.options:
            best = decision.options[0]
            book(taken, best, task)
        return records.Row(answer, records.as_json(answer), decision, submission, drafted)


def _new(batch: Sequence[Submission]) -> list[Submission]:
    """Those that are neither refused nor answered before. Only they make a user."""
    names = {submission.name for submission in batch if submission.before is not None}
    new: list[Submission] = []
    efforts = 0
    for submission in batch:
        if submission.drafted is None or submission.name in names:
            continue
        efforts += submission.effort
        if efforts > MOST_AT_ONCE:
            submission.refuse(_TOO_MUCH_AT_ONCE)
            continue
        new.append(submission)
        if submission.name is not None:
            names.add(submission.name)
    return new
