"""What a user may set about fetching. `.env.example` explains each one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.settings import PROJECT_ROOT

PUBLIC_URLS = {
    "carbon_intensity": "https://api.carbonintensity.org.uk",
    "neso": "https://api.neso.energy",
    "elexon": "https://data.elexon.co.uk/bmrs/api/v1",
    "beckn": "https://deg-hackathon-bap-sandbox.becknprotocol.io",
}


@dataclass(frozen=True)
class Rate:
    """So many requests in so many seconds, and no more."""

    requests: int
    seconds: float


@dataclass(frozen=True)
class Upstream:
    """An address, and the rates of each kind of request that it tells apart."""

    url: str
    rates: Mapping[str, Rate]


class PipelineSettings(BaseSettings):
    """Upstream addresses, fallback, politeness; from the environment or `.env`."""

    model_config = SettingsConfigDict(env_file=PROJECT_ROOT / ".env", extra="ignore", env_ignore_empty=True)

    carbon_intensity_url: HttpUrl = HttpUrl(PUBLIC_URLS["carbon_intensity"])
    neso_url: HttpUrl = HttpUrl(PUBLIC_URLS["neso"])
    elexon_url: HttpUrl = HttpUrl(PUBLIC_URLS["elexon"])
    beckn_url: HttpUrl = HttpUrl(PUBLIC_URLS["beckn"])
    synthetic_fallback: Literal["on", "off"] = "on"
    carbon_intensity_requests_per_second: int = Field(4, ge=1, le=10_000)
    neso_ckan_requests_per_second: int = Field(1, ge=1, le=10_000)
    neso_datastore_requests_per_minute: int = Field(2, ge=1, le=600_000)
    elexon_requests_per_second: int = Field(4, ge=1, le=10_000)
    beckn_requests_per_second: int = Field(2, ge=1, le=10_000)
    beckn_read_timeout_seconds: float = Field(40.0, gt=0, le=300)
    http_connect_timeout_seconds: float = Field(4.0, gt=0, le=60)
    http_read_timeout_seconds: float = Field(30.0, gt=0, le=300)
    http_total_timeout_seconds: float = Field(120.0, gt=0, le=3600)
    http_request_seconds: float = Field(180.0, gt=0, le=3600)
    http_fetch_seconds: float = Field(300.0, gt=0, le=36_000)
    http_attempts: int = Field(4, ge=1, le=10)
    http_retry_after_max_seconds: float = Field(60.0, ge=0, le=3600)

    @property
    def fills_gaps(self) -> bool:
        """Whether synthetic payloads may stand in for what an upstream does not give."""
        return self.synthetic_fallback == "on"

    @property
    def upstreams(self) -> Mapping[str, Upstream]:
        """Where each source is, and how often it may be asked."""
        return {
            "carbon_intensity": Upstream(
                str(self.carbon_intensity_url), {"requests": Rate(self.carbon_intensity_requests_per_second, 1)}
            ),
            "neso": Upstream(
                str(self.neso_url),
                {
                    "ckan": Rate(self.neso_ckan_requests_per_second, 1),
                    "datastore": Rate(self.neso_datastore_requests_per_minute, 60),
                },
            ),
            "elexon": Upstream(str(self.elexon_url), {"requests": Rate(self.elexon_requests_per_second, 1)}),
            "beckn": Upstream(str(self.beckn_url), {"requests": Rate(self.beckn_requests_per_second, 1)}),
        }
