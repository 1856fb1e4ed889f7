"""What a user may set about the service. `.env.example` explains each one."""

import ipaddress

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from warehouse.settings import PROJECT_ROOT, DecisionSettings


class ServiceSettings(DecisionSettings):
    """Address, token and limits of the service, from the environment or `.env`."""

    model_config = SettingsConfigDict(env_file=PROJECT_ROOT / ".env", extra="ignore", env_ignore_empty=True)

    service_host: str = "127.0.0.1"
    service_port: int = Field(8040, ge=0, le=65535)
    service_token: SecretStr | None = Field(None, min_length=24)
    service_max_body_bytes: int = Field(64 * 1024, gt=0)
    service_max_batch_bytes: int = Field(4 * 1024 * 1024, gt=0)
    service_requests_per_minute: int = Field(6000, gt=0)
    service_receive_seconds: float = Field(10, gt=0)
    service_wait_seconds: float = Field(5, gt=0)
    service_proxy_addresses: str = ""
    service_host_names: str = ""
    service_notice: str = Field("", max_length=500)
    service_outlook_seconds: float = Field(15, gt=0)
    service_ready_age_hours: float = Field(3, gt=0)
    service_sweep_seconds: float = Field(60, gt=0)
    service_callback_networks: str = ""
    service_callback_seconds: float = Field(10, gt=0, le=120)
    service_callback_retry_seconds: float = Field(5, gt=0)
    service_callback_hours: float = Field(24, gt=0)

    @field_validator("service_callback_networks")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        _networks(text)
        return text

    @property
    def callback_networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """Private networks that callbacks may go to."""
        return _networks(self.service_callback_networks)


def _networks(text: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(one.strip()) for one in text.split(",") if one.strip()]
