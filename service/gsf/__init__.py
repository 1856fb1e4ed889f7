"""The routes of the Green Software Foundation's Carbon Aware SDK Web API, in its own shapes, under `/gsf`.

A client of that API works unchanged: its base address is all that changes. What differs from its documentation: `docs/gsf.md`.

- `app`         the application that is mounted at `/gsf`; its errors have the form of that API
- `emissions`   what was: by location, best, average
- `forecasts`   what is to come: now, and as it was known at any instant
- `locations`   names of places
- `shapes`      requests and responses
- `windows`     averages over a window that rolls along a forecast
- `reading`     what the database has
- `headers`     how much of it is synthetic, and how old it is; `problems` errors in the form of that API
"""
