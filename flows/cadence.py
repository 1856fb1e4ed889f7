"""When the watch calls a source late. How often each is refreshed is in its dbt source entry; `prefect.yaml` has the schedules."""

from datetime import timedelta

from flows.dataset_facts import dataset_facts
from pipelines.catalogue import DATASETS

CADENCES = {DATASETS[slug].source: facts.cadence for slug, facts in dataset_facts().items()}
GRACE = timedelta(minutes=10)
"""A run may take that long; one later than its cadence and this is late."""
UNANSWERED_AFTER = timedelta(hours=3)
"""An upstream that gave no response for so long is reported; shorter troubles pass by themselves."""
