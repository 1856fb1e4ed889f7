"""SERVE: takes workloads in, places them in time and space, and answers agents and people.

    python -m service                 the HTTP API and the pages
    python -m service token --operator "Example Northern Cloud"     a bearer token for an operator

Where to go for what:

- `app`          puts the parts together; `assembly` what they share, `observed` counts and logs, `settings` what a user may set
- `routes/`, `models/`  routes, and the shapes of what they give; `described` is their documentation
- `problems`     refusals as problem documents; `problem_types` names them
- `access`, `tokens`, `tenancy`  who asks, and the connection on which PostgreSQL shows them their own rows alone
- `limits`, `connections`, `queries`  what an address may ask, how long, and with which parameters
- `look_ups`, `fair`, `budget`  tokens found in the database, each address in its turn; processor time without a token

A task, from its words to its place:

- `shapes`, `task_places`, `words/`  what is asked; `estimate` what nobody said of its size
- `submission`, `submitted`, `group_commit`  one task or many, in batches; `preparation` is what needs no turn, `intake` what does;
                 `users` are made or linked
- `outlook`, `ages`  what is known of the grid, and how old that is
- `venues`, `bookings`, `windows`, `planning`  what room `placement` decides by; `efforts` bounds a search, `aside` does it
                 beside the event loop
- `records`, `drafts`, `paging`  rows of `app`, written and read
- `chunk_runs`  when each piece of work in several really ran
- `claims`, `actuals`, `receipts`  runners take what is due; what a run emitted; and against what it might have
- `background`   work beside the requests, over and over: `sweep` and the callbacks
- `sweep`, `overdue`  ends each minute what nobody asks for: leases without a heartbeat; work whose deadline has passed
- `callbacks/`   what happens to a workload is sent to its operator

What agents and people read:

- `contexts`, `brief`, `answers`, `where`  what each agent reads, how an answer is spelled, where it is about
- `costs`        why a cost is null, and its estimate
- `places/`, `series/`  which region a place lies in; time series
- `mcp/`, `gsf/`  the same by the Model Context Protocol, and as the Carbon Aware SDK's routes
- `pages/`       pages for people; `coverage` is how complete the last week is
- `metrics`, `signals`  what Prometheus reads; of the grid, what schedulers scale by

The service writes schema `app` alone and reads `public`, and what the page on trust shows of `ops`.
"""
