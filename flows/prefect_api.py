"""Which Prefect API is used: its address and password, and whether it is there.

It is that of PREFECT_API_URL, or of the server that `make up` started, whose address and password are in DATA_DIR/prefect.env.
"""

import re
import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from pydantic import SecretStr

from flows.processes import Processes, write_private
from flows.settings import FlowSettings
from warehouse.errors import UsageError
from warehouse.settings import WarehouseSettings

SERVER = "prefect-server"
USER = "energy"


@dataclass(frozen=True)
class PrefectApi:
    """Address and password of a Prefect API."""

    url: str
    password: SecretStr | None = field(default=None, repr=False)

    @property
    def page(self) -> str:
        """Address of the UI."""
        return self.url.removesuffix("/api")

    def environment(self) -> dict[str, str]:
        """The variables with which Prefect's own client finds it."""
        password = {"PREFECT_API_AUTH_STRING": self.password.get_secret_value()} if self.password else {}
        return {"PREFECT_API_URL": self.url, **password}

    def connected(self) -> AbstractContextManager[object]:
        """A context in which Prefect's client speaks to this API."""
        from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

        password = {PREFECT_API_AUTH_STRING: self.password.get_secret_value()} if self.password else {}
        return temporary_settings({PREFECT_API_URL: self.url, **password})

    def is_up(self) -> bool:
        """Whether the server answers with this password. One of our own also refuses requests without it: another
        program at the same address is not taken for it."""
        try:
            with httpx.Client(base_url=self.url, timeout=5) as client:
                if self.password is None:
                    return client.get("/health").status_code == 200
                auth = httpx.BasicAuth(*self.password.get_secret_value().split(":", 1))
                asked = [client.get("/admin/version", auth=auth), client.get("/admin/version")]
                return [answer.status_code for answer in asked] == [200, 401]
        except httpx.HTTPError:
            return False

    def trouble(self) -> str | None:
        """Why Prefect's client cannot work with this API, in words that follow its address; None if it can."""
        from prefect.client.orchestration import get_client
        from prefect.exceptions import PrefectException, PrefectHTTPStatusError

        try:
            with self.connected(), get_client(sync_client=True) as client:
                client.read_flows(limit=1)
        except PrefectHTTPStatusError as error:
            if error.response.status_code in (401, 403):
                return "refuses the user and password of PREFECT_API_AUTH_STRING"
            return f"answers with HTTP {error.response.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL, PrefectException, RuntimeError, ValueError) as error:
            return f"does not answer ({type(error).__name__})"
        return None


def tracking_api() -> PrefectApi | None:
    """The API that tracks the runs of a command: that of PREFECT_API_URL. None without one, and while the stack's own server,
    whose address a shell may still have, does not run. Raises UsageError if somebody else's cannot be used."""
    settings = FlowSettings()
    if not settings.prefect_api_url:
        return None
    api = current_api()
    if is_own(settings.prefect_api_url, WarehouseSettings().data_dir):
        return api if api and api.is_up() else None
    if api and (why := api.trouble()):
        raise UsageError(
            f"PREFECT_API_URL: the Prefect server at {api.url} {why}. Without PREFECT_API_URL a run needs none; that of "
            "make up may have another address or password by now, which are in DATA_DIR/prefect.env."
        )
    return api


def current_api() -> PrefectApi | None:
    """The API to use: that of PREFECT_API_URL, or of the server that `make up` has started; None without either."""
    data_dir, settings = WarehouseSettings().data_dir, FlowSettings()
    if settings.prefect_api_url and not is_own(settings.prefect_api_url, data_dir):
        return PrefectApi(settings.prefect_api_url, settings.prefect_api_auth_string)
    running = Processes(data_dir).running(SERVER)
    return PrefectApi(running.address, password_of(data_dir)) if running else None


def is_own(url: str, data_dir: Path) -> bool:
    """Whether this address is the one in DATA_DIR/prefect.env, which a shell may have taken over."""
    own = kept(data_dir).get("PREFECT_API_URL")
    return own is not None and own.rstrip("/") == url.rstrip("/")


def password_of(data_dir: Path) -> SecretStr:
    """The password in DATA_DIR/prefect.env; made at the first call."""
    variables = kept(data_dir)
    if "PREFECT_API_AUTH_STRING" not in variables:
        variables["PREFECT_API_AUTH_STRING"] = f"{USER}:{secrets.token_urlsafe(24)}"
        keep(data_dir, variables)
    return SecretStr(variables["PREFECT_API_AUTH_STRING"])


def forget_password(data_dir: Path) -> None:
    """Make the next server have another password: nothing runs any more, and a program at its port may have heard this one."""
    variables = kept(data_dir)
    if variables.pop("PREFECT_API_AUTH_STRING", None):
        keep(data_dir, variables)


def keep(data_dir: Path, variables: Mapping[str, str]) -> None:
    """Write DATA_DIR/prefect.env, which a shell can read."""
    write_private(data_dir / "prefect.env", "".join(f"export {name}={value}\n" for name, value in variables.items()))


def kept(data_dir: Path) -> dict[str, str]:
    """What is in DATA_DIR/prefect.env."""
    try:
        return dict(re.findall(r"^export (\w+)=(\S+)$", (data_dir / "prefect.env").read_text(), re.M))
    except FileNotFoundError:
        return {}
