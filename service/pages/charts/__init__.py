"""Charts as SVG, drawn here and sent with the page: they are there at first paint and without JavaScript.

- `scale`      instants and values to positions; round ticks
- `svg`        elements, and the one place where text becomes markup
- `axes`       grid, times, values, now
- `curve`      lines, bands, stacked areas and marked stretches over time
- `bars`       bars per half-hour, of which some are chosen
- `strips`     a bar of shares; a gauge with the bands of the index
- `heat`       a dataset x day map
- `lanes`      what runs when, a lane each
- `outlines`   the fourteen licence areas as paths
- `map`        them, coloured by intensity

A chart is as wide as its place: text keeps its size, lines keep their width, only the positions stretch. No element has a style
of its own, so that a page can forbid inline styles; colours are classes of `assets/pages.css`. What a chart shows is also a table
beside it, which `assets/pages.js` reads for the values under the pointer. Why no library: docs/decisions/charts.md.
"""
