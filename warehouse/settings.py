"""What a user may set about the database. `.env.example` explains each one."""

from pathlib import Path

from pydantic import PositiveFloat
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class WarehouseSettings(BaseSettings):
    """Settings from the environment or `.env`."""

    model_config = SettingsConfigDict(env_file=PROJECT_ROOT / ".env", extra="ignore", env_ignore_empty=True)

    database_url: str | None = None
    data_dir: Path = PROJECT_ROOT / ".data"
    lock_wait_seconds: PositiveFloat = 1800
