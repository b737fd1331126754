"""How a route is begun: what the link says and where it leads, the same on a row of the card and on a step of a plan.

A link and no verb: whoever looks at a tool has not chosen it yet, and a question is asked on its own page.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from immersive.work.routes import Route
from knowledge.connectors.files import web_address

PEOPLE = (Route.HAND_OVER, Route.MENTOR)
WISHES = {Route.HAND_OVER: "do", Route.MENTOR: "show"}
"""What is wished of a person, as the form that asks them says it."""
SIGNS = {Route.INFORMAL: "beside", Route.TOOL: "external", Route.FORMAL: "external"}


@dataclass(frozen=True, slots=True)
class Act:
    """How one route of a task is begun: ``title`` and ``key`` say what or whom it is with, as candidates do.

    ``web``: where that is outside the portal; ``said``: how one comes to use it, as its catalogue says; ``at``: the
    place in it that opens.
    """

    route: Route
    task: UUID
    title: str = ""
    key: str = ""
    web: str = ""
    said: str = ""
    at: str = ""

    @property
    def words(self) -> str:
        """What the link says."""
        return {
            Route.TOOL: "Open the tool",
            Route.FORMAL: "Open the course",
            Route.INFORMAL: "Read it beside the task",
            Route.HAND_OVER: f"Ask {self.title} to do it",
            Route.MENTOR: f"Ask {self.title} to show you",
        }.get(self.route, "")

    @property
    def url(self) -> str:
        """Where it leads; nothing where the route is begun without a link."""
        if not self.key:
            return ""
        if self.route in PEOPLE:
            return f"{reverse('work:ask', args=[self.task])}?{urlencode({'to': self.key, 'wish': WISHES[self.route]})}"
        if self.route is Route.INFORMAL:
            return reverse("work:beside", args=[self.task, self.key]) + (self.at or "#reader")
        return self.web if web_address(self.web) else ""

    @property
    def outside(self) -> bool:
        """Whether it leads out of the portal."""
        return self.route in (Route.TOOL, Route.FORMAL)

    @property
    def sign(self) -> str:
        """What is drawn beside its words."""
        return SIGNS.get(self.route, "answer")

    @property
    def access(self) -> str:
        """How one comes to use a tool, where that is to be asked for."""
        return asked_for(self.said) if self.route is Route.TOOL else ""

    @property
    def access_url(self) -> str:
        """Where one asks for that."""
        said = {"q": f"How do I get access to {self.title}?", "about": self.key}
        return f"{reverse('experts:ask-new')}?{urlencode(said)}"


def asked_for(access: str) -> str:
    """What a catalogue says of access, where that is to be asked for; nothing where everyone has it."""
    return "" if "everyone" in access.casefold() else access
