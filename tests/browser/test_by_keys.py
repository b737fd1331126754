"""The search page by keys alone: Tab reaches all and is never lost; what is chosen keeps the focus, and is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

HERE = """() => {
  const here = document.activeElement, frame = here.closest(".search-field") || here;
  const style = getComputedStyle(frame), box = here.getBoundingClientRect();
  return {
    name: (here.getAttribute("aria-label") || here.innerText || here.name || "").trim(),
    lost: here === document.body,
    ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1,
    seen: box.width > 8 && box.height > 8 && box.bottom > 0 && box.top < innerHeight,
  };
}"""


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_tab_reaches_everything_in_sight_with_a_ring(open_as: Open, color_scheme: str) -> None:
    page = open_as("ana", color_scheme=color_scheme)
    page.goto("/search?q=pump+kind%3Apage")
    names: list[str] = []
    for _ in range(120):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        if here["lost"]:
            break
        assert here["ring"], here
        assert here["seen"], here
        names.append(here["name"].replace("\n", " "))
    assert names[:3] == ["Skip to content", "Immersive", "q"]
    assert names[-1] == "How to search", "the focus was lost on its way"
    assert sum(name.startswith("Why is this here?") for name in names) == 10
    assert sum(name.startswith("Start a task with ") for name in names) == 11, "one each, and one for the words"


def test_what_is_chosen_keeps_the_focus_and_is_told(open_as: Open) -> None:
    page = open_as("ana")
    page.goto("/search?q=pump")
    told = page.locator("[data-said]")
    expect(told).to_contain_text("results, best match first")
    for value, said in (("tool", "1 result,"), ("video", "2 results,")):
        box = page.locator(f"[name=kind][value={value}]")
        box.focus()
        page.keyboard.press("Space")
        expect(told).to_contain_text(said)
        expect(box).to_be_checked()
        expect(box).to_be_focused()
