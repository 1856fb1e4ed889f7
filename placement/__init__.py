"""DECIDE: where and when a workload runs. Pure functions over arrays: no SQL, no HTTP, no clock of their own.

- `spine`        half-hours, and means of series on them
- `outlook`      what is known of the grid at one instant
- `prices`       an estimate of prices that no auction has given yet
- `venues`       places with a capacity, when they are open, and how much of them is taken
- `task`         what is to be placed, and its constraints in words
- `candidates`   every venue x start, the constraints that each breaks, and its score
- `split`        the best chunks of interruptible work at each venue: `chunks` are what it gives, `ground` is what it searches,
                 `chunk_search` how
- `options`      one candidate in full, and what it saves
- `plan`         many workloads placed together; `ledger` is what it searches, `ledger_of` makes one, `shadow_prices` gives the
                 lower bound and a first plan, `local_search` betters it
- `movable`      what a new plan may move, from rows, and what it changes, as rows
- `settlement`   what a run emitted and cost by what came, and what else could have been
- `finished`     a workload that has ended, from rows; `receipt` is what is said of it, as a row
- `replay/`      what decisions would have captured of the possible saving
- `negotiation`  the decision, and how it is agreed: start with `negotiation.decide`

The same input gives the same answer. `service` and `flows` read what is known and hand it in as an `Outlook`.
"""
