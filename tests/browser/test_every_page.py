"""Every page, in both themes and several widths: axe finds nothing, the policy refuses nothing, nothing overflows."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import LazySettings
from django.template.loader import render_to_string
from django.utils import timezone
from playwright.sync_api import Page

from knowledge import waiting
from knowledge.access import Viewer
from knowledge.documents import Document
from knowledge.meaning import looking
from knowledge.meaning.embedding import embed
from knowledge.models import Audience, LiveSource
from tests import small_company
from tests.knowledge.live.services import PAGES, QUESTIONS, packed, says
from tests.loopback import Web
from tests.meaning import Letters

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture
def pages(company: dict[str, Any]) -> dict[str, str]:
    """Every page by name; four tasks show the states of theirs."""
    from immersive.work import actions, log, plan, recall, sharing
    from immersive.work.models import Outcome

    ana = company["ana"]
    tasks = [
        actions.start_task(owner=ana, statement=f"Prime pump {n} before the shift", started_from=company["pump"])
        for n in range(4)
    ]  # fmt: skip
    for task in tasks[1:]:
        actions.assess(task=task, owner=ana, confidence=50, known={"Pumps": "partly"}, difficulty="hard")
    for route, key in (("informal", company["pump"].public_id), ("tool", company["valveview"].public_id), ("do", "")):
        plan.choose(task=tasks[3], owner=ana, route=route, key=str(key))
    actions.log_outcome(task=tasks[2], owner=ana, result=Outcome.PARTLY, route="tool", surprise="The valve was open")
    recall.keep(task=tasks[2], owner=ana, question="What is closed first?", answer="The discharge valve")
    sharing.share(task=tasks[3], owner=ana, person=company["ben"])
    log.do_due()
    return {
        "home": "/",
        "search": "/search?q=pump",
        "search narrowed": "/search?q=pump+kind%3Apage+after%3A2020-01-01&page=2",
        "search, empty box": "/search",
        "search, did you mean": "/search?q=pump+hydrualics",
        "search, another spelling": "/search?q=hydrualics",
        "search, nothing found": "/search?q=xylophone",
        "search, words to leave out": "/search?q=-pump",
        "search, signs alone": "/search?q=%3F%3F",
        "search, very long": "/search?q=" + "overlong" * 1250,
        "search, odd query": "/search?q=%22pump+colour%3Ared+-",
        "page": company["pump"].get_absolute_url(),
        "tool": company["valveview"].get_absolute_url(),
        "course": company["hydraulics"].get_absolute_url(),
        "overdue page": company["log"].get_absolute_url(),
        "person": ana.get_absolute_url(),
        "people": "/people/",
        "what is shown about one": "/people/me/",
        "questions": "/asks/",
        "new question": "/asks/new?q=pump",
        "notices": "/notices/",
        "tasks": "/tasks/",
        "new task": "/tasks/new",
        "task, begun": tasks[0].get_absolute_url(),
        "new task, from a page": "/tasks/new?q=Prime&page=https://wiki.example.org/p&text=Close+the+valve",
        "task, said": tasks[1].get_absolute_url(),
        "task, planned": tasks[3].get_absolute_url(),
        "task, read beside": f"{tasks[3].get_absolute_url()}beside/{company['pump'].public_id}",
        "task, nothing beside": f"{tasks[3].get_absolute_url()}beside/00000000-0000-4000-8000-000000000000",
        "task, whom it is shared with": f"{tasks[3].get_absolute_url()}share",
        "task, done": tasks[2].get_absolute_url(),
        "task, as others see it": f"/tasks/shared/{tasks[3].public_id}",
        "shared with one": "/tasks/shared/",
        "question for later": f"{tasks[2].get_absolute_url()}recall",
        "questions for later": "/tasks/recall",
        "what one is asked": "/tasks/reminders",
        "mirror": "/tasks/mirror",
        **_lessons(company),
        "review": f"/lessons/review?task={tasks[2].public_id}",
        "password": "/password/",
        "patterns": "/patterns",
        "how to ask": "/search/help",
        "nothing here": "/r/00000000-0000-4000-8000-000000000000",
    }


def _lessons(company: dict[str, Any]) -> dict[str, str]:
    """Pages of lessons: one that is told, which stands above the page about the pump, and a draft."""
    from immersive.work.lessons import experiments, telling
    from immersive.work.lessons.experiments import Tried
    from immersive.work.lessons.telling import Said
    from immersive.work.lessons.told import To

    about = company["pump"].public_id
    words = {"expected": "It should hold.", "happened": "It held for a day.", "know_now": "Wait until it is cold."}
    told = telling.publish(author=company["ben"], said=Said(**words, resources=[about]), to=To("company"))
    tried = experiments.plan(
        author=company["ana"], tried=Tried("If it is cold, it holds.", "Ten starts"), to=To("company")
    )
    failed = experiments.plan(author=company["ana"], tried=Tried("If it is wet, it holds.", "Two starts"), to=To("me"))
    experiments.conclude(author=company["ana"], experiment=failed.public_id, result="failed", found="It does not.")
    draft = telling.keep(author=company["ana"], said=Said(**words, resources=[about], topics=["Pumps"]))
    return {
        "lessons": "/lessons/",
        "lessons of one's own": "/lessons/?mine=1",
        "lesson": told.get_absolute_url(),
        "lesson, draft": draft.get_absolute_url(),
        "new lesson": f"/lessons/new?about={about}",
        "lesson, changed": f"{draft.get_absolute_url()}edit",
        "experiments": "/lessons/experiments/",
        "new experiment": "/lessons/experiments/new",
        "experiment": tried.get_absolute_url(),
        "experiment that did not hold": failed.get_absolute_url(),
    }


MODES = [
    pytest.param({"width": 1440, "color_scheme": "light"}, id="wide-light"),
    pytest.param({"width": 1440, "color_scheme": "dark"}, id="wide-dark"),
    pytest.param({"width": 360, "color_scheme": "light", "has_touch": True}, id="phone-light"),
    pytest.param({"width": 360, "color_scheme": "dark", "has_touch": True}, id="phone-dark"),
]


@pytest.mark.parametrize("mode", MODES)
def test_every_page(open_as: Open, pages: dict[str, str], company: dict[str, Any], mode: dict[str, Any]) -> None:
    from immersive.management.commands.invite import link_of

    page = open_as("ana", **mode)
    stranger = open_as(**mode)
    troubles = [trouble for name, address in pages.items() for trouble in look(page, name, address)]
    troubles += look(stranger, "sign in", "/sign-in")
    troubles += look(stranger, "first password", link_of(company["ben"]))
    troubles += look(stranger, "link that does not work", "/password/set/x/y/")
    assert troubles == []


@pytest.mark.parametrize("mode", MODES)
def test_every_page_that_says_what_failed(
    open_as: Open, site: str, mode: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_as("ana", **mode)
    stranger = open_as(**mode)
    monkeypatch.setattr("immersive.views.changed_lately", lambda viewer: 1 / 0)
    troubles = look(page, "500", "/") + look(page, "403", "/operate/login/")
    troubles += look(stranger, "400, too long", "/search?q=" + "a" * 20_000)
    page.route("**/page-414", lambda route: route.fulfill(body=render_to_string("414.html"), content_type="text/html"))
    troubles += look(page, "414", "/page-414")
    page.goto("/tasks/new")
    page.evaluate("document.querySelector('main form [name=csrfmiddlewaretoken]').remove()")
    page.get_by_label("What are you working on?").fill("a sentence")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("heading", name="Please send that again").wait_for()
    troubles += troubles_of(page, "csrf")
    assert troubles == []


NEAR = "nehctik eht ni sdnats elttek eht"
"""The letters of a page and none of its words."""


@pytest.fixture
def much_happens(
    company: dict[str, Any], web: Web, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """A company with copies, search by meaning, searches that wait, and services outside, one of them broken."""
    pump = next(page for page in small_company.handbook() if page.key == "pump")
    copies = [Document(f"copy-{n}", f"{pump.title}, {n}", f"{pump.body}\nCopy {n}.") for n in range(2)]
    kettle = Document("kettle", "Tea", "The kettle stands in the kitchen.")
    encoder, ana = Letters(), Viewer.of(company["ana"])
    monkeypatch.setattr(looking, "chosen", lambda: encoder)
    for text in ("kettle", "xylophone", "a search " * 20):
        waiting.wait_for(text=text, viewer=ana)
    small_company.source_of("Archive", [*copies, kettle])
    small_company.index()
    embed(encoder=encoder)
    waiting.WaitingSearch.objects.update(looked_at=timezone.now() - timedelta(hours=1))
    waiting.look()
    settings.LIVE_HOSTS = ["127.0.0.1"]
    web.answers["/qa"], web.answers["/w/api.php"] = packed(QUESTIONS), says(PAGES)
    everyone = Audience.objects.of(["everyone"])
    for name, shape, path in (
        ("Questions about pumps and valves", "stackexchange", "/qa?site=pumps"),
        ("An archive that is broken", "json", "/broken?q={query}"),
        ("An encyclopaedia", "mediawiki", "/w/api.php"),
    ):
        LiveSource.objects.create(name=name, shape=shape, address=web.base + path, audience=everyone)
    return company


@pytest.mark.parametrize("mode", [MODES[0], MODES[3]])
def test_every_state_of_a_search(
    open_as: Open, much_happens: dict[str, Any], settings: LazySettings, mode: dict[str, Any]
) -> None:
    page = open_as("ana", **mode)
    states = {
        "one's own news": ("/", "There is something now"),
        "searches that wait": ("/search/waiting", "You were told on"),
        "why, copies, all folds open": ("/search?q=priming+pump+casing+22", "Why is this here?"),
        "read as": ("/search?q=%22feed+pump%22+-seal+title:pri*", "Read as:"),
        "less asked for": ("/search?q=%22feed+pump%22+kind%3Aanswer+after%3A2020", "People who may know"),
        "it waits": ("/search?q=xylophone", "This search waits"),
        "closest in meaning": (f"/search?q={NEAR.replace(' ', '+')}", "This is closest in meaning."),
        "outside, asked": ("/search/live?q=pump", "An archive that is broken"),
    }
    away = {
        "titles alone": ("/search?q=pump", "only titles are searched"),
        "no such title": ("/search?q=zebra", "No title that you may read"),
    }
    troubles: list[str] = []
    for name, (address, says_so) in (states | away).items():
        if name in away:
            shutil.rmtree(settings.INDEX_DIR, ignore_errors=True)
        page.goto(address)
        page.get_by_text(says_so).first.wait_for()
        page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        troubles += troubles_of(page, name)
        if "copies" in name:
            assert page.get_by_text("2 more like this").count() == 1
    assert troubles == []


def look(page: Page, name: str, address: str) -> list[str]:
    """What is wrong with one page, in words."""
    errors: list[str] = []
    page.once("pageerror", lambda error: errors.append(f"{name}: script failed: {error}"))
    page.goto(address)
    return troubles_of(page, name) + errors


def troubles_of(page: Page, name: str) -> list[str]:
    found = [f"{name}: refused {refused}" for refused in page.evaluate("window.__refused")]
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if width > 0:
        found.append(f"{name}: {width} px wider than the window")
    for violation in Axe().run(page).response["violations"]:
        nodes = " | ".join(node["html"][:120] for node in violation["nodes"][:3])
        found.append(f"{name}: {violation['id']}: {nodes}")
    return found


def test_nothing_is_refused_while_one_works(open_as: Open, site: str) -> None:
    """Crawl what links lead to, and use what moves: facets, dialog, menu, theme, an assessment."""
    page = open_as("ana")
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    waiting, seen, shapes = ["/"], set(), {}
    while waiting:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        page.goto(address)
        refused += page.evaluate("window.__refused")
        for link in page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)"):
            path = link.removeprefix(site).split("#")[0]
            shape = path.split("?")[0][:3]
            if path.startswith("/") and "/download" not in path and shapes.setdefault(shape, 0) < 8:
                shapes[shape] += 1
                waiting.append(path)
    assert len(seen) > 15
    page.goto("/search?q=pump")
    with page.expect_response("**/search?narrow=1**"):
        page.locator(".facets").get_by_label("Page").check()
    page.locator(".chip").first.wait_for()
    page.keyboard.press("?")
    page.get_by_role("button", name="Close").click()
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Theme").click()
    refused += page.evaluate("window.__refused")
    assert refused == []


def test_no_page_is_wider_than_its_window(open_as: Open, pages: dict[str, str]) -> None:
    page = open_as("ana")
    wide = {}
    for name, address in pages.items():
        page.goto(address)
        for width in (320, 360, 768, 1024, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if over > 0:
                wide[f"{name} at {width}"] = over
    assert wide == {}
