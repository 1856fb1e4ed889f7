"""What a user may set about the database. `.env.example` explains each one."""

from pathlib import Path

from pydantic import Field, NonNegativeFloat, PositiveFloat
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class WarehouseSettings(BaseSettings):
    """Settings from the environment or `.env`."""

    model_config = SettingsConfigDict(env_file=PROJECT_ROOT / ".env", extra="ignore", env_ignore_empty=True)

    database_url: str | None = None
    data_dir: Path = PROJECT_ROOT / ".data"
    lock_wait_seconds: PositiveFloat = 1800
    table_wait_seconds: PositiveFloat = 60


class DecisionSettings(BaseSettings):
    """What a decision counts with, in the service, in plans and in the database alike."""

    model_config = SettingsConfigDict(env_file=PROJECT_ROOT / ".env", extra="ignore", env_ignore_empty=True)

    region_capacity_kw: float = Field(1000, ge=0.001, le=1e10)
    carbon_value_gbp_tonne: PositiveFloat = 264
    """The worth of a tonne of CO2 equivalent; dbt gets it by its environment"""
    replan_gain_gbp: NonNegativeFloat = 0.01
    replan_gain_pct: NonNegativeFloat = 1
