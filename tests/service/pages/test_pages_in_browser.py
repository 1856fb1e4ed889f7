"""Every page in a real browser that reaches no other host: wide and narrow, light and dark, over recorded and over synthetic data.

No error in its console, no request to another host, nothing wider than the screen, nothing serious that axe-core finds.
Screenshots are kept in SCREENSHOTS_DIR, or in pytest's own folder. axe-core is fetched with `npm pack`; it is no part of this
project.
"""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.flows.settling import HOUR, Past
from tests.flows.test_docs_in_browser import CHROMIUM, DRIVER, OPTIONS
from tests.service.conftest import TOKEN, Api
from tests.service.pages.reading import make_synthetic
from tests.service.pages.screens import keep, requested, serious, shoot, show, timing
from warehouse.database import Database
from warehouse.periods import floor

AXE = "axe-core@4"
SCREENS = ((1440, 900), (390, 844))
LOOKS = ("light", "dark")
PAGES = {
    "now": "/",
    "when": "/when?hours=3&within=30&place=London",
    "region": "/regions/13?hours=2",
    "plan": "/plan",
    "quality": "/quality",
    "trust": "/trust",
    "held": "/trust/held",
    "sign-in": "/sign-in",
    "data": "/data",
    "table": "/data?table=carbon_intensity_national",
    "refused": "/regions/99",
}
STREAMS = """
window.ahead = 0; window.streams = [];
const real = Date.now.bind(Date), every = window.setInterval;
Date.now = () => real() + window.ahead;
window.setInterval = (work, ms) => every(work, Math.min(ms, 500));
window.EventSource = class extends EventTarget {
  static CLOSED = 2;
  readyState = 0;
  constructor(url) { super(); window.streams.push(this); }
  close() { this.readyState = 2; }
};
"""
"""A browser whose event streams, and whose clock, are moved by a test"""
LONG = "Compute of " + "Nordwestlicht" * 22 + " Ltd"


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, from the npm registry. Without npm the test fails: it is what CI is for."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("npm is not installed, and axe-core is fetched with it (Debian: apt-get install npm)")
    folder = tmp_path_factory.mktemp("axe")
    done = subprocess.run(
        [npm, "pack", AXE, "--silent"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode != 0:
        pytest.fail(f"`npm pack {AXE}` could not fetch axe-core: {done.stderr[-500:]}")
    with tarfile.open(folder / done.stdout.split()[-1]) as package:
        member = package.extractfile("package/axe.min.js")
        assert member
        return member.read().decode()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A browser that logs each request and reaches this machine alone."""
    if not (CHROMIUM and DRIVER):
        pytest.skip("chromium or chromedriver is not installed (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for option in (*OPTIONS.split(), "--hide-scrollbars", f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(option)
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def prepared(request: pytest.FixtureRequest, grid: Database) -> str:
    """What the service is to show, made before it starts."""
    if request.param == "synthetic":
        with grid.connect() as connection:
            make_synthetic(Api(None, grid))  # type: ignore[arg-type]
            connection.execute("update compute_windows set name = %s", [LONG])
    with grid.connect() as connection:  # work that ran yesterday, and work to come
        past, now = Past(grid, connection), floor(datetime.now(UTC))
        connection.execute("update app.operators set name = %s", [LONG[:300]])
        for hours, words in ((-30, "Train a model"), (-28, LONG), (2, "Render a film"), (5, LONG)):
            begins = now + hours * HOUR
            this = past.workload(begins, request=words)
            past.place(this, (begins + 3 * HOUR, begins + 5 * HOUR))
            if hours < 0:
                past.run(this, begins + 3 * HOUR, begins + 5 * HOUR)
        past.settle()
    return str(request.param)


@pytest.mark.parametrize("prepared", ["real", "synthetic"], indirect=True)
def test_every_page_on_every_screen(
    prepared: str,
    served: httpx.Client,
    browser: webdriver.Chrome,
    axe: str,
    tmp_path: Path,
    grid: Database,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with grid.connect() as connection:
        ((workload,),) = connection.execute(
            "select workload_id from app.compute_workloads where actual_end is not null order by actual_end limit 1"
        ).fetchall()
    # what a browser elsewhere gets from a proxy that adds it
    browser.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Authorization": f"Bearer {TOKEN}"}})
    folder = Path(os.environ.get("SCREENSHOTS_DIR") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    host, found = str(served.base_url).rstrip("/"), []
    took: dict[str, dict[str, dict[str, int]]] = {}
    for name, path in (*PAGES.items(), ("workload", f"/plan?workload={workload}")):
        for width, height in SCREENS:
            for look in LOOKS:
                show(browser, f"{host}{path}", width, height, look)
                took.setdefault(name, {})[f"{width} {look}"] = timing(browser)
                shoot(browser, folder / f"page-{name}-{prepared}-{width}-{look}.png", width)
                overflow = browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
                found += [f"{name} {width} {look}: {overflow} px wider than the screen"] * (overflow > 0)
                found += [f"{name} {width} {look}: {one}" for one in serious(browser, axe)]
    with capsys.disabled():
        keep(folder / "timings.json", prepared, took)
    assert not found, "\n".join(found)
    assert {url for url in requested(browser) if not url.startswith(f"{host}/")} == set()
    errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    assert [message for message in errors if "/regions/99" not in message] == [], "the page that is refused is a 422"


@pytest.mark.parametrize("prepared", ["real"], indirect=True)
def test_what_the_script_does(prepared: str, served: httpx.Client, browser: webdriver.Chrome, grid: Database) -> None:
    host = str(served.base_url).rstrip("/")
    show(browser, f"{host}/", 1440, 900, "light")
    chart = browser.find_element(By.CSS_SELECTOR, "svg.chart")
    chart.send_keys(Keys.ARROW_RIGHT)
    readout = browser.find_element(By.CSS_SELECTOR, "output.readout")
    assert readout.is_displayed() and "forecast" in readout.text
    slider = browser.find_element(By.ID, "when")
    looks = browser.execute_script(
        "return [...document.querySelectorAll('.map .area')].map(a => a.getAttribute('class'))"
    )
    for _ in range(40):
        slider.send_keys(Keys.ARROW_RIGHT)
    moved = browser.execute_script(
        "return [...document.querySelectorAll('.map .area')].map(a => a.getAttribute('class'))"
    )
    words = browser.find_element(By.ID, "when-words").text
    assert moved != looks and not words.startswith("now")
    made = browser.find_element(By.CSS_SELECTOR, "footer time").get_attribute("datetime") or ""
    browser.execute_script("window.isTheSame = true")
    before = browser.execute_script("return document.body.dataset.knownAt")
    with grid.connect() as connection:  # a run ends: the page shows what is new without being loaded again
        connection.execute("update carbon_intensity_national set actual_gco2_kwh = 77, forecast_gco2_kwh = 77")
        connection.execute(
            "insert into ops.runs (run_id, flow, status, started_at, ended_at) "
            "values (gen_random_uuid(), 'refresh', 'completed', clock_timestamp(), clock_timestamp())"
        )
    WebDriverWait(browser, 60).until(lambda b: b.find_element(By.CSS_SELECTOR, ".tile .big b").text == "77")
    assert browser.execute_script("return document.body.dataset.knownAt") > before
    assert browser.title.startswith("77 g") and browser.execute_script("return window.isTheSame"), (
        "it was not loaded again"
    )
    assert (browser.find_element(By.CSS_SELECTOR, "footer time").get_attribute("datetime") or "") > made
    assert browser.find_element(By.ID, "when-words").text == words, "where the reader moved the map stays"


@pytest.mark.parametrize("prepared", ["real"], indirect=True)
def test_an_open_page_is_live_for_as_long_as_it_hears(
    prepared: str, served: httpx.Client, browser: webdriver.Chrome
) -> None:
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": STREAMS})
    show(browser, f"{str(served.base_url).rstrip('/')}/when", 1440, 900, "light")
    wait = WebDriverWait(browser, 30)

    def status() -> str:
        return browser.find_element(By.ID, "status").text

    assert status().startswith("Live")
    browser.execute_script("streams[0].readyState = 2; streams[0].dispatchEvent(new Event('error'))")
    wait.until(lambda b: b.execute_script("return streams.length") == 2)  # what is refused is asked for again
    assert status().startswith("Live"), "for two minutes it may be a restart"
    browser.execute_script("window.ahead = 121000")
    wait.until(lambda _: status().startswith("Not live"))
    assert browser.title.startswith("OLD") and "connection to the service is lost" in status()
    browser.execute_script("window.ahead = 0; streams[1].dispatchEvent(new MessageEvent('data', {data: '2000'}))")
    wait.until(lambda _: status().startswith("Live"))
    assert not browser.title.startswith("OLD")

    place = browser.find_element(By.ID, "place")
    place.clear()
    place.send_keys("Lee")
    browser.execute_script(
        "document.getElementById('status').dataset.isOld = '1';"
        "streams[1].dispatchEvent(new MessageEvent('data', {data: document.body.dataset.knownAt + '+'}))"
    )
    wait.until(lambda b: not b.find_elements(By.CSS_SELECTOR, "[data-is-old]"))
    browser.switch_to.active_element.send_keys("ds")
    assert place.get_attribute("value") == "Leeds", "what is being typed stays, and so does the cursor"
    assert len(browser.find_elements(By.CSS_SELECTOR, "form")) == len(browser.find_elements(By.ID, "slots")) == 1

    for hidden, last in (("true", 2), ("false", 0)):
        browser.execute_script(
            f"Object.defineProperty(document, 'hidden', {{value: {hidden}, configurable: true}});"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )
        assert browser.execute_script("return streams.at(-1).readyState") == last, "a hidden tab holds no connection"
    assert browser.execute_script("return streams.length") == 3


@pytest.mark.parametrize("prepared", ["real"], indirect=True)
def test_every_figure_is_there_without_a_script(prepared: str, served: httpx.Client, browser: webdriver.Chrome) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    host = str(served.base_url).rstrip("/")
    for path in ("/", "/regions/13"):
        browser.get(f"{host}{path}")
        text = browser.find_element(By.TAG_NAME, "main").get_attribute("innerText") or ""
        assert "gCO₂/kWh" in text and not browser.find_elements(By.CSS_SELECTOR, "output.readout")
        for details in browser.find_elements(By.CSS_SELECTOR, "details summary"):
            details.click()
        assert len(browser.find_elements(By.CSS_SELECTOR, "#curve tbody tr")) == 144


@pytest.mark.parametrize("prepared", ["real"], indirect=True)
def test_a_reader_signs_in_and_out(prepared: str, served: httpx.Client, browser: webdriver.Chrome) -> None:
    host = str(served.base_url).rstrip("/")
    # as through a proxy: a browser on the service's own machine would need no token
    browser.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Via": "1.1 proxy"}})

    def send(token: str) -> None:
        browser.find_element(By.ID, "token").send_keys(token, Keys.ENTER)

    browser.get(f"{host}/plan?tz=UTC")
    assert browser.title == "This page needs a token"
    send("energy_made_up")
    wait = WebDriverWait(browser, 30)
    wait.until(lambda b: "not known" in b.find_element(By.CLASS_NAME, "problem").text)
    send(TOKEN)
    wait.until(lambda b: b.current_url == f"{host}/plan?tz=UTC" and "The plan" in b.title)
    assert "Signed in with the token “SERVICE_TOKEN”" in browser.find_element(By.TAG_NAME, "header").text
    assert browser.execute_script("return document.cookie") == "", "no script reads it"
    browser.get(f"{host}/quality")
    assert "What decisions saved" in browser.title
    show(browser, f"{host}/quality", 390, 844, "light")
    assert browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth") <= 0
    browser.find_element(By.CSS_SELECTOR, "form.out button").click()
    wait.until(lambda b: b.current_url == f"{host}/")
    browser.get(f"{host}/plan")
    assert browser.title == "This page needs a token"
    assert {url for url in requested(browser) if TOKEN in url} == set(), "never in an address"
