"""What a person sees in Prefect's UI, in a real browser: the deployments, the form of a backfill, and the run it starts.

Screenshots are kept in SCREENSHOTS_DIR, or in pytest's own folder; their paths are printed.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.emulator import Emulator
from tests.flows.test_dispatch import ROUNDED, placing, runs_of, workload  # noqa: F401  a fixture
from tests.flows.test_stack import NAMES, NATIONAL
from warehouse.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from tests.flows.stack_under_test import Stack

pytest_plugins = ["tests.flows.stack_under_test"]
pytestmark = pytest.mark.xdist_group("stack")

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1400,1500 --lang=en-US"
)
WAIT_SECONDS = 60
ASKED = {"start": "2024-02-06", "end": "2024-02-07", "datasets": [NATIONAL]}


class Browser:
    """Chromium on Prefect's UI: looks for what a person would see, and clicks it."""

    def __init__(self, folder: Path, ui: str):
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for option in (*OPTIONS.split(), f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(option)
        options.add_argument(
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
        )  # no other host can be reached
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        self.ui, self._shots = ui, Path(os.environ.get("SCREENSHOTS_DIR") or folder)
        self._shots.mkdir(parents=True, exist_ok=True)

    def log_in(self, password: str) -> None:
        """Give the password that the page asks for."""
        self.driver.get(self.ui)
        self.see("//input[@type='password']").send_keys(password)
        self.see("//button[@type='submit']").click()
        self.see("//a[contains(@href, '/deployments')]")

    def hosts(self) -> set[str]:
        """The hosts that the pages opened so far have called."""
        calls = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        addresses = (
            call["params"]["request"]["url"] for call in calls if call["method"] == "Network.requestWillBeSent"
        )
        return {address.split("/")[2] for address in addresses if address.startswith(("http", "ws"))}

    def open(self, path: str) -> None:
        """Go to a page."""
        self.driver.get(f"{self.ui}{path}")

    def see(self, xpath: str, seconds: float = WAIT_SECONDS) -> WebElement:
        """The first such element that is displayed, waited for."""

        def displayed(driver: webdriver.Chrome) -> WebElement | None:
            return next((found for found in driver.find_elements(By.XPATH, xpath) if found.is_displayed()), None)

        wait = WebDriverWait(self.driver, seconds, ignored_exceptions=[StaleElementReferenceException])
        return wait.until(displayed, f"nothing on {self.driver.current_url} is {xpath}")

    def click(self, words: str) -> None:
        """Click the link, button or entry of a menu that says this."""
        self.see(f"//*[self::a or self::button or @role='menuitem'][normalize-space(.)='{words}']").click()

    def field(self, label: str, tag: str) -> WebElement:
        """The field of the form under this label."""
        name = f"span[contains(@class, 'property__label')][normalize-space(.)='{label}']"
        return self.see(
            f"//{name}/ancestor::div[contains(concat(' ', @class, ' '), ' schema-form-property ')][1]//{tag}"
        )

    def shoot(self, name: str) -> None:
        """Keep what is seen now."""
        path = self._shots / f"{name}.png"
        assert self.driver.save_screenshot(str(path))
        print(f"screenshot: {path}")


@pytest.fixture
def browser(stack: "Stack", tmp_path: Path) -> Iterator[Browser]:
    """A browser with an empty profile."""
    if not (CHROMIUM and DRIVER):
        pytest.skip("chromium or chromedriver is not installed (Debian: apt-get install chromium chromium-driver)")
    this = Browser(tmp_path, stack.api.removesuffix("/api"))
    this.log_in(stack.password)
    yield this
    this.driver.quit()


def test_the_page_of_deployments_lists_them_all(browser: Browser) -> None:
    browser.open("/deployments")
    assert browser.see(f"//*[normalize-space(.)='{len(NAMES)} Deployments'][not(*)]")
    Select(browser.see("//select[option[normalize-space(.)='25']]")).select_by_visible_text("25")
    for name in NAMES:
        assert browser.see(f"//a[normalize-space(.)='{name}'][contains(@href, '/deployments/deployment/')]")
    browser.shoot("deployments")
    for page in ("/dashboard", "/runs", "/work-pools", "/settings"):
        browser.open(page)
        time.sleep(2)
    assert browser.hosts() == {browser.ui.removeprefix("http://")}, "no page calls another host"


def test_a_backfill_is_started_from_its_form_and_completes(browser: Browser, stack: "Stack") -> None:
    browser.open("/deployments")
    browser.click("backfill")
    browser.click("Run")
    browser.click("Custom run")
    for label, typed in (("start", "02062024"), ("end", "02072024")):
        browser.field(label, "input").send_keys(typed)
    datasets = browser.field("datasets (Optional)", "textarea")
    datasets.clear()
    datasets.send_keys(NATIONAL)
    filled = [browser.field(label, "input").get_property("value") for label in ("start", "end")]
    assert [*filled, datasets.get_property("value")] == ["2024-02-06", "2024-02-07", NATIONAL]
    assert browser.see("//*[normalize-space(.)='first settlement day (Europe/London).']"), (
        "the form explains its fields"
    )
    browser.shoot("backfill-form")
    submit(browser)
    browser.shoot("backfill-submitted")

    run, *_ = stack.post(
        "flow_runs/filter", deployments={"name": {"any_": ["backfill"]}}, sort="EXPECTED_START_TIME_DESC"
    )
    assert {name: run["parameters"][name] for name in ASKED} == ASKED
    browser.click(run["name"])
    run = stack.wait(run["id"])
    assert run["state"]["name"] == "Completed"
    assert stack.query(
        "select count(*), bool_or(is_synthetic) from carbon_intensity_national "
        "where period_start >= '2024-02-06Z' and period_start < '2024-02-08Z'"
    ) == [(96, False)]
    browser.see("//*[normalize-space(.)='Completed'][not(*)]")
    browser.see("//*[contains(normalize-space(.), 'Finished in state Completed()')][not(*)]")
    browser.shoot("backfill-run")
    for tab, shows in (("Artifacts", "backfill-progress"), ("Task Runs", "validate ")):
        browser.see(f"//li[normalize-space(.)='{tab}']").click()
        browser.see(f"//*[starts-with(normalize-space(.), '{shows}')][not(*)]")
        browser.shoot(f"backfill-{tab.lower().replace(' ', '-')}")


def test_a_run_that_failed_and_one_that_fetched_half_say_so(
    browser: Browser, stack: "Stack", emulator: Emulator
) -> None:
    emulator.fault("absurd", "/carbon_intensity/intensity/")
    failed = stack.ran("refresh", datasets=[NATIONAL])
    emulator.reset()
    emulator.fault("500", "/carbon_intensity/generation")
    half = stack.ran("refresh", datasets=[NATIONAL, "carbon_intensity__generation"])
    ((stands_in,),) = stack.query(  # not where an earlier test of this stack left real values
        "select count(*) > 0 from staging.carbon_intensity__generation_payloads inner join ops.runs as run using (run_id) "
        "where origin = 'synthetic' and run.prefect_flow_run_id = %s",
        half["id"],
    )
    in_their_place = "synthetic values stand in" if stands_in else "no synthetic value stands in"
    for run, name, words, warning in (
        (failed, "Failed", "is held back", "FAILED"),
        (half, "Partly fetched", f"1 of 2 requests failed; {in_their_place}", "HTTP 500"),
    ):
        assert (run["state"]["name"], words in run["state"]["message"]) == (name, True), run["state"]
        browser.open(f"/runs/flow-run/{run['id']}")
        browser.see(f"//*[normalize-space(.)='{name}'][not(*)]")
        browser.see("//*[normalize-space(.)='All'][not(*)]").click()
        browser.see("//*[normalize-space(.)='Warning and above'][not(*)]").click()
        browser.see(f"//*[contains(normalize-space(.), '{warning}')][not(*)]")
        browser.shoot(f"run-{name.lower().replace(' ', '-')}")
        browser.see("//li[normalize-space(.)='Details']").click()
        browser.see(f"//*[text()[contains(normalize-space(.), '{words}')]]")
        browser.shoot(f"run-{name.lower().replace(' ', '-')}-details")


def submit(browser: Browser) -> None:
    """Send the form; once more where the server asked for a retry, as it does on SQLite when it is busy."""
    for _ in range(3):
        browser.click("Submit")
        try:
            browser.see("//*[normalize-space(.)='Next Run' or normalize-space(.)='Upcoming'][not(*)]", 15)
            return
        except TimeoutException:
            continue
    raise AssertionError("the form could not be sent")


def test_a_task_of_one_curl_is_a_run_at_its_time_and_has_its_receipt(browser: Browser, placing: "Stack") -> None:  # noqa: F811
    dispatch = placing.deployments()["dispatch"]
    schedule = f"deployments/{dispatch['id']}/schedules/{dispatch['schedules'][0]['id']}"
    placing.patch(schedule, active=True)
    try:
        submitted = the_curl_of_the_readme(placing)
        starts_at = datetime.fromisoformat(submitted["placement"]["starts_at"])
        assert starts_at > datetime.now(UTC)
        workload_id = submitted["workload_id"]
        (run,) = until(lambda: runs_of(placing, workload_id))
        done = placing.wait(run["id"])
        assert done["state_type"] == "COMPLETED" and datetime.fromisoformat(done["start_time"]) >= starts_at - ROUNDED
        until(lambda: workload(placing, workload_id)["status"] == "completed")
    finally:
        placing.patch(schedule, active=False)
    browser.open(f"/runs/flow-run/{run['id']}")
    browser.see("//*[normalize-space(.)='Completed'][not(*)]")
    browser.see("//*[contains(normalize-space(.), 'Hello Ada: 20 seconds of work are done.')][not(*)]")
    browser.shoot("placed-run")

    a_day_passes(placing, workload_id)  # the actuals of this half-hour are not there yet, those of yesterday's are
    for flow, parameters in (("refresh", {"datasets": ["neso__n2ex_day_ahead"]}), ("settle", {})):
        assert placing.ran(flow, **parameters)["state_type"] == "COMPLETED"
    headers = {"Authorization": f"Bearer {placing.token}"}
    receipt = httpx.get(f"{placing.service}/workloads/{workload_id}/receipt", headers=headers, timeout=60)
    assert receipt.status_code == 200 and receipt.json()["realised"]["carbon_kg"] > 0, receipt.text
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": headers})
    browser.driver.get(f"{placing.service}/plan?workload={workload_id}")
    shown = browser.see("//h3[normalize-space(.)='Its receipt']")
    browser.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", shown)
    assert browser.see("//h3[normalize-space(.)='Its receipt']/following-sibling::p[contains(., 'kg of CO')]")
    browser.shoot("placed-run-receipt")


def the_curl_of_the_readme(stack: "Stack") -> dict[str, Any]:
    """What the service answers to the command that the README shows for the example job."""
    blocks = re.findall(r"^```\n(.*?)^```$", (PROJECT_ROOT / "README.md").read_text(), re.M | re.S)
    (shown,) = (block for block in blocks if '"example-job/example-job"' in block)
    first, command = shown.split("\n", 1)
    assert first == ". .data/service.env" and "http://127.0.0.1:8040/" in command
    done = subprocess.run(
        ["bash", "-c", command.replace("http://127.0.0.1:8040/", f"{stack.service}/")],
        env={**os.environ, "SERVICE_TOKEN": stack.token}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


def a_day_passes(stack: "Stack", workload_id: str) -> None:
    """Have a workload that has ended lie a day further back, with its place."""
    with stack.database.connect(autocommit=False) as connection:
        for table, columns in (
            ("compute_workloads", ("created_at", "earliest_start", "deadline", "actual_start", "actual_end")),
            ("workload_placements", ("known_at", "placed_at", "starts_at", "ends_at", "released_at")),
        ):
            back = ", ".join(f"{column} = {column} - interval '1 day'" for column in columns)
            connection.execute(f"alter table app.{table} disable trigger user")
            connection.execute(f"update app.{table} set {back} where workload_id = %s", [workload_id])
            connection.execute(f"alter table app.{table} enable trigger user")


def until(holds: Callable[[], Any], seconds: float = 300) -> Any:
    """What it gives as soon as that is true."""
    ends = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(1)
    return found


def test_a_run_shows_its_steps_nodes_validations_and_lineage(stack: "Stack") -> None:
    run = a_backfill(stack)
    assert stack.query("select status from ops.runs where prefect_flow_run_id = %s", run["id"]) == [("completed",)]
    mine = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    found = stack.post("task_runs/filter", **mine)
    tasks = {task["name"].rsplit("-", 1)[0]: task["state_name"] for task in found}
    assert set(tasks) >= {
        *("land", "unpack what is new", "staging checkpoint", "build the clean tables", "clean checkpoint"),
        *(f"validate what landed of {NATIONAL}", "validate carbon_intensity_national"),
        *(f"dbt stg_{NATIONAL}", "dbt carbon_intensity_national"),
    }
    assert set(tasks.values()) == {"Completed"}

    artifacts = {artifact["key"]: artifact for artifact in stack.post("artifacts/filter", **mine)}
    assert set(artifacts) == {"summary", "backfill-progress", "data-docs", "dbt-docs"}
    assert artifacts["summary"]["type"] == "table"
    assert f'"dataset": "{NATIONAL}", "requests": 1, "landed": 1' in artifacts["summary"]["data"]
    assert (artifacts["backfill-progress"]["type"], artifacts["backfill-progress"]["data"]) == ("progress", 100)
    for key, path in (("data-docs", "/docs/quality"), ("dbt-docs", "/docs/dbt")):
        assert f"({stack.service}{path})" in artifacts[key]["data"]
        assert "file:" not in artifacts[key]["data"]
    quality = httpx.get(f"{stack.service}/docs/quality", follow_redirects=True)
    assert quality.status_code == 200
    assert NATIONAL in quality.text

    upstream = {"https://api.carbonintensity.org.uk/carbon_intensity__national"}
    assert materialized(stack)["postgres://public/carbon_intensity_national"] == upstream


def test_every_asset_is_a_relation_that_is_there_or_an_upstream(stack: "Stack") -> None:
    a_backfill(stack)
    there = stack.query(
        "select nspname || '/' || relname from pg_class join pg_namespace n on n.oid = relnamespace union "
        "select nspname || '/' || proname from pg_proc join pg_namespace n on n.oid = pronamespace"
    )
    known = {f"postgres://{name}" for (name,) in there}
    assets = {key for table, upstream in materialized(stack).items() for key in (table, *upstream)}
    assert {asset for asset in assets if not asset.startswith("https://")} - known == set()


def materialized(stack: "Stack") -> dict[str, set[str]]:
    """Each asset that was made, with those that it was made from."""
    wanted = {"event": {"name": ["prefect.asset.materialization.succeeded"]}}
    page, found = stack.post("events/filter", filter=wanted, limit=50), {}
    while True:
        for event in page["events"]:
            upstream = {r["prefect.resource.id"] for r in event["related"] if r["prefect.resource.role"] == "asset"}
            found[event["resource"]["prefect.resource.id"]] = upstream
        if not page["next_page"]:
            return found
        page = httpx.get(page["next_page"], timeout=60, auth=stack.auth).json()


def a_backfill(stack: "Stack") -> dict[str, Any]:
    """A backfill that is completed: the one from the form, or one of our own."""
    done = {"state": {"type": {"any_": ["COMPLETED"]}}}
    runs = stack.post("flow_runs/filter", deployments={"name": {"any_": ["backfill"]}}, flow_runs=done)
    return next((run for run in runs if run["parameters"]["datasets"] == [NATIONAL]), None) or stack.ran(
        "backfill", **ASKED
    )
