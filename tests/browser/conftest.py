"""A real browser against a real server: the system's Chromium, driven by playwright.

Without Chromium these tests are skipped and say so; where the environment
says ``CI=true`` its absence is a failure, so that nobody's pipeline is green
for want of a browser.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client, override_settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests import small_company

# Playwright's synchronous face runs an event loop in this thread; the database is used by this thread alone.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

WATCH = """
window.__refused = [];
document.addEventListener("securitypolicyviolation", e => window.__refused.push(
  `${e.violatedDirective} ${e.blockedURI} ${e.sourceFile || ""}:${e.lineNumber} ${e.sample || ""}`));
"""


@pytest.fixture(scope="session", autouse=True)
def no_collected_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Style and scripts come from ``static/`` as it is now, never from what was once collected."""
    with override_settings(STATIC_ROOT=str(tmp_path_factory.mktemp("static"))):
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        why = "no Chromium here: install it, or say where it is in CHROMIUM"
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(why)
        pytest.skip(why)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def company(settings: LazySettings, transactional_db: None, make_person: Callable[..., Any]) -> dict[str, Any]:
    """Ana's company: people and resources by name, all of them in the index."""
    settings.IMMERSIVE_CONNECTORS = {**settings.IMMERSIVE_CONNECTORS, "told": small_company.CONNECTOR}
    people = {
        "ana": make_person("ana", name="Ana Ferreira", role="Shift engineer", email="ana@example.org"),
        "ben": make_person("ben", name="Ben Okafor", role="Mechanic", email="ben@example.org"),
        "cleo": make_person("cleo", name="Cléo Martin", email="cleo@example.org"),
    }
    found = small_company.build(people)
    small_company.index()
    return people | found


@pytest.fixture
def site(live_server: Any, company: dict[str, Any]) -> str:
    return str(live_server.url)


@pytest.fixture
def open_as(browser: Browser, site: str, company: dict[str, Any]) -> Iterator[Callable[..., Page]]:
    """``open_as("ana", width=360, color_scheme="dark")``: a page of a browser in which Ana is signed in."""
    contexts: list[BrowserContext] = []

    def start(name: str = "", *, width: int = 1280, **options: Any) -> Page:
        context = browser.new_context(base_url=site, viewport={"width": width, "height": 800}, **options)
        context.set_default_timeout(8000)
        contexts.append(context)
        if options.get("java_script_enabled", True):
            context.add_init_script(WATCH)
        if name:
            client = Client()
            client.force_login(company[name])
            context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
        return context.new_page()

    yield start
    for context in contexts:
        context.close()
