"""A question without a name: whoever of two people asked it, and whenever, the portal looks the same to all others.

The same days are lived twice, once with Ana asking and once with Finn, who is
at each click an hour later than she, with the lots drawn alike; then they are
undone. Every page, endpoint and operator's page as every other account and as
a provisioning service, every row of the database but mark and key, every
mail, notice and log line are compared byte for byte, moments too: the clock is
held, so that all that happens at one moment in both lives bears the same. So
nothing needs to be looked for: whatever depended on the author, or on when the
author was here, would differ. That the comparison can fail is shown with the
same question asked by name, and at two moments.
"""

from __future__ import annotations

import json
import logging
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.core import mail, serializers
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from experts import digests
from experts.asking import actions as asking
from experts.asking import later, moderation, sealed, still_right, turns
from experts.asking.asks import Answer, Ask
from experts.choices import Availability
from experts.directory import tokens
from experts.notices import Notice
from knowledge import gaps
from knowledge.models import Resource, Source
from tests import small_company
from tests.experts import conftest as rooms
from tests.experts.asked import PUMPS, company, see
from tests.flows.asking import body

pytestmark = pytest.mark.django_db
hold, committed = rooms.hold, rooms.committed

ASK, ANSWER = UUID(int=1 << 100), UUID(int=1 << 101)
RANDOM = re.compile(
    r"\d+ ?ms\b|\b\d+\.\d{3,}s\b|\d\d:\d\d:\d\d GMT|(?m:^Date: .*$|^Message-ID: .*$)"  # of this machine's own clock
    r"|[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}|\b\d{8}-[0-9a-f]{8}\b"  # what was drawn by lot
    r"|/\d+/change/|value=\"\d+\"|exact=\d+|csrfmiddlewaretoken\S+ \S+|nonce-\S+|={8,}\d+=="
)
"""What differs between two requests for the same page, or two writings of the same row."""
QUICK = (
    "/asks/<uuid:public_id>/", "/asks/new", "/asks/alike", "/scim/", "/notices", "/people/<uuid:public_id>/", "/r/",
    "/search", "/topics/<",
)  # fmt: skip
"""The beginnings of addresses that the quick test looks at; the slow one looks at all."""


class Undone(Exception):
    """Ends a week, so that it can be lived again."""


@dataclass
class Week:
    """All that others can see of these days."""

    pages: dict[str, str]
    rows: dict[str, str]
    mails: list[str]
    log: list[str]

    def differs(self, other: Week) -> list[str]:
        """Where the two differ: names of pages and tables, or "mail" and "log"."""
        names = [f"page {name}" for name in self.pages | other.pages if self.pages.get(name) != other.pages.get(name)]
        names += [f"rows {name}" for name in self.rows if self.rows[name] != other.rows[name]]
        return names + ["mail"] * (self.mails != other.mails) + ["log"] * (self.log != other.log)


def routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Every address of the site, the operator's pages too."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield "/" + route


def filled(route: str, here: SimpleNamespace, *, thorough: bool) -> Iterator[tuple[str, str]]:
    """A route with what its blanks may name: this question, its answer, what it became, and people."""
    if "sign-out" in route or "password" in route or route.startswith(("/static", "/health")):
        return
    if not thorough and not route.startswith(QUICK):
        return
    named = {"ask": ASK, "answer": ANSWER, "found": Resource.objects.get(kind="answer").public_id}
    named |= {"ana": here.ana.public_id} | (
        {"finn": here.finn.public_id, "ben": here.ben.public_id} if thorough else {}
    )
    plain = re.sub(r"\\Z|\$|\^|\(\?P?<?[^)]*\)", "", route)
    if "<uuid:" in plain:
        for name, one in named.items():
            yield name, re.sub(r"<uuid:\w+>", str(one), plain)
    elif "<path:object_id>" in plain or "<id>" in plain:
        for one in (here.ana.pk, here.finn.pk) if thorough else ():
            yield str(one), re.sub(r"<[^>]+>", str(one), plain)
    else:
        yield "", re.sub(r"<[^>]+>", "pumps", plain)
        if plain in ("/search", "/api/v1/search", "/search/suggest", "/api/v1/suggest", "/asks/new"):
            yield "about pumps", f"{plain}?q=prime+feed+pump+vent"
            yield "about ana", f"{plain}?q=ana"


def looked_at(clients: dict[str, Client], here: SimpleNamespace, *, thorough: bool) -> dict[str, str]:
    """Every address as each of these accounts: what it answers, its headers too."""
    told = {}
    for route in sorted(set(routes(get_resolver().url_patterns))):
        for blank, address in filled(route, here, thorough=thorough):
            for name, client in clients.items():
                if (name == "service") != route.startswith("/scim/"):
                    continue
                asks = route == "/asks/alike"  # what is like a question that others begin to type
                answer = client.post(address, {"text": PUMPS}) if asks else client.get(address)
                said = b"".join(answer).decode(errors="replace") if answer.streaming else body(answer)
                headers = {header: value for header, value in answer.headers.items() if header != "Set-Cookie"}
                text = RANDOM.sub("~", f"{answer.status_code} {headers} {said}")
                told[f"{name} {route} {blank}"] = re.sub(r'value="[\w-]{32,}"|Content-Length\S+ \S+', "~", text)
    return told


def stored() -> dict[str, str]:
    """Every row of every table but the mark, in their order; what is counted on by the database, by its place."""
    rows = {}
    place: dict[Any, dict[Any, int]] = {}
    for model in apps.get_models():
        keys = model._default_manager.order_by("pk").values_list("pk", flat=True)
        place[model] = {pk: number for number, pk in enumerate(keys)}
    for model in apps.get_models():
        said = json.loads(serializers.serialize("json", model._default_manager.order_by("pk")))
        for one in said:
            # sessions are read below; how long this machine took is its own
            unlike = ("mark", "key") if model is Ask else ("session_data", "seen_in", "took_ms")
            for name in unlike:
                one["fields"].pop(name, None)
            for field in (*model._meta.concrete_fields, *model._meta.many_to_many):
                if field.is_relation and field.name in one["fields"]:
                    value, known = one["fields"][field.name], place[field.related_model]
                    many = isinstance(value, list)
                    one["fields"][field.name] = [known.get(pk) for pk in value] if many else known.get(value, value)
            if model is not Ask:
                one.pop("pk", None)
        rows[model._meta.label] = RANDOM.sub("~", json.dumps(said, sort_keys=True))
    from django.contrib.sessions.models import Session

    rows["what sessions hold"] = json.dumps(sorted(str(one.get_decoded()) for one in Session.objects.all()))
    return rows


class Clock:
    """Holds `django.utils.timezone.now`, the one clock of the portal, also where it is a column's default."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began = (timezone.now() + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
        self.hours, self.late = 0.0, timedelta()
        clock = self

        class Kind(type):
            def __instancecheck__(cls, one: object) -> bool:
                return isinstance(one, datetime)

        class Held(metaclass=Kind):
            @staticmethod
            def now(tz: Any = None) -> datetime:
                return (clock.began + timedelta(hours=clock.hours) + clock.late).astimezone(tz)

        monkeypatch.setattr(timezone, "datetime", Held)


@pytest.fixture
def here(make_person: Callable[..., Any], hold: Callable[..., Any]) -> SimpleNamespace:
    found = company(make_person, hold)
    found.manager = make_person("mara", name="Mara", teams=(found.team,))
    for person in (found.ana, found.finn):
        person.manager = found.manager
        person.save()
    for person in (found.ana, found.finn, found.ben, found.cleo):
        Availability.objects.create(person=person, mail=Availability.Mail.AT_ONCE)
    found.outside = make_person("gus", name="Gus")
    found.moderator = make_person("moda", name="Moda", teams=(found.team,))
    found.moderator.user_permissions.add(*Permission.objects.filter(codename__in=["moderate_ask", "open_seal"]))
    found.operator = make_person("olga", name="Olga", teams=(found.team,), is_staff=True, is_superuser=True)
    return found


@pytest.fixture
def lived(
    here: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    committed: Callable[[], Any],
) -> Callable[..., Week]:
    """Live the week with somebody asking, and undo it."""
    roles = ("ben", "cleo", "manager", "outside", "moderator", "operator")
    clients = {role: Client() for role in (*roles, "ana", "finn")}
    for role, client in clients.items():
        client.force_login(getattr(here, role))
    clients["nobody"] = Client()
    clients["service"] = Client(headers={"Authorization": f"Bearer {tokens.issue(name='Entra ID')[1]}"})
    few = ("cleo", "operator", "service")
    others = {role: clients[role] for role in (*roles, "nobody", "service")}
    clock = Clock(monkeypatch)
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(asking, "uuid4", lambda: ASK)

    def live(author: str, *, anonymous: bool = True, thorough: bool = False, late: int = 0) -> Week:
        lot, shown = random.Random(7), iter((2, 20, 21))
        monkeypatch.setattr(sealed, "number", lambda: lot.randrange(2**40))
        monkeypatch.setattr(sealed, "publish_at", lambda now: clock.began + timedelta(hours=next(shown)))
        caplog.clear()
        mail.outbox.clear()
        weeks: list[Week] = []
        cache.clear()
        try:
            with transaction.atomic():
                with committed():
                    _days(here, clients, clock, author, anonymous, timedelta(minutes=late))
                small_company.index()
                weeks.append(
                    Week(
                        looked_at({role: others[role] for role in (others if thorough else few)},
                                  here, thorough=thorough),
                        stored(),
                        [RANDOM.sub("~", one.message().as_string()) for one in mail.outbox],
                        [
                            RANDOM.sub("~", record.getMessage())
                            for record in caplog.records
                            if not record.name.startswith(("markdown_it", "celery.utils"))  # said once a process
                        ],
                    )
                )  # fmt: skip
                raise Undone
        except Undone:
            small_company.index()
        return weeks[0]

    return live


def _days(
    here: SimpleNamespace, clients: dict[str, Client], clock: Clock, author: str, anonymous: bool, late: timedelta
) -> None:
    """Ask, be answered, look, thank, accept; jobs come by. The author is ``late`` by so much, nobody else is."""

    def hour(hours: int, who: str = "") -> None:
        clock.hours, clock.late = hours, late if who == author else timedelta()

    def post(role: str, address: str, **said: Any) -> None:
        answer = clients[role].post(address, said)
        assert answer.status_code == 302, answer.content.decode()[-3000:]

    hour(0, author)
    clients[author].get("/asks/new?q=pump")
    clients[author].post("/asks/alike", {"text": PUMPS})
    post(
        author, "/asks/new", text=PUMPS, wish="show", audience="everyone", to=str(here.ben.public_id), topic="Pumps",
        details="It hisses.", **({"anonymous": "on"} if anonymous else {}),
    )  # fmt: skip
    clients[author].get(f"/asks/{ASK}/")
    hour(3)
    turns.pass_on()
    post("cleo", f"/asks/{ASK}/join")
    hour(4)
    post("ben", f"/asks/{ASK}/answer", body="Open the vent.")
    Answer.objects.update(public_id=ANSWER)
    Notice.objects.filter(kind="answered").update(subject=ANSWER)
    hour(6, author)
    for address in (f"/asks/{ASK}/", "/asks/", "/notices/", "/"):
        clients[author].get(address)
    post(author, f"/answers/{ANSWER}/thank", said="That was it.")
    post(author, f"/answers/{ANSWER}/accept")
    hour(22)
    later.carry_out()
    hour(23, author)
    clients[author].get(f"/asks/{ASK}/")
    hour(26)
    still_right.ask_again()
    gaps.gather()
    digests.send()
    hour(27)


def test_whoever_asked_looks_the_same_to_everybody_else(here: SimpleNamespace, lived: Callable[..., Week]) -> None:
    ana, finn = lived("ana"), lived("finn", late=60)
    assert ana.differs(finn) == []
    assert PUMPS in ana.pages["cleo /asks/<uuid:public_id>/ ask"]
    assert PUMPS in ana.rows["experts.Ask"]
    assert PUMPS in ana.rows["knowledge.Resource"]
    assert len(ana.pages) > 30
    assert any("Ana" in said for page, said in ana.pages.items() if page.startswith("service /scim/v2/Users"))
    assert sum("To: cleo@example.org" in one for one in ana.mails) == 1
    assert sum("To: ben@example.org" in one for one in ana.mails) == 1
    assert len(ana.mails) == 2, "and none to whoever asked"


@pytest.mark.slow
def test_whoever_asked_looks_the_same_to_every_account(here: SimpleNamespace, lived: Callable[..., Week]) -> None:
    ana, finn = lived("ana", thorough=True), lived("finn", thorough=True, late=60)
    assert ana.differs(finn) == []
    assert len(ana.pages) > 700


@pytest.mark.slow
def test_the_comparison_can_fail(here: SimpleNamespace, lived: Callable[..., Week]) -> None:
    ana, finn = lived("ana", anonymous=False), lived("finn", anonymous=False)
    assert "rows experts.Ask" in ana.differs(finn)
    assert "rows experts.Notice" in ana.differs(finn)
    assert "page cleo /asks/<uuid:public_id>/ ask" in ana.differs(finn)
    assert "mail" in ana.differs(finn)
    later_on = ana.differs(lived("ana", anonymous=False, late=60))
    assert {"rows experts.Ask", "rows experts.Thanks", "rows experts.Notice"} <= set(later_on)


def test_opening_a_seal_tells_its_opener_alone(here: SimpleNamespace) -> None:
    made = asking.ask(viewer=see(here.ana), text=PUMPS, anonymous=True)
    Ask.objects.update(published_at=timezone.now())
    before = stored()
    moderation.open_seal(ask=made.public_id, person=here.moderator, reason="A threat against somebody.")
    after = stored()
    assert {name for name, rows in after.items() if rows != before[name]} == {"experts.SealOpened"}
    assert Source.objects.exists()
    assert "ana" not in after["experts.SealOpened"].lower()
