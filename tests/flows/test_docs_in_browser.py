"""The pages on data quality and dbt's page in a real browser that reaches no other host: they show all that they should.

Screenshots are kept in SCREENSHOTS_DIR, or in pytest's own folder.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from checkpoints import data_docs
from checkpoints.tally import Tally
from flows import dbt_docs
from tests.checkpoints.test_data_docs import result
from warehouse.database import Database

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --disable-dev-shm-usage --window-size=1400,1100 --lang=en-US"
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A browser that logs each request and resolves no host."""
    if not (CHROMIUM and DRIVER):
        pytest.skip("chromium or chromedriver is not installed (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in (*OPTIONS.split(), f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(option)
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def requested(browser: webdriver.Chrome) -> set[str]:
    """The address of every request; embedded data and the browser's own first tab are none."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = {m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"}
    return {url.partition("#")[0] for url in urls if not url.startswith(("data:", "chrome:"))}


def shoot(browser: webdriver.Chrome, tmp_path: Path, name: str) -> None:
    folder = Path(os.environ.get("SCREENSHOTS_DIR") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    assert browser.save_screenshot(str(folder / f"{name}.png"))


def test_passed_and_failed_are_distinguished_and_nothing_is_requested(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    run_id = uuid.uuid4()
    good, bad = Tally("clean", "good"), Tally("staging", "bad")
    good.add(result(), {})
    bad.add(result(success=False), {"partial_unexpected_list": [{"period_start": "2026-01-01", "wind_pct": 120}]})
    index = data_docs.write([good, bad], tmp_path, flow="refresh", run_id=run_id)
    assert index
    browser.get(index.as_uri())
    shown = {row.text for row in browser.find_elements(By.TAG_NAME, "tr")}
    assert any("passed" in row and "good" in row for row in shown)
    assert any("FAILED" in row and "bad" in row for row in shown)
    colors = {mark.text: mark.value_of_css_property("background-color") for mark in outcomes(browser)}
    assert len(set(colors.values())) == len(colors) == 2
    shoot(browser, tmp_path, "data-docs-index")
    browser.find_element(By.LINK_TEXT, "bad").click()
    assert browser.current_url.endswith(f"{run_id}.html#staging-bad")
    assert "wind_pct: 120" in browser.find_element(By.TAG_NAME, "body").text
    shoot(browser, tmp_path, "data-docs-run")
    assert requested(browser) == {index.as_uri(), index.with_name(f"{run_id}.html").as_uri()}


def outcomes(browser: webdriver.Chrome) -> list[webdriver.remote.webelement.WebElement]:
    return browser.find_elements(By.CLASS_NAME, "outcome")


def test_dbts_page_shows_a_model_and_requests_nothing(
    browser: webdriver.Chrome, database: Database, tmp_path: Path
) -> None:
    page = dbt_docs.generate(database, tmp_path)
    browser.get(f"{page.as_uri()}#!/model/model.energy.carbon_intensity_national")
    WebDriverWait(browser, 60).until(lambda b: "Grain: " in b.find_element(By.TAG_NAME, "body").text)
    shoot(browser, tmp_path, "dbt-docs")
    assert requested(browser) == {page.as_uri()}
    severe = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert severe == []
