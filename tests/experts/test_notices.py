"""Notices and their mail: told with the rights of the moment, never lost, twice only after a crash."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core import mail
from django.core.checks import run_checks
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experts import digests, notices
from experts.asking import actions as asking
from experts.asking.asks import Answer, Ask, Thanks
from experts.choices import Availability
from experts.models import Person, Team
from experts.notices import Digest, Notice
from knowledge.access import Viewer
from knowledge.models import Audience
from tests.experts import asked
from tests.loopback import Letterbox, serving

pytestmark = pytest.mark.django_db


def where_it_is_noon() -> str:
    """A time zone in which it is between twelve and one now: its morning has passed, its day has not begun lately."""
    ahead = 12 - timezone.now().hour
    return f"Etc/GMT{-ahead:+d}"  # these names count westward


@pytest.fixture
def ana(make_person: Callable[..., Any]) -> Any:
    return make_person("ana", name="Ana Lima", email="ana@example.org", time_zone=where_it_is_noon())


@pytest.fixture
def ben(make_person: Callable[..., Any]) -> Any:
    return make_person("ben", name="Ben Okafor")


def answered(ana: Any, ben: Any, text: str = "How do I prime the pump?", audience: str = "everyone") -> Answer:
    """Ana asked and Ben answered; she has a notice of yesterday."""
    ask = Ask.objects.create(author=ana, text=text, audience=Audience.objects.of([audience]))
    answer = Answer.objects.create(ask=ask, author=ben, body="Open the vent.")
    notices.tell([ana.pk], "answered", answer.public_id)
    Notice.objects.update(at=timezone.now() - timedelta(days=1))
    return answer


def test_what_may_not_be_told_any_more_hides_no_news(ana: Any, ben: Any) -> None:
    answered(ana, ben)
    for _ in range(notices.LOOKED_AT + 1):
        notices.tell([ana.pk], "answered", uuid4())
    assert len(told(ana)) == 1
    digests.send()
    assert [mail.outbox[0].subject, len(mail.outbox)] == ["1 thing for you in Immersive", 1]
    assert not Notice.objects.filter(mailed_at=None).exists()


def told(person: Any) -> list[str]:
    return [one.said.text for one in notices.news(Viewer.of(person))]


# What is told ---------------------------------------------------------------------------------------------------------


def test_each_kind_has_its_words(ana: Any, ben: Any) -> None:
    answer = answered(ana, ben)
    assert told(ana) == ["Ben Okafor answered your question “How do I prime the pump?”"]
    ask = answer.ask
    ask.turns.create(person=ben)
    notices.tell([ben.pk], "asked", ask.public_id)
    assert told(ben) == ["Ana Lima asks you: “How do I prime the pump?”"]
    Answer.objects.update(accepted_at=timezone.now())
    notices.tell([ben.pk], "accepted", answer.public_id)
    Thanks.objects.create(person=ben, giver=ana, answer=answer, said="it runs")
    notices.tell([ben.pk], "thanked", answer.public_id)
    assert told(ben)[:2] == [
        "Ana Lima thanked you for your answer to “How do I prime the pump?”: “it runs”",
        "Your answer was accepted: “How do I prime the pump?”",
    ]


def test_whoever_asked_or_thanked_without_a_name_is_somebody_and_who_left_says_so(ana: Any, ben: Any) -> None:
    answer = answered(ana, ben)
    Ask.objects.update(author=None, mark="m" * 64)
    Thanks.objects.create(person=ben, giver=None, answer=answer)
    answer.ask.turns.create(person=ben)
    notices.tell([ben.pk], "asked", answer.ask.public_id)
    notices.tell([ben.pk], "thanked", answer.public_id)
    assert [text.split()[0] for text in told(ben)] == ["Somebody", "Somebody"]
    ana.is_active = ben.is_active = False
    ben.name_removed = True
    assert (ana.known_as, ben.known_as) == ("Ana Lima (former colleague)", "A former colleague")


def test_what_may_not_be_seen_any_more_is_not_told(ana: Any, ben: Any, make_person: Any) -> None:
    answer = answered(ana, ben)
    cleo = make_person("cleo")
    notices.tell([cleo.pk], "answered", answer.public_id)
    assert len(told(cleo)) == 1
    Ask.objects.update(audience=Audience.objects.of([f"person:{ana.pk}"]))
    assert told(cleo) == []
    Answer.objects.update(hidden_at=timezone.now())
    assert told(ana) == []


def test_a_kind_that_nobody_tells_is_passed_over(ana: Any) -> None:
    notices.tell([ana.pk], "unheard of", uuid4())
    assert told(ana) == []


def test_seeing_ends_what_is_new_and_a_second_time_makes_it_new_again(ana: Any, ben: Any) -> None:
    answer = answered(ana, ben)
    viewer = Viewer.of(ana)
    assert notices.see(viewer=viewer, subjects=[uuid4()]) == 0
    assert notices.see(viewer=Viewer.of(ben), subjects=[answer.public_id]) == 0
    assert notices.see(viewer=viewer, subjects=[answer.public_id]) == 1
    assert told(ana) == []
    notices.tell([ana.pk], "answered", answer.public_id)
    assert len(told(ana)) == 1


# The page -------------------------------------------------------------------------------------------------------------


def test_the_page_lists_mine_and_marks_what_it_showed(ana: Any, ben: Any, client: Client) -> None:
    answered(ana, ben)
    client.force_login(ana)
    html = client.get("/notices/").content.decode()
    assert "Ben Okafor answered your question" in html
    assert "By mail: once a day." in html
    until = html.split('name="until" value="')[1].split('"')[0]
    answered(ana, ben, "And then?")
    Notice.objects.order_by("-pk").filter(pk=Notice.objects.order_by("-pk")[0].pk).update(at=timezone.now())
    client.post("/notices/", {"until": until})
    assert len(told(ana)) == 1, "what came after the page was made was not seen"
    client.post("/notices/", {"until": "yesterday"})
    assert told(ana) == []
    assert "Mark all as seen" not in client.get("/notices/").content.decode()


def test_the_page_asks_as_often_for_forty_notices_as_for_four(ana: Any, ben: Any, client: Client) -> None:
    client.force_login(ana)
    counts = []
    for many in (4, 40):
        for n in range(many):
            answered(ana, ben, f"Question {many} {n}")
        client.get("/notices/")
        with CaptureQueriesContext(connection) as asked:
            html = client.get("/notices/").content.decode()
        counts.append(len(asked))
    assert counts == [7, 7], "\n".join(query["sql"][:160] for query in asked)
    assert "Page 1 of 2" in html


def test_pages_say_where_no_mail_is_sent(ana: Any, client: Client, settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    client.force_login(ana)
    assert "No mail is sent here" in client.get("/notices/").content.decode()
    assert digests.send() == 0


# Mail -----------------------------------------------------------------------------------------------------------------


def test_when_mail_is_due() -> None:
    at = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
    daily = "daily"
    yesterday, night = at - timedelta(hours=12), at - timedelta(hours=2)
    assert not digests.is_due(daily, "Europe/London", yesterday, at), "half past seven"
    assert digests.is_due(daily, "Europe/Berlin", yesterday, at), "half past eight"
    assert digests.is_due(daily, "Europe/Berlin", night, at)
    assert not digests.is_due(daily, "Europe/Berlin", at - timedelta(minutes=20), at), "since ten past eight: tomorrow"
    assert not digests.is_due(daily, "America/Lima", yesterday, at)
    assert digests.is_due(daily, "Nowhere/Land", yesterday, at + timedelta(hours=1)), "an unknown clock is UTC"
    assert digests.is_due("at_once", "UTC", at - timedelta(minutes=2), at)
    assert not digests.is_due("at_once", "UTC", at - timedelta(seconds=20), at)
    assert not digests.is_due("never", "Europe/Berlin", yesterday, at)


def test_one_mail_a_day_tells_all_and_only_once(ana: Any, ben: Any, settings: LazySettings) -> None:
    settings.SITE_URL = "https://portal.example.com/"
    first = answered(ana, ben)
    answered(ana, ben, "And the <b>second</b> pump?")
    assert digests.send() == 1
    (letter,) = mail.outbox
    assert isinstance(letter, EmailMultiAlternatives)
    assert letter.to == ["ana@example.org"]
    assert letter.subject == "2 things for you in Immersive"
    assert f"https://portal.example.com/asks/{first.ask.public_id}/#answer-" in letter.body
    html = str(letter.alternatives[0][0])
    assert "&lt;b&gt;second" in html
    assert "<img" not in html
    assert "http://" not in html
    sent = letter.message()
    assert sent["List-Unsubscribe"] == "<https://portal.example.com/people/me/#reach_mail>"
    assert sent["Message-ID"].endswith("@portal.example.com>")
    assert digests.send() == 0
    answered(ana, ben, "A third?")
    assert digests.send() == 0, "today's mail is sent: tomorrow"
    assert len(mail.outbox) == 1


def test_at_once_never_and_nobody(ana: Any, ben: Any, make_person: Any) -> None:
    choice = Availability.objects.create(person=ana, mail="never")
    answered(ana, ben)
    notices.tell([ben.pk], "answered", Answer.objects.get().public_id)
    assert digests.send() == 0, "Ana wants none, Ben has no address"
    choice.mail = "at_once"
    choice.save()
    assert digests.send() == 1
    answered(ana, ben, "And then?")
    assert digests.send() == 1, "the same day"
    assert len(mail.outbox) == 2
    answered(ana, ben, "And now?")
    Person.objects.filter(pk=ana.pk).update(is_active=False)
    assert digests.send() == 0


def test_a_right_withdrawn_after_the_notice_leaves_no_word_in_the_mail(ana: Any, ben: Any, make_person: Any) -> None:
    team = Team.objects.create(name="Pumps", slug="pumps")
    cleo = make_person("cleo", email="cleo@example.org", time_zone=where_it_is_noon(), teams=(team,))
    hidden = answered(ana, ben, "Why is zyxwv closed?", f"team:{team.pk}")
    notices.tell([cleo.pk], "answered", hidden.public_id)
    seen = answered(ana, ben, "What is open?")
    notices.tell([cleo.pk], "answered", seen.public_id)
    Notice.objects.filter(person=ana).delete()
    Notice.objects.update(at=timezone.now() - timedelta(days=1))
    cleo.memberships.update(until=timezone.now())
    assert digests.send() == 1
    (letter,) = mail.outbox
    assert letter.subject.startswith("1 thing for you")
    assert "zyxwv" not in letter.message().as_string()
    assert not Notice.objects.filter(mailed_at=None).exists(), "it is not looked at again tomorrow"
    Answer.objects.filter(pk=seen.pk).update(withdrawn_at=timezone.now())
    notices.tell([cleo.pk], "answered", seen.public_id)
    Digest.objects.all().delete()
    Notice.objects.update(at=timezone.now() - timedelta(days=1))
    digests.send()
    assert len(mail.outbox) == 1, "nothing is left to say: no mail"


def test_a_mail_server_that_is_away_loses_nothing_and_the_operator_is_told(
    ana: Any, ben: Any, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    answered(ana, ben)
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused_port
    assert digests.send() == 0
    row = Digest.objects.get()
    assert row.error.startswith("ConnectionRefusedError")
    assert row.due_at > timezone.now() + timedelta(minutes=4)
    assert Notice.objects.filter(mailed_at=None).count() == 1
    (warning,) = [one for one in run_checks(databases=["default"]) if one.id == "experts.W003"]
    assert "1 mail could not be sent" in warning.msg
    assert "pump" not in warning.msg
    settings.EMAIL_BACKEND = working
    Digest.objects.update(due_at=timezone.now())
    assert digests.send() == 1
    assert len(mail.outbox) == 1
    assert [one for one in run_checks(databases=["default"]) if one.id == "experts.W003"] == []


def test_all_mails_of_a_run_go_over_one_connection(
    ana: Any, ben: Any, make_person: Any, settings: LazySettings
) -> None:
    answer = answered(ana, ben)
    for n in range(4):
        one = make_person(f"p{n}", email=f"p{n}@example.org", time_zone=where_it_is_noon())
        notices.tell([one.pk], "answered", answer.public_id)
    Notice.objects.update(at=timezone.now() - timedelta(days=1))
    box = Letterbox()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = box.server_address
    with serving(box):
        assert digests.send() == 5
        notices.tell([ana.pk], "answered", answer.public_id)
        Digest.objects.filter(person=ana).delete()
        Notice.objects.update(at=timezone.now() - timedelta(days=1))
        assert digests.send() == 1, "another run begins another connection"
    assert (len(box.letters), box.connections) == (6, 2)
    assert all("Subject: 1 thing for you in Immersive" in letter for letter in box.letters)
    assert "To: ana@example.org" in box.letters[-1]


def test_while_the_server_is_away_most_are_not_tried_in_vain(
    ana: Any, ben: Any, make_person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = answered(ana, ben)
    for n in range(6):
        one = make_person(f"p{n}", email=f"p{n}@example.org", time_zone=where_it_is_noon())
        notices.tell([one.pk], "answered", answer.public_id)
    Notice.objects.update(at=timezone.now() - timedelta(days=1))
    with monkeypatch.context() as patch:
        patch.setattr(EmailMultiAlternatives, "send", lambda self: 1 / 0)
        assert digests.send() == 0
        assert Digest.objects.filter(attempts=1).count() == 3
    assert digests.send() == 4, "the next run begins with those that were not tried"


def test_killed_after_sending_it_is_sent_once_more_as_the_same_mail(
    ana: Any, ben: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """What nothing catches, as a kill from outside."""

    def killed(self: Digest, **changes: Any) -> None:
        raise Killed

    answered(ana, ben)
    with monkeypatch.context() as patch:
        patch.setattr(Digest, "finish", killed)
        with pytest.raises(Killed):
            digests.send()
    assert Notice.objects.filter(mailed_at=None).count() == 1, "marking went back with the transaction"
    assert digests.send() == 0, "the lease of the dead worker still runs"
    Digest.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert digests.send() == 1
    assert digests.send() == 0
    first, second = (letter.message()["Message-ID"] for letter in mail.outbox)
    assert first == second


def test_one_address_that_is_refused_holds_up_no_other(
    ana: Any, ben: Any, monkeypatch: pytest.MonkeyPatch, make_person: Any
) -> None:
    answer = answered(ana, ben)
    cleo = make_person("cleo", email="cleo@example.org", time_zone=where_it_is_noon())
    notices.tell([cleo.pk], "answered", answer.public_id)
    Notice.objects.update(at=timezone.now() - timedelta(days=1))
    send = EmailMultiAlternatives.send

    def refuse(self: EmailMultiAlternatives, *args: Any, **more: Any) -> int:
        if self.to == ["ana@example.org"]:
            raise smtplib.SMTPRecipientsRefused({})
        return send(self, *args, **more)

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)
    assert digests.send() == 1
    assert [letter.to for letter in mail.outbox] == [["cleo@example.org"]]


def test_settings_that_would_send_mail_from_nobody_or_to_nowhere_are_told(settings: LazySettings) -> None:
    def said() -> set[str]:
        return {str(one.id) for one in run_checks() if str(one.id).startswith("experts.")}

    assert said() == set()
    settings.EMAIL_URL = "smtp://mail.example.com"
    assert said() == {"experts.W001", "experts.W002"}
    settings.DEFAULT_FROM_EMAIL, settings.SITE_URL = "immersive@example.com", "https://portal.example.com"
    assert said() == set()


@pytest.fixture
def unused_port() -> int:
    """A port of this machine on which nobody listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_mail_and_page_lead_to_where_mail_is_chosen(ana: Any, client: Client) -> None:
    client.force_login(ana)
    assert '/people/me/#reach_mail"' in client.get("/notices/").content.decode()
    assert 'id="reach_mail"' in client.get("/people/me/").content.decode()


def test_no_answer_yet_is_said_while_there_is_none(make_person: Callable[..., Any], hold: Callable[..., Any]) -> None:
    here = asked.company(make_person, hold)
    made = asking.ask(viewer=asked.see(here.ana), text=asked.PUMPS, to=here.finn.public_id)
    notices.tell([here.ana.pk], "quiet", made.public_id)
    assert len(notices.news(asked.see(here.ana))) == 1
    asking.answer(ask=made.public_id, viewer=asked.see(here.finn), body="Open the vent.")
    assert [one.notice.kind for one in notices.news(asked.see(here.ana))] == ["answered"]


def test_notices_and_digests_have_an_end(ana: Any, ben: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now, today = timezone.now(), timezone.now().date()
    for days in (179, 181, 200, 400):
        seen = now if days == 200 else None
        Notice.objects.create(person=ana, kind="x", subject=uuid4(), at=now - timedelta(days=days), seen_at=seen)
    for days in (0, 29, 31, 90):
        Digest.objects.create(person=ana, day=today - timedelta(days=days))
    monkeypatch.setattr(notices, "AT_ONCE", 2)
    monkeypatch.setattr(notices, "BATCHES", 1)
    assert [notices.forget(now) for _ in range(3)] == [4, 1, 0], "bounded, and the next goes on"
    assert Notice.objects.get().at == now - timedelta(days=179)
    assert set(Digest.objects.values_list("day", flat=True)) == {today, today - timedelta(days=29)}


def test_a_morning_of_many_is_several_runs(
    ana: Any, ben: Any, make_person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = answered(ana, ben)
    people = [make_person(f"p{n}", email=f"p{n}@example.org", time_zone=ana.time_zone) for n in range(3)]
    for person in people:
        Answer.objects.get().ask.joined.create(person=person)
    notices.tell([one.pk for one in people], "answered", answer.public_id)
    Notice.objects.update(at=timezone.now() - timedelta(days=1))
    monkeypatch.setattr(digests, "A_RUN", 2)
    assert [digests.send() for _ in range(3)] == [2, 2, 0]
    assert len({to for one in mail.outbox for to in one.to}) == 4


def test_two_do_not_tell_of_one_kind() -> None:
    with pytest.raises(ValueError, match="Two tell"):
        notices.teller("asked")(lambda viewer, subjects: {})


def test_what_cannot_be_told_hides_nothing_older(make_person: Callable[..., Any], hold: Callable[..., Any]) -> None:
    here = asked.company(make_person, hold)
    made = asking.ask(viewer=asked.see(here.ana), text=asked.PUMPS, to=here.finn.public_id)
    asking.answer(ask=made.public_id, viewer=asked.see(here.finn), body="Open the vent.")
    for _ in range(6):
        notices.tell([here.ana.pk], "answered", uuid4())
    assert len(notices.news(asked.see(here.ana))) == 1
