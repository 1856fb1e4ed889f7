"""Pages for people: server-rendered, charts as SVG, nothing from another host, every figure there without JavaScript.

- `routes`      their addresses, their files, and `/events`
- `now`         `/`: the grid now and its next 48 hours
- `when`        `/when`: when and where to run so many hours
- `region`      `/regions/{id}`: one licence area
- `trust`       `/trust`: complete, fresh, held back, revised; `held` is `/trust/held`; `revisions` what the upstreams gave twice
- `plan`        `/plan`: what runs when, and why there; `quality` is `/quality`: what decisions saved; `readers` who may see them
- `sign_in`     `/sign-in`, `/sign-out`: the token of a reader in a browser; `cookie` what keeps it
- `data`        `/data`: tables, downloads, licences
- `grid`        what they read of `public`; `best` is the best start on one line of forecasts
- `sentence`    the first sentence of the front page; `freshness` whether a page may be called live
- `clock`       the reader's time zone
- `fuels`       the fuels in the order in which they are stacked; `stretches` half-hours in a row as one mark
- `cadence`     how often each dataset is refreshed; `turns` how often its upstream answered, by day
- `tables`      the table behind a chart; `charts/` the charts; `heat_row` a dataset and its days, drawn and in words
- `rendering`   a page from its template, its headers; `refusals` a page that cannot be shown
- `kept`        pages that were just made; `live` tells open pages that there is something new

`templates/` and `assets/` are what they are made of. A page reads, then draws: nothing here shapes data that a view could.
"""
