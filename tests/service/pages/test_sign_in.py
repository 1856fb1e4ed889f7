"""Signing in with a browser: the token goes in once, is kept where no script and no other site gets at it, and opens two pages."""

import logging
from collections.abc import Iterator
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient

from service import tokens
from service.app import create
from service.pages import cookie
from service.pages.sign_in import way_back
from service.settings import ServiceSettings
from tests.service.pages.reading import HTML
from warehouse.database import Database

ELSEWHERE = {**HTML, "Via": "1.1 proxy"}
"""As a browser sends it that is not on the service's machine"""
NAME = "Example <b>Northern</b> Cloud"


@pytest.fixture
def token(database: Database) -> str:
    with database.connect() as connection:
        connection.execute("insert into app.operators (name, email_domains) values (%s, '{}')", [NAME])
    return tokens.make(database, operator=NAME, label=NAME)


@pytest.fixture
def browser(database: Database) -> Iterator[TestClient]:
    """A browser that reaches the service over https."""
    with visit(database) as client:
        yield client


def visit(database: Database, scheme: str = "https", **settings: int) -> TestClient:
    service = create(database, ServiceSettings(**settings))  # type: ignore[arg-type]
    return TestClient(service, base_url=f"{scheme}://energy.example", headers=ELSEWHERE, follow_redirects=False)


def sign_in(browser: TestClient, token: str, back: str = "/plan", **headers: str) -> httpx.Response:
    return browser.post("/sign-in", data={"token": token, "back": back}, headers=headers)


def set_cookies(answer: httpx.Response) -> dict[str, dict[str, str]]:
    """The attributes of each cookie that an answer sets, with its value."""
    found = {}
    for line in answer.headers.get_list("set-cookie"):
        for name, one in SimpleCookie(line).items():
            found[name] = {"value": one.value} | {key: str(said) for key, said in one.items() if said}
    return found


def test_a_page_that_needs_a_token_takes_it(browser: TestClient) -> None:
    answer = browser.get("/plan?workload=00000000-0000-0000-0000-000000000000&tz=UTC")
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert '<form method="post" action="/sign-in"' in answer.text and 'type="password"' in answer.text
    assert 'value="/plan?workload=00000000-0000-0000-0000-000000000000&amp;tz=UTC"' in answer.text
    assert "did not come over https" not in answer.text
    assert answer.headers["cache-control"] == "no-store" and answer.headers["referrer-policy"] == "same-origin"
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text and "style=" not in answer.text
    assert "set-cookie" not in answer.headers
    assert browser.get("/sign-in").status_code == 200
    assert browser.get("/plan", headers={"Accept": "application/json"}).json()["status"] == 401


def test_the_token_is_kept_in_a_cookie_that_opens_the_two_pages(
    browser: TestClient, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = sign_in(browser, token, "/quality?tz=UTC")
    assert answer.status_code == 303 and answer.headers["location"] == "/quality?tz=UTC"
    ((name, kept),) = set_cookies(answer).items()
    assert name == "__Host-operator" and kept.pop("value")
    assert kept == {
        "path": "/",
        "max-age": str(cookie.SECONDS),
        "secure": "True",
        "httponly": "True",
        "samesite": "strict",
    }
    for path in ("/plan", "/quality?tz=UTC"):
        page = browser.get(path)
        assert page.status_code == 200, page.text
        assert "Signed in with the token “Example &lt;b&gt;Northern&lt;/b&gt; Cloud”" in page.text
        assert '<form method="post" action="/sign-out"' in page.text
        assert page.headers["cache-control"] == "no-store" and page.headers["referrer-policy"] == "same-origin"
        assert token not in page.text
    assert token not in answer.text + str(answer.headers) + caplog.text
    assert kept_value(browser) not in caplog.text


def kept_value(browser: TestClient) -> str:
    return next(one.value or "" for one in browser.cookies.jar if one.name == "__Host-operator")


def test_over_http_the_page_says_so_and_the_cookie_is_not_secure(database: Database, token: str) -> None:
    with visit(database, "http") as browser:
        assert "did not come over https" in browser.get("/plan").text
        ((name, kept),) = set_cookies(sign_in(browser, token)).items()
        assert name == "operator" and "secure" not in kept and kept["httponly"] and kept["samesite"] == "strict"
        assert browser.get("/plan").status_code == 200
        behind = sign_in(browser, token, **{"X-Forwarded-Proto": "https, http"})
        assert set_cookies(behind)["__Host-operator"]["secure"], "https ends at a proxy"


@pytest.mark.parametrize("sent", ["energy_made_up", "", "  ", "é€\x00", "a" * 5000])
def test_a_wrong_token_is_refused_in_words(browser: TestClient, token: str, sent: str) -> None:
    answer = sign_in(browser, sent, "/quality")
    assert answer.status_code == 401 and "set-cookie" not in answer.headers
    assert ("This token is not known" if sent.strip() else "No token was given") in answer.text
    assert 'name="back" value="/quality"' in answer.text and "Traceback" not in answer.text
    assert not sent.strip() or sent not in answer.text, "what was sent is not repeated"
    assert browser.get("/plan").status_code == 401


def test_what_is_no_form_is_refused(browser: TestClient, token: str) -> None:
    assert browser.post("/sign-in", json={"token": token}).status_code == 422
    many = {f"field{n}": "1" for n in range(20)} | {"token": token}
    assert browser.post("/sign-in", data=many).status_code == 422
    assert browser.post("/sign-in?token=x", data={"token": token}).status_code == 422, "never in an address"
    assert not browser.cookies


def test_the_api_takes_no_cookie(browser: TestClient, token: str) -> None:
    """Whatever needs a token refuses a browser that is signed in: no other site can have it do anything."""
    paths = browser.get("/openapi.json").json()["paths"]
    routes = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    refused = {route for route in routes if status(browser, route) == 401}
    assert {("POST", "/submit_task"), ("POST", "/plan"), ("GET", "/workloads"), ("GET", "/plan")} <= refused
    assert sign_in(browser, token).status_code == 303
    assert {route for route in refused if status(browser, route) != 401} == {("GET", "/plan"), ("GET", "/quality")}
    header = {"Authorization": f"Bearer {token}"}
    assert browser.get("/workloads", headers=header).status_code == 200, "the token itself is good there"


def status(browser: TestClient, route: tuple[str, str]) -> int:
    method, path = route
    if path == "/events":
        return 200
    filled = path.replace("{name}", "x").replace("{ending}", "csv")
    for part in ("workload_id", "region_id", "table", "file", "version"):
        filled = filled.replace(f"{{{part}}}", "00000000-0000-0000-0000-000000000000")
    return browser.request(method, filled, json={} if method in ("POST", "PUT", "PATCH") else None).status_code


def test_a_token_that_was_revoked_opens_nothing_and_its_cookie_goes(
    browser: TestClient, database: Database, token: str
) -> None:
    sign_in(browser, token)
    assert browser.get("/plan").status_code == 200
    with database.connect() as connection:
        connection.execute("update app.operator_tokens set revoked_at = now() where label = %s", [NAME])
    browser.app.state.service.callers.clear()  # type: ignore[attr-defined]  # as if ten seconds had passed
    answer = browser.get("/plan")
    assert answer.status_code == 401 and "not known, or was revoked" in answer.text
    assert 'action="/sign-in"' in answer.text and set_cookies(answer)["__Host-operator"]["max-age"] == "0"
    assert not browser.cookies


def test_sign_out_forgets(browser: TestClient, token: str) -> None:
    sign_in(browser, token)
    answer = browser.post("/sign-out")
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    assert {name: one["max-age"] for name, one in set_cookies(answer).items()} == {
        "operator": "0",
        "__Host-operator": "0",
    }
    assert browser.get("/plan").status_code == 401 and browser.get("/sign-out").status_code == 405


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "https://energy.example"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://energy.example"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://energy.example.evil.example"}, False),
        ({"Origin": "null"}, False),
    ],
)
def test_a_form_of_another_site_signs_nobody_in_or_out(
    browser: TestClient, token: str, headers: dict[str, str], is_ours: bool
) -> None:
    wanted = 303 if is_ours else 403
    assert sign_in(browser, token, **headers).status_code == wanted
    assert bool(browser.cookies) is is_ours
    sign_in(browser, token)
    assert browser.post("/sign-out", headers=headers).status_code == wanted
    assert browser.get("/plan").status_code == (401 if is_ours else 200)


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/plan", "//evil.example/plan", "/\\evil.example", "javascript:alert(1)", "/trust", "plan", "",
     "/plan/../trust", "/plan?tz=UTC\r\nSet-Cookie: x=1", "\n//evil.example"],
)  # fmt: skip
def test_a_form_leads_back_to_a_page_of_ours_alone(browser: TestClient, token: str, wanted: str) -> None:
    answer = sign_in(browser, token, wanted)
    parts = urlsplit(answer.headers["location"])
    assert (parts.scheme, parts.netloc) == ("", "") and parts.path in cookie.PATHS
    assert list(set_cookies(answer)) == ["__Host-operator"] and "\n" not in answer.headers["location"]


def test_the_way_back_keeps_the_state_of_the_page() -> None:
    assert parse_qs(urlsplit(way_back("/plan?workload=1&tz=UTC")).query) == {"workload": ["1"], "tz": ["UTC"]}


def test_who_is_signed_in_is_counted_by_the_token(database: Database, token: str) -> None:
    with visit(database, service_requests_per_minute=3) as browser:
        sign_in(browser, token)
        assert [browser.get("/sign-in").status_code for _ in range(3)] == [200, 200, 429], "those of the address"
        assert [browser.get("/plan").status_code for _ in range(4)] == [200, 200, 200, 429], "those of the token"
        browser.cookies.clear()
        browser.cookies.set("__Host-operator", "bWFkZSB1cA", domain="energy.example", path="/")
        assert browser.get("/plan").status_code == 429, "a made-up one counts for the address"


def test_a_header_goes_before_the_cookie(browser: TestClient, database: Database, token: str) -> None:
    sign_in(browser, token)
    platform = tokens.make(database, operator=None, label="platform")
    page = browser.get("/plan", headers={"Authorization": f"Bearer {platform}"})
    assert page.status_code == 200 and "Signed in with" not in page.text
    assert browser.get("/plan", headers={"Authorization": "Bearer made up"}).status_code == 401


@pytest.mark.parametrize("value", ["%", "é", "a", "====", "gICA", ""])
def test_a_cookie_that_cannot_be_read_is_none(browser: TestClient, value: str) -> None:
    sent = f"__Host-operator={value}".encode("latin-1", "replace")
    assert browser.get("/plan", headers={"Cookie": sent}).status_code == 401  # type: ignore[dict-item]
