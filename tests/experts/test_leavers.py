"""Who left: what they wrote stays, as a former colleague's, nobody is led to them, and their name can be removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from experts import actions
from experts.evidence import evidence_lines
from experts.finder import find
from experts.models import Person
from knowledge.access import Viewer
from knowledge.documents import Contribution
from knowledge.indexing import index_changes
from knowledge.models import Contribution as Row
from knowledge.models import Resource
from knowledge.search import search
from tests.experts.conftest import page

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(make_person: Callable[..., Any]) -> Any:
    return make_person("reader", name="Some Reader")


@pytest.fixture
def wrote(ana: Any, hold: Any, read_people: Any) -> Any:
    """A page by Ana, by address and by name, everything read and indexed; leave with ``leave()``."""
    hold("book", [
        page("named", "Ana Lima", title="Priming a pump", topics=("Pumps",), body="Water first."),
        page("checked", Contribution("A. L.", "ana@example.org"), title="Bleeding a pump"),
    ], trusts_emails=True)  # fmt: skip
    read_people()
    index()
    return ana


@pytest.fixture
def leave(wrote: Any, committed: Any) -> Callable[[], Person]:
    def left() -> Person:
        with committed():
            actions.deactivate(people=[wrote])
        return Person.objects.get(pk=wrote.pk)

    return left


def index() -> None:
    while index_changes():
        pass


def found(text: str, user: Any) -> list[str]:
    return [hit.resource.title for hit in search(text, Viewer.of(user), remember=False).results]


def read(client: Client, key: str) -> str:
    return client.get(Resource.objects.get(key=key).get_absolute_url()).content.decode()


def test_who_left_stays_the_author_and_nobody_is_led_to_them(
    leave: Any, reader: Any, client: Client, hold: Any, read_people: Any
) -> None:
    client.force_login(reader)
    here = read(client, "named")
    ana = leave()
    assert set(Row.objects.values_list("person", flat=True)) == {ana.pk}
    assert ana.get_absolute_url() in here
    for key in ("named", "checked"):
        html = read(client, key)
        assert "Ana Lima (former colleague)" in html, key
        assert ana.get_absolute_url() not in html
    viewer = Viewer.of(reader)
    assert [one.person for one in find("priming a pump", viewer)] == []
    assert evidence_lines([ana.public_id], viewer) == {}
    assert client.get(ana.get_absolute_url()).status_code == 404
    read_people()
    assert not Resource.objects.alive().filter(kind="person", title="Ana Lima").exists()


def test_who_may_not_know_people_reads_what_the_source_says(
    leave: Any, reader: Any, client: Client, make_person: Any
) -> None:
    from knowledge.models import Audience, Source

    Source.objects.filter(kind="people").update(audience=Audience.objects.of({"team:4711"}))
    leave()
    client.force_login(reader)
    for key, name in (("named", "Ana Lima"), ("checked", "A. L.")):
        html = read(client, key)
        assert name in html
        assert "former colleague" not in html, key


def test_who_comes_back_is_known_by_their_work(leave: Any, reader: Any, client: Client, committed: Any) -> None:
    ana = leave()
    with committed():
        actions.reactivate(person=ana)
    client.force_login(reader)
    assert ana.get_absolute_url() in read(client, "named")
    assert "former colleague" not in read(client, "named")


def remove(ana: Person, committed: Any, reason: str = "Asked for it in writing.") -> list[Resource]:
    with committed():
        return actions.remove_name(person=ana, reason=reason)


def everything(client: Client) -> str:
    """All that is told of the two pages, and every text that the database keeps of them and of the account."""
    pages = read(client, "named") + read(client, "checked")
    rows = [*Row.objects.values_list("name", "email"), *Person.objects.values_list(*TEXTS)]
    return f"{pages} {rows} {list(LogEntry.objects.values_list('object_repr', 'change_message'))}"


TEXTS = ("username", "name", "first_name", "last_name", "email", "role", "about", "location", "name_marks")


def test_a_name_that_is_removed_is_gone_everywhere(
    leave: Any, reader: Any, client: Client, hold: Any, committed: Any, read_people: Any, make_person: Any
) -> None:
    client.force_login(reader)
    assert found('by:"Ana Lima"', reader) == ["Priming a pump"]
    ana = leave()
    assert remove(ana, committed) == []
    index()
    told = everything(client)
    for word in ("Lima", "ana@", "A. L.", "pumps.\\nAnd"):
        assert word not in told, word
    assert "A former colleague" in read(client, "named")
    assert "A former colleague" in read(client, "checked")
    assert found('by:"Ana Lima"', reader) == []
    assert found("by:lima", reader) == []
    assert found("priming", reader) == ["Priming a pump"], "what they wrote stays"
    assert Row.objects.filter(person=ana).count() == 2
    hold("book", [
        page("named", "Ana Lima", title="Priming a pump again", body="Water first, then air."),
        page("checked", Contribution("A. L.", "ANA@example.org"), title="Bleeding a pump again"),
        page("new", Contribution("Ana Lima"), title="Another one"),
    ], trusts_emails=True)  # fmt: skip
    index()
    assert "Lima" not in everything(client), "a source that tells the name again is not heard"
    assert found("by:lima", reader) == []
    assert Row.objects.filter(person=ana).count() == 3
    with committed():
        namesake = make_person("another", name="Ana Lima", email="ana@example.org")
        actions.people_changed()
    assert not Row.objects.filter(person=namesake).exists(), "a namesake inherits nothing"
    assert Row.objects.filter(person=ana).count() == 3


def test_a_source_whose_own_text_holds_the_name_is_told_to_the_operator(
    leave: Any, hold: Any, committed: Any, client: Client, make_person: Any
) -> None:
    hold("minutes", [page("m", title="Meeting", body="Present: Ana Lima and others.")])
    ana = leave()
    client.force_login(make_person("operator", is_staff=True, is_superuser=True))
    where = reverse("admin:experts_person_changelist")
    chosen = {"action": "remove_names", "_selected_action": [ana.pk], "index": 0}
    html = client.post(where, chosen, follow=True).content.decode()
    assert "Write down why" in html
    with committed():
        html = client.post(where, chosen | {"reason": "Asked in writing"}, follow=True).content.decode()
    assert "minutes: Meeting" in html
    [entry] = LogEntry.objects.all()
    assert (entry.object_repr, "Asked in writing" in entry.change_message) == ("A former colleague", True)
    html = client.post(where, chosen | {"reason": "Again"}, follow=True).content.decode()
    assert "removed before" in html
    html = client.post(where, chosen | {"action": "reactivate_chosen"}, follow=True).content.decode()
    assert "make a new account" in html
    assert not Person.objects.get(pk=ana.pk).is_active


def test_a_name_in_capitals_is_told_too(make_person: Any, hold: Any) -> None:
    hold("minutes", [page("m", title="Present: ZOË ÖTVÖS"), page("n", title="Present: zoë ötvös")])
    zoe = make_person("zoe", name="Zoë Ötvös", is_active=False)
    assert len(actions.remove_name(person=zoe, reason="Asked in writing")) == 2


def test_an_operator_is_told_only_of_texts_that_they_may_read(
    leave: Any, hold: Any, committed: Any, client: Client, make_person: Any
) -> None:
    """Whoever may change names could else search every document here for any words, by calling somebody so."""
    hold("minutes", [page("m", title="Meeting", body="Present: Ana Lima and others.")])
    ana = leave()
    hold("board", [page("b", title="Takeover", body="Ana Lima agrees.")], [f"person:{ana.pk}"])
    client.force_login(make_person("operator", is_staff=True, is_superuser=True))
    chosen = {"action": "remove_names", "_selected_action": [ana.pk], "index": 0, "reason": "Asked in writing"}
    html = client.post(reverse("admin:experts_person_changelist"), chosen, follow=True).content.decode()
    assert "minutes: Meeting" in html
    assert "Takeover" not in html
    assert "board" not in html


def test_no_file_and_no_service_writes_a_name_back(leave: Any, committed: Any) -> None:
    from experts.directory.plan import import_people
    from experts.directory.provisioning import people, save_person

    ana = leave()
    Person.objects.filter(pk=ana.pk).update(external_id="E1")
    ana.refresh_from_db()
    remove(ana, committed)
    with committed():
        import_people(b"username,name,external id\nana,Ana Lima,E1\n")
        save_person(said={"username": "ana2", "external_id": "E2", "name": "Ana Lima"})
    assert not people().filter(pk=ana.pk).exists()
    ana = Person.objects.get(pk=ana.pk)
    assert (ana.name, ana.email, ana.is_active, str(ana)) == ("", "", False, "A former colleague")


def test_only_who_left_loses_their_name(wrote: Any) -> None:
    with pytest.raises(ValidationError, match="deactivate the account first"):
        actions.remove_name(person=wrote, reason="A reason")
    wrote.refresh_from_db()
    assert wrote.name == "Ana Lima"
