"""Promises 2, 3, 6 and 9 for what is suggested: while one types, and where a word was misspelled."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest

from experts.models import Membership, Person
from knowledge import indexing
from knowledge.access import Viewer
from knowledge.documents import Document
from knowledge.index.analysis import tokens
from knowledge.models import Search
from knowledge.search import search
from knowledge.typeahead import suggest
from tests.flows import canary
from tests.flows.asking import TOKEN, browser
from tests.flows.canary import LISTINGS, Lab

pytestmark = pytest.mark.django_db
LETTERS = str.maketrans("0123456789", "ghijklmnop")


@pytest.fixture(autouse=True)
def in_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens of letters alone: no slip is forgiven in what has a digit."""
    LISTINGS.clear()
    token = canary.token
    monkeypatch.setattr(canary, "token", lambda: token().translate(LETTERS))


@pytest.fixture
def lab(settings: Any) -> Lab:
    return canary.build(settings, people=8, groups=10, documents=90)


def documents() -> list[Document]:
    return [document for listed in LISTINGS.values() for document in listed]


def beginnings(longest: int = 4) -> list[str]:
    """Every beginning of up to four letters of every word in a title or a topic of the lab, hidden ones too."""
    words = {word for one in documents() for name in (one.title, *one.topics) for word in tokens(name)}
    return sorted({word[:length] for word in words for length in range(1, longest + 1)})


def told(texts: Iterable[str], person: Person) -> dict[str, str]:
    """All that is suggested for each text, as one text."""
    viewer = Viewer.of(person)
    return {text: repr(suggest(text, viewer)) for text in texts}


def leaks(lab: Lab, person: Person, texts: Iterable[str]) -> list[str]:
    hidden = lab.hidden_from(person)
    return [f"{text}: {word}" for text, said in told(texts, person).items() for word in TOKEN.findall(said)
            if word in hidden]  # fmt: skip


def misspelled(word: str) -> list[str]:
    """A hidden word with a letter changed, left out, put in, and the first two, which differ in each token, swapped."""
    return [f"{word[:9]}x{word[10:]}", word[:9] + word[10:], f"{word[:9]}x{word[9:]}", word[1] + word[0] + word[2:]]


def test_promise_2_no_hidden_name_at_any_beginning(lab: Lab) -> None:
    texts = beginnings()
    for person in lab.people[:2]:
        assert lab.hidden_from(person)
        assert leaks(lab, person, texts) == []
        assert any(TOKEN.search(said) for said in told(texts[-40:], person).values()), "what one may read is suggested"


@pytest.mark.slow
def test_promise_2_in_full(settings: Any) -> None:
    lab = canary.build(settings, people=40, groups=12, documents=5000)
    texts = beginnings()
    chance = random.Random(2)
    for person in lab.people:
        assert leaks(lab, person, chance.sample(texts, 150)) == []
    assert leaks(lab, lab.people[0], texts) == []


def test_promise_2_no_hidden_word_where_one_was_misspelled(lab: Lab) -> None:
    person = lab.people[0]
    viewer, hidden = Viewer.of(person), sorted(lab.hidden_from(person))
    for word in hidden[:: len(hidden) // 8]:
        never = canary.token()
        for text, other in zip(misspelled(word), misspelled(never), strict=True):
            pages = [
                search(form, viewer, remember=False) for form in (text, f"kettle {text}", other, f"kettle {other}")
            ]
            assert [(page.did_you_mean, page.instead_of) for page in pages] == [("", "")] * 4
            assert pages[0].total == pages[2].total == 0
            assert pages[1].total == pages[3].total
            assert suggest(text, viewer) == suggest(other, viewer) == ()
    mine = next(c for c in lab.canaries if lab.readable(person, c))
    word = next(word for one in documents() if one.key == mine.key for word in TOKEN.findall(one.title))
    for text in misspelled(word):
        assert search(text, viewer, remember=False).did_you_mean == word
        assert word in repr(suggest(text, viewer))


def test_promise_3_hidden_documents_change_no_suggestion(settings: Any) -> None:
    lab = canary.build(settings, people=6, groups=4, documents=80)
    outsider = next(person for person in lab.people if "group0" not in lab.groups_of[person.pk])
    chance = random.Random(3)
    texts = chance.sample(beginnings(), 30) + canary.WORDS[:6]
    slips = [word[:2] + word[3:] for word in canary.WORDS[::4] if len(word) > 4]
    slips += ["pmup", "calibraet", "scurity", "laderr"]
    client = browser(outsider)

    def answers() -> list[bytes]:
        said = [client.get("/search/suggest", {"q": text}).content for text in [*texts, *slips]]
        found = [search(text, Viewer.of(outsider), remember=False) for text in slips]
        return said + [f"{page.did_you_mean} {page.instead_of} {page.total}".encode() for page in found]

    before = answers()
    LISTINGS["source0"] += [
        Document(
            key=f"hidden {n}",
            title=" ".join((*chance.choices(canary.WORDS, k=2), chance.choice(slips), canary.token())),
            body=" ".join(chance.choices([*slips, *canary.WORDS], k=30)),
            kind=chance.choice(["page", "tool", "course"]),
            topics=(chance.choice(slips), chance.choice(canary.WORDS)),
            audience=frozenset({"group0"}),
        )
        for n in range(300)
    ]
    canary.sync(lab.sources["source0"])
    indexing.index_changes()
    assert answers() == before
    assert sum(answer.strip() != b"" for answer in before) > len(before) / 2, "there was something to change"


def test_promise_9_a_right_that_a_person_lost_is_gone_in_the_next_answer(lab: Lab) -> None:
    person, secret = next(
        (p, c) for p in lab.people for c in lab.canaries if c.groups and lab.groups_of[p.pk] and lab.readable(p, c)
    )
    title = next(one.title for one in documents() if one.key == secret.key)
    [word] = TOKEN.findall(title)
    client = browser(person)

    def everything() -> str:
        slip = misspelled(word)[0]
        asked = [("/search/suggest", word[:12]), ("/api/v1/suggest", word[:12]), ("/search", slip)]
        return "".join(client.get(path, {"q": text}).content.decode().replace(slip, "") for path, text in asked)

    assert everything().count(word) >= 3
    Membership.objects.filter(person=person).delete()
    Search.objects.all().delete()
    assert not secret.tokens & set(TOKEN.findall(everything()))


def test_promise_15_nobody_is_suggested_what_another_searched_for(lab: Lab) -> None:
    asked, other = lab.people[:2]
    Person.objects.filter(pk=other.pk).update(is_staff=True, is_superuser=True)
    Search.objects.create(person=asked, text="zebra crossing", total=3)
    for text in ("z", "ze", "zebra", "crossing", "zebra c"):
        assert "zebra crossing" in repr(suggest(text, Viewer.of(asked)))
        assert "zebra crossing" not in repr(suggest(text, Viewer.of(Person.objects.get(pk=other.pk))))
