"""The routes, a module for each subject. Shapes of what they give: `service/models/`.

- `submit_task` one task in, a time and a place out
- `workloads`   look at, take the next step, decide again
- `receipts`    what a finished one was promised, and what came
- `grid`        regional opportunities, the best windows
- `exports`     the Parquet files of `make export`
- `submit_tasks` many tasks in one request
- `plan`        all workloads that have not begun, placed together
- `places`      which region a place lies in
- `series`      time series, as JSON or as files; `formats`: which of them a client wants
- `claims`      runners take what is due, renew their claims, and say how it ended
- `chunks`      runners say when each piece of their work started and stopped
- `callbacks`   where an operator is called back
- `agents`      what each agent reads before it speaks
- `health`      alive, ready, figures
- `problems`    what each type of problem means
- `api_docs`    `/docs`: the HTTP API, to read and to try
- `docs_pages`  `/docs/quality` and `/docs/dbt`
"""
