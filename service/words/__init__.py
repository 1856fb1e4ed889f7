"""What the words of a request say of its size, its time and its place.

- `phrases`       a phrase and what it says, a phrase that is not understood; numbers in digits and words
- `durations`     "3 hours", "90 min", "half a day"; "within 12 hours"
- `moments`       "before 9am tomorrow", "after midnight", "between 22:00 and 06:00": London time unless a zone is named
- `sizes`         "6.5 kW", "20 kWh"
- `accelerators`  "8 H100s", from `accelerators.csv`
- `places`        "in London", "in Manchester", from `places.csv`
- `leftovers`     numbers, times and places that nothing above has read
- `reading`       all of them over one request
- `joining`       the words and the fields of a request together; fields win

Only plain phrases are read. What could mean two things is listed as not understood, never guessed.
"""
