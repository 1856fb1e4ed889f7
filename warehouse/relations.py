"""What dbt calls the relations of a dataset, for the rooms that read them."""

INTERMEDIATE = "intermediate"
PENDING_PAYLOADS = f"{INTERMEDIATE}.pending_payloads"
"""The view of what is still to be published: dataset, consumer, payload."""


def staging_model(dataset: str) -> str:
    """The dbt model that unpacks the payloads of a dataset."""
    return f"stg_{dataset}"


def payload_rows(dataset: str) -> str:
    """The view of the rows of every payload, each with its `record` and `record_no`."""
    return f"{INTERMEDIATE}.{staging_model(dataset)}"


def pending_rows(dataset: str) -> str:
    """The table of the pending rows."""
    return f"{payload_rows(dataset)}__pending"
