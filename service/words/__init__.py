"""What the words of a request say of its size, its time and its place.

- `numbers`       "1,250", "forty-eight", "two hundred and fifty"
- `phrases`       a phrase and what it says, a phrase that is not understood
- `durations`     "3 hours", "90 min", "half a day"; "within 12 hours"
- `moments`       "before 9am tomorrow", "must not run after 9am", "between 22:00 and 06:00"
- `times`        their forms, and the day that is said with each
- `days`         the day of a time ("tomorrow before 9am"), and days whose time is not certain
- `instants`      "9am tomorrow", "1 December at 6pm": London time unless a zone is named
- `sizes`         "6.5 kW", "20 kWh"
- `accelerators`  "8 H100s", from `accelerators.csv`
- `other_accelerators`  "a GB200", "on GPUs": not understood
- `places`        "in London", "postcode EH1 1AA", "in aws eu-west-2", "lat 57.15 lon -2.1"
- `atlas`         a name, a postcode or a region of a cloud in the tables of `service/places`
- `wishes`        "only when carbon is low", "before Christmas": not understood, with the field to give
- `leftovers`     numbers, times and places that nothing above has read
- `negators`      "don't", "never", "without", "anywhere but"
- `sentences`     where the sentences of a request begin and end
- `negations`     which phrases a negator denies: those are not understood
- `reading`       all of them over one request
- `joining`       the words and the fields of a request together; fields win

Only plain phrases are read. What could mean two things is listed as not understood, never guessed.
"""
