"""What a user may set about flows. `.env.example` explains each one."""

import os

from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.settings import PROJECT_ROOT, WarehouseSettings

DBT_PROJECT = PROJECT_ROOT / "dbt_project"


class FlowSettings(BaseSettings):
    """`PREFECT_API_URL`, from the environment or `.env`."""

    model_config = SettingsConfigDict(env_file=PROJECT_ROOT / ".env", extra="ignore", env_ignore_empty=True)

    prefect_api_url: str | None = None


def quieten_libraries() -> None:
    """Telemetry off unless the user turned it on, and homes inside the project; before the libraries are imported."""
    data_dir = WarehouseSettings().data_dir
    for name, value in {
        "PREFECT_HOME": str(data_dir / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "GX_ANALYTICS_ENABLED": "false",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "DLT_DATA_DIR": str(data_dir / "dlt"),
    }.items():
        os.environ.setdefault(name, value)


quieten_libraries()
