"""Promise 11: what strangers write runs nothing, even where the policy would not stop it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from knowledge.documents import Contribution, Document
from tests.browser.payloads import PAYLOADS
from tests.small_company import index, source_of

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

HOOK = """
window.__fired = 0;
window.fired = () => { window.__fired += 1; };
"""
THREES = [tuple(PAYLOADS[n : n + 3]) for n in range(0, len(PAYLOADS), 3)]
PROVOKE = """() => {
  for (const el of document.querySelectorAll("main *, .bar *")) {
    for (const name of ["mouseover", "pointerenter", "focus", "animationstart", "toggle", "load", "error"]) {
      el.dispatchEvent(new Event(name));
    }
  }
  const odd = [...document.querySelectorAll("*")].filter(el =>
    el.getAttributeNames().some(name => name.startsWith("on") || name.startsWith("hx-on") || name === "srcdoc") ||
    ["href", "src", "action"].some(name => /^\\s*(javascript|data|vbscript):/i.test(el.getAttribute(name) || "")) ||
    el.matches("main :is(script, iframe, object, embed, img, video, audio, style, base, meta, link, math)"));
  return [window.__fired, odd.map(el => el.outerHTML.slice(0, 160))];
}"""


@pytest.fixture
def hostile(company: dict[str, Any]) -> list[Any]:
    """Resources with three payloads each, in everything that a source can say."""
    from knowledge.models import Resource

    documents = [
        Document(
            f"{n}-{three[0]}"[:400], f"Zebra {' '.join(three)}", f"# Zebra {n}\n\nzebra " + "\n\nzebra ".join(three),
            "https://example.org/" + quote(three[0]), kind=("page", "tool", "course", "person")[n % 4],
            crumbs=three, topics=tuple(payload[:70] for payload in three),
            contributions=tuple(Contribution(payload[:190], payload[:190]) for payload in three),
            facts={"jobs": list(three), "provider": three[0], "price": three[-1], "next_date": three[0],
                   "role": three[-1], "team": three[0], "initials": three[-1], "duration_minutes": three[0]},
        )
        for n, three in enumerate(THREES)
    ]  # fmt: skip
    source_of("Zebra <img src=x onerror=fired()>", documents)
    index()
    ana = company["ana"]
    ana.name, ana.role, ana.about = PAYLOADS[0], PAYLOADS[60], PAYLOADS[30]
    ana.save()
    return list(Resource.objects.filter(source__name__startswith="Zebra"))


@pytest.fixture
def unguarded(open_as: Open, hostile: list[Any]) -> Page:
    """Ana's browser with the policy switched off, in which anything that fires is counted."""
    page = open_as("ana", bypass_csp=True)
    page.add_init_script(HOOK)
    page.on("dialog", lambda dialog: dialog.dismiss())
    return page


def test_there_are_payloads_enough_and_they_fire_on_a_careless_page(unguarded: Page) -> None:
    assert len(set(PAYLOADS)) >= 100
    unguarded.goto("/")
    unguarded.evaluate("""all => all.forEach(html => {
      const place = document.createElement("div");
      document.querySelector("main").append(place);
      place.innerHTML = html;
    })""", PAYLOADS)  # fmt: skip
    unguarded.wait_for_function("window.__fired > 2")
    assert len(unguarded.evaluate(PROVOKE)[1]) > 60


def test_nothing_fires_and_nothing_strange_stands_on_any_page(unguarded: Page, hostile: list[Any]) -> None:
    assert len(hostile) == len(THREES)
    pages = [f"/search?q=zebra&page={n}" for n in range(1, len(hostile) // 10 + 2)]
    pages += [f"/search?q={quote(' '.join(three))}" for three in THREES[::4]]
    pages += [f"/tasks/new?q={quote(payload)}" for payload in PAYLOADS[1::20]]
    pages += [resource.get_absolute_url() for resource in hostile if resource.kind != "person"]
    pages += ["/", "/people/", "/people/?q=" + quote(PAYLOADS[70])]
    seen = []
    for address in pages:
        unguarded.goto(address, wait_until="domcontentloaded")
        fired, odd = unguarded.evaluate(PROVOKE)
        if fired or odd:
            seen.append((address, fired, odd))
    assert seen == []


def test_what_one_types_oneself_runs_nothing_either(unguarded: Page, company: dict[str, Any]) -> None:
    from immersive.work import actions

    for n, payload in enumerate(PAYLOADS[::12]):
        task = actions.start_task(owner=company["ana"], statement=payload)
        if n % 2:
            actions.assess(task=task, owner=company["ana"], confidence=70)
            actions.log_outcome(task=task, owner=company["ana"], result=0.5, surprise=payload)
        unguarded.goto(task.get_absolute_url(), wait_until="domcontentloaded")
        assert unguarded.evaluate(PROVOKE) == [0, []]
    for address in ("/", "/tasks/", "/tasks/mirror"):
        unguarded.goto(address, wait_until="domcontentloaded")
        assert unguarded.evaluate(PROVOKE) == [0, []]
