"""What decisions would have captured of the possible saving: each decides with what was known then, and is scored by what came.

- `jobs`       the classes of jobs, and the policies
- `episodes`   moments of decision: the forecast of each, those that followed, what came, and the prices known by then
- `choose`     the best half-hours of many moments at once, in one piece or freely split
- `policies`   what each policy runs, what it promised and what came
- `errors`     how far forecasts were off by lead time, and the bands that past errors give
- `simulated`  forecasts made of what came and simulated errors, which follow the measured ones
- `ideal`      the best linear reading of forecasts, fitted with hindsight: what the same information allows
- `tally`      sums over decisions: captured share, regret, promised less realised
- `replay`     all of it for a region: start here

Pure functions over arrays. A row of an array is a moment, a column a half-hour from the first that can still be decided.
"""
