"""How often each source is to be asked. `prefect.yaml` has the schedules; the watch reads from here when one is late."""

from datetime import timedelta

CADENCES = {
    "carbon_intensity": timedelta(minutes=30),
    "elexon": timedelta(minutes=30),
    "neso": timedelta(hours=1),
    "beckn": timedelta(hours=1),
}
GRACE = timedelta(minutes=10)
"""A run may take that long; one later than its cadence and this is late."""
UNANSWERED_AFTER = timedelta(hours=3)
"""An upstream that gave no answer for so long is reported; shorter troubles pass by themselves."""
