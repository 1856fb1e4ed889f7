"""Shapes of responses, for `/openapi.json` and for clients that are generated from it.

- `common`      what every response has: how old the data is, which places were asked for
- `plan`        a plan of workloads
- `workloads`   a submission, a workload, its placement
- `receipts`    what a finished workload was promised, and what came
- `grid`        opportunities of the regions, the best windows
- `claims`      what a runner is given, and what it says of it
- `callbacks`   subscriptions and deliveries
- `context_rows`  what stands in a context: the grid, prices, workloads, assets, what was said
- `agents`      what each agent reads, in full and in brief
- `places`      places and why they lie in a region
- `series`      which series there are, and rows of one
- `health`      alive and ready
- `problems`    refusals, by RFC 9457
"""
