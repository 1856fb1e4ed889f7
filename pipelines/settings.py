"""What a user may set about fetching. `.env.example` explains each one."""

from typing import Literal

from pydantic import Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.settings import PROJECT_ROOT

PUBLIC_CARBON_INTENSITY_URL = "https://api.carbonintensity.org.uk"


class PipelineSettings(BaseSettings):
    """Upstream addresses, fallback, politeness; from the environment or `.env`."""

    model_config = SettingsConfigDict(env_file=PROJECT_ROOT / ".env", extra="ignore", env_ignore_empty=True)

    carbon_intensity_url: HttpUrl = HttpUrl(PUBLIC_CARBON_INTENSITY_URL)
    synthetic_fallback: Literal["on", "off"] = "on"
    carbon_intensity_requests_per_second: int = Field(4, ge=1, le=10_000)
    http_connect_timeout_seconds: float = Field(4.0, gt=0, le=60)
    http_read_timeout_seconds: float = Field(30.0, gt=0, le=300)
    http_attempts: int = Field(4, ge=1, le=10)
    http_retry_after_max_seconds: float = Field(60.0, ge=0, le=3600)

    @property
    def fills_gaps(self) -> bool:
        """Whether synthetic payloads may stand in for what an upstream does not give."""
        return self.synthetic_fallback == "on"

    def upstream(self, source: str) -> tuple[str, int]:
        """Address and requests a second of a source."""
        return {
            "carbon_intensity": (str(self.carbon_intensity_url), self.carbon_intensity_requests_per_second),
        }[source]
