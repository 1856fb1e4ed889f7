"""What a user may set about flows. `.env.example` explains each one."""

import os
from contextlib import suppress
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.settings import PROJECT_ROOT, WarehouseSettings

DBT_PROJECT = PROJECT_ROOT / "dbt_project"


class FlowSettings(BaseSettings):
    """Which Prefect server and Dask scheduler to use, and whom to alert; from the environment or `.env`."""

    model_config = SettingsConfigDict(env_file=PROJECT_ROOT / ".env", extra="ignore", env_ignore_empty=True)

    prefect_api_url: str | None = None
    prefect_server_api_host: str = "127.0.0.1"
    prefect_server_api_port: int = Field(4200, ge=0, le=65535)
    dask_address: str | None = None
    alert_webhook_url: SecretStr | None = None
    payload_retention_days: int = Field(400, ge=14)
    ledger_retention_days: int = Field(90, ge=14)

    @staticmethod
    def environment() -> dict[str, str]:
        """What a process of ours inherits: everything that this one was given."""
        return dict(os.environ)


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
    with suppress(
        OSError
    ):  # Prefect makes its home, but not the folder above it; where that cannot be, who needs it says so
        Path(os.environ["PREFECT_HOME"]).parent.mkdir(parents=True, exist_ok=True)


quieten_libraries()
