"""What a user may set about the service. `.env.example` explains each one."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.settings import PROJECT_ROOT


class ServiceSettings(BaseSettings):
    """Address, token and limits of the service, from the environment or `.env`."""

    model_config = SettingsConfigDict(env_file=PROJECT_ROOT / ".env", extra="ignore", env_ignore_empty=True)

    service_host: str = "127.0.0.1"
    service_port: int = Field(8040, ge=0, le=65535)
    service_token: SecretStr | None = Field(None, min_length=24)
    service_max_body_bytes: int = Field(64 * 1024, gt=0)
    service_requests_per_minute: int = Field(6000, gt=0)
    service_receive_seconds: float = Field(10, gt=0)
    service_wait_seconds: float = Field(5, gt=0)
    service_proxy_addresses: str = ""
    service_outlook_seconds: float = Field(15, gt=0)
    region_capacity_kw: float = Field(1000, gt=0)
    carbon_value_gbp_tonne: float = Field(264, gt=0)
