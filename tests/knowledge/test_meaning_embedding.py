"""Embedding as work: behind the index, resumed after a kill, asked of the model once, true to rights and removals."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from knowledge import indexing
from knowledge.documents import EVERYONE, Entry, Rights, Scope
from knowledge.meaning import ModelProblem, TextRefused, embedding, store
from knowledge.meaning.cutting import MOST, cut
from knowledge.meaning.embedding import WORK, embed
from knowledge.meaning.matrix import pack
from knowledge.meaning.store import Folder
from knowledge.models import Audience, Click, Embedding, Resource, Search, Source, Vector, VectorStamp
from tests.knowledge.conftest import sync
from tests.meaning import Letters

LONG = "\n\n".join(f"Paragraph {number} says something of its own about ships. " * 8 for number in range(9))


def near(encoder: Letters, text: str, *tokens: str) -> list[str]:
    """Titles, the nearest first."""
    found = store.serving()
    assert found is not None
    scope = Scope(frozenset(Source.objects.values_list("pk", flat=True)), frozenset({EVERYONE, *tokens}))
    keys = [one.key for one in found[1].look(encoder.encode([text])[0], scope).best(10, -1)]
    titles = {row.public_id.hex: row.title for row in Resource.objects.all()}
    return [titles[key] for key in keys]


@pytest.fixture
def pages(source: Source, write: Callable[..., Path]) -> Source:
    write("a.md", "Aaa", "aaa aaa aaa")
    write("b.md", "Bbb", "bbb bbb bbb")
    write("long.md", "Long", LONG)
    sync(source)
    indexing.index_changes()
    return source


def test_what_the_index_holds_is_embedded_and_found(pages: Source) -> None:
    encoder = Letters()
    assert embed(encoder=encoder) == 4
    assert near(encoder, "aaaaaaa")[0] == "Aaa"
    assert near(encoder, "bbbb bb")[0] == "Bbb"
    assert embedding.status()["waiting"] == 0
    found = store.serving()
    assert found is not None
    assert len(found[1].passages) == Vector.objects.count() == 3 + len(cut("Long", LONG)) > 5
    encoder.asked.clear()
    assert embed(encoder=encoder) == 0
    assert encoder.asked == []


def test_what_is_not_indexed_yet_waits(source: Source) -> None:
    sync(source)
    assert embed(encoder=Letters()) == 0
    indexing.index_changes()
    assert embed(encoder=Letters()) == 1


def test_equal_passages_are_asked_for_once(pages: Source, write: Callable[..., Path]) -> None:
    encoder = Letters()
    embed(encoder=encoder)
    write("copy.md", "Long", LONG)
    write("long.md", "Long", LONG + "\n\nAnd a word at the end that was not there before.")
    encoder.asked.clear()
    sync(pages)
    indexing.index_changes()
    assert embed(encoder=encoder) == 2
    assert len(encoder.asked) == 1
    assert "And a word at the end" in encoder.asked[0]


def test_most_opened_comes_first(pages: Source, make_person: Callable[..., Any]) -> None:
    search = Search.objects.create(person=make_person("ana"), text="x")
    Click.objects.create(search=search, resource=Resource.objects.get(title="Bbb"))
    encoder = Letters()
    embed(encoder=encoder)
    assert encoder.asked[1].startswith("Bbb")  # the first one told the size


class Stopping(Letters):
    """Stops whoever asks it after a number of texts."""

    def __init__(self, after: int, error: BaseException) -> None:
        super().__init__()
        self.after, self.error = after, error

    def encode(self, texts: Sequence[str], *, seconds: float = 60.0) -> Any:
        if len(self.asked) >= self.after:
            raise self.error
        return super().encode(texts)


def test_interrupted_it_goes_on(pages: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost and nothing asked twice, wherever it was stopped without a chance to say goodbye."""
    monkeypatch.setattr(embedding, "ROWS", 1)
    with pytest.raises(KeyboardInterrupt):
        embed(encoder=Stopping(3, KeyboardInterrupt()))
    done = Embedding.objects.exclude(done_at=None).count()
    assert 0 < done < 4
    encoder = Letters()
    assert embed(encoder=encoder) == 4 - done
    assert near(encoder, "bbbb")[0] == "Bbb"


@pytest.mark.parametrize("place", ["_record", "remove", "write"])
def test_killed_while_it_writes_it_goes_on(pages: Source, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    encoder = Letters()
    owner: Any = embedding._Turn if place == "_record" else Folder
    true = getattr(owner, place)

    def killed(*args: Any) -> None:
        if place == "write":
            true(*args)
        raise SystemExit

    monkeypatch.setattr(owner, place, killed)
    with pytest.raises(SystemExit):
        embed(encoder=encoder)
    monkeypatch.setattr(owner, place, true)
    assert embed(encoder=encoder) == 4
    found = store.serving()
    assert found is not None
    titles = near(encoder, "aaaa")
    assert sorted(titles) == sorted(set(titles)) == ["Aaa", "Bbb", "First page", "Long"]


class Slow(Letters):
    """Takes its time, so that there is a time to be killed in."""

    def encode(self, texts: Sequence[str], *, seconds: float = 60.0) -> Any:
        time.sleep(0.02)
        return super().encode(texts)


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_killed_with_nine_it_goes_on(
    source: Source, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes that embed are killed at any moment: in the end each document stands there once, by its own vector."""
    for number in range(40):
        write(f"{number}.md", f"Page {number}", f"{chr(97 + number % 26)} " * (number + 5))
    sync(source)
    indexing.index_changes()
    monkeypatch.setattr(embedding, "ROWS", 2)
    for round_ in range(4):
        connection.close()
        child = os.fork()
        if not child:
            try:
                embed(encoder=Slow())
            finally:
                os._exit(0)
        enough, deadline = 8 * round_, time.monotonic() + 60
        while WORK.exclude(done_at=None).count() <= enough and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    done = WORK.exclude(done_at=None).count()
    assert 24 < done < 41
    encoder = Letters()
    embed(encoder=encoder)
    assert WORK.exclude(done_at=None).count() == 41
    found = store.serving()
    assert found is not None
    scope = Scope(frozenset({source.pk}), frozenset({EVERYONE}))
    everything = found[1].look(encoder.encode(["x"])[0], scope).best(1000, -1)
    assert len(everything) == len({near.key for near in everything}) == 41
    for row in Resource.objects.all():
        (passage,) = cut(row.title, row.body)
        look = found[1].look(encoder.encode([passage.text])[0], scope)
        assert look.of([row.public_id.hex])[row.public_id.hex] > 0.98


def test_one_text_that_kills_holds_up_no_other(pages: Source, caplog: Any) -> None:
    class Choking(Letters):
        def encode(self, texts: Sequence[str], *, seconds: float = 60.0) -> Any:
            if any(text.startswith("Aaa") for text in texts):
                raise TextRefused("it will not take this")
            return super().encode(texts)

    assert embed(encoder=Choking()) == 3
    for _ in range(3):
        Embedding.objects.filter(done_at=None).update(due_at="2020-01-01T00:00Z")
        embed(encoder=Choking())
    (dead,) = Embedding.objects.dead()
    assert "will not take" in dead.error
    assert embedding.status()["given up"] == 1
    assert near(Letters(), "bbb")[0] == "Bbb"


def test_another_version_of_a_text_that_was_given_up_is_tried(pages: Source, write: Callable[..., Path]) -> None:
    embed(encoder=Letters())
    row = Embedding.objects.get(resource__title="Aaa")
    Embedding.objects.filter(pk=row.pk).update(done_at=None, attempts=3, error="no")
    write("a.md", "Aaa", "aaa and now something else")
    sync(pages)
    indexing.index_changes()
    assert embed(encoder=Letters()) == 1
    assert not Embedding.objects.dead().exists()


def test_a_model_that_is_away_costs_no_attempt(pages: Source) -> None:
    embed(encoder=Stopping(1, ModelProblem("the service is away")))
    assert set(Embedding.objects.values_list("attempts", "lease")) == {(0, None)}
    assert embed(encoder=Letters()) == 4


def test_a_model_of_another_size_writes_nothing(pages: Source, write: Callable[..., Path], caplog: Any) -> None:
    embed(encoder=Letters(size=32))
    write("c.md", "Ccc", "ccc")
    sync(pages)
    indexing.index_changes()
    assert embed(encoder=Letters(size=48)) == 0
    assert "vectors of 48 numbers, and those that are kept have 32" in caplog.text
    assert embed(encoder=Letters(size=32)) == 1


def test_vectors_of_two_models_never_meet(pages: Source) -> None:
    embed(encoder=Letters("one", 32))
    first = store.serving()
    other = Letters("two", 48)
    assert embed(encoder=other) == 4
    second = store.serving()
    assert first is not None
    assert second is not None
    assert (first[0]["model"], second[0]["model"]) == ("one", "two")
    assert set(Vector.objects.values_list("model", flat=True)) == {"two"}
    assert near(other, "bbb")[0] == "Bbb"


@pytest.mark.parametrize("loss", ["folder", "stamp", "rows"])
def test_lost_vectors_are_written_again_without_the_model(pages: Source, loss: str) -> None:
    encoder = Letters()
    embed(encoder=encoder)
    if loss == "folder":
        found = store.serving()
        assert found is not None
        for path in found[1].folder.iterdir():
            path.unlink()
    elif loss == "stamp":
        VectorStamp.objects.all().delete()
    else:
        VectorStamp.objects.update(rows=99, next_rows=99)
    encoder.asked.clear()
    assert embed(encoder=encoder) == 4
    assert encoder.asked == ["size"]
    assert near(encoder, "bbb")[0] == "Bbb"


# Rights and removal -----------------------------------------------------------------------------------------------


def test_rights_follow_the_index(pages: Source) -> None:
    encoder = Letters()
    embed(encoder=encoder)
    row = Resource.objects.get(title="Aaa")
    row.audience = Audience.objects.of(["team:7"])
    row.save()
    indexing.index_changes()
    assert "Aaa" not in near(encoder, "aaa")
    assert near(encoder, "aaa", "team:7")[0] == "Aaa"


def test_rights_follow_although_the_row_was_embedded_while_they_waited(
    pages: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process embeds the row just before the index writer has its turn at the vectors."""
    encoder = Letters()
    row = Resource.objects.get(title="Aaa")
    WORK.create(resource=row)
    with store.writing():
        matrix = store.begin_folder(encoder.fingerprint, encoder.size)
    true = store.writing

    def later(patience: float = 30.0) -> Any:
        monkeypatch.setattr(store, "writing", true)
        (passage,) = cut(row.title, row.body)
        other = Folder(matrix.folder, encoder.size)
        packed = pack(passage.hash, encoder.encode([passage.text])[0])
        with true():
            other.write([Entry(row.public_id.hex, Rights(row.source_id, frozenset({EVERYONE})), [packed])])
        return true(patience)

    row.audience = Audience.objects.of(["team:7"])
    row.save()
    monkeypatch.setattr(store, "writing", later)
    indexing.index_changes()
    assert near(encoder, "aaa") == []
    assert near(encoder, "aaa", "team:7") == ["Aaa"]


def test_a_row_whose_rights_are_moving_is_not_written(pages: Source) -> None:
    row = Resource.objects.get(title="Aaa")
    row.audience = Audience.objects.of(["team:7"])
    row.save()
    encoder = Letters()
    assert embed(encoder=encoder) == 3
    assert "Aaa" not in near(encoder, "aaa", "team:7")
    indexing.index_changes()
    Embedding.objects.update(due_at="2020-01-01T00:00Z")
    assert embed(encoder=encoder) == 1
    assert "Aaa" not in near(encoder, "aaa")
    assert near(encoder, "aaa", "team:7")[0] == "Aaa"


def test_of_what_is_gone_nothing_is_kept(pages: Source, folder: Path) -> None:
    encoder = Letters()
    embed(encoder=encoder)
    (folder / "long.md").unlink()
    sync(pages)
    indexing.index_changes()
    assert "Long" not in near(encoder, "ships")
    assert Embedding.objects.count() == Vector.objects.count() == 3, "also where nobody embeds any more"


def test_the_status_is_told_to_operators(pages: Source, capsys: Any) -> None:
    call_command("index_status")
    assert "meaning" in capsys.readouterr().out


# Cutting ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "",
        "word",
        LONG,
        "word " * 5000,
        "x" * 50_000,
        "東京都の図書館。" * 3000,
        "\n\n# H\n\n- a\n- b\n" * 200,
        "\ud800 " * 10,
    ],
)
def test_passages_cover_a_body_in_order_and_are_short(body: str) -> None:
    passages = cut("Title", body)
    assert passages
    assert len(passages) <= MOST
    last = 0
    for passage in passages:
        assert last <= passage.start <= passage.end
        assert body[last : passage.start].strip() == ""
        assert passage.text.startswith("Title")
        assert len(body[passage.start : passage.end].split()) <= 150
        assert passage.end - passage.start <= 4000
        last = passage.end
    assert len(passages) == MOST or body[last:].strip() == ""
    assert cut("Title", body) == passages
    assert len({passage.hash for passage in passages}) == len({passage.text for passage in passages})


def test_a_body_that_says_nothing_is_its_title() -> None:
    assert [passage.text for passage in cut("Only a title", " \n ")] == ["Only a title"]
    assert cut("", "") == []
