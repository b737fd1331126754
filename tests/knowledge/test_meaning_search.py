"""Searching by meaning: beside words, inside rights and filters, shown as a passage, and missed gracefully."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from knowledge import indexing
from knowledge.access import Viewer
from knowledge.documents import EVERYONE, ResultPage
from knowledge.meaning import ModelProblem, embedding, looking, store
from knowledge.meaning.embedding import embed
from knowledge.models import Audience, Resource, Source
from knowledge.search import search
from tests.knowledge.conftest import sync
from tests.meaning import MODEL, Letters, needs_model

ANYBODY = Viewer(None, frozenset({EVERYONE}))
LEAVE = """# Time away

Everyone accrues twenty-five days of paid holiday per calendar year. Ask the person who leads your team.

# Parking

The garage opens at seven. A barrier reads your number plate, and visitors ring the bell at the gate."""


@pytest.fixture
def pages(source: Source, write: Callable[..., Path]) -> Source:
    write("away.md", "Absence", LEAVE, topics="[people]")
    write("vacation.md", "Vacation slides", "Slides of the summer party, and who was there.", audience="[finance]")
    write("printer.md", "Printer", "The printer on the second floor jams. Open the tray and pull gently.")
    sync(source)
    indexing.index_changes()
    return source


def titles(page: ResultPage) -> list[str]:
    return [result.resource.title for result in page.results]


@needs_model
class TestWithTheInstalledModel:
    @pytest.fixture(autouse=True)
    def embedded(self, pages: Source) -> None:
        assert embed() == 4

    def test_what_is_said_in_other_words_is_found_and_shown(self) -> None:
        page = search("vacation allowance for employees", ANYBODY)
        assert titles(page)[0] == "Absence"
        best = page.results[0]
        assert best.passages[0].by_meaning
        assert "paid holiday" in best.passage
        assert "<mark>" not in best.passage
        assert dict(best.reasons).keys() == {"meaning"}
        assert sum(part for _, part in best.reasons) == pytest.approx(best.score)

    def test_it_is_counted_and_filtered_as_all_matches_are(self) -> None:
        page = search("vacation allowance for employees", ANYBODY)
        assert page.total == len(page.results) == sum(facet.count for facet in page.facets["kind"])
        assert page.total == sum(facet.count for facet in page.facets["source"])
        assert titles(search("vacation allowance kind:page topic:people", ANYBODY)) == ["Absence"]
        for narrowed in ("kind:tool", "topic:tea", '"summer party"', "title:printer", "-holiday", "by:nobody"):
            assert "Absence" not in titles(search(f"vacation allowance for employees {narrowed}", ANYBODY)), narrowed

    def test_words_still_count(self) -> None:
        page = search("printer", ANYBODY)
        assert titles(page)[0] == "Printer"
        assert {"title", "meaning"} <= dict(page.results[0].reasons).keys()
        assert not page.results[0].passages[0].by_meaning

    @pytest.mark.parametrize("text", ["xyzzy qwertz", "ERR_42", "zzzz", "🎉", "quantum chromodynamics"])
    def test_what_has_nothing_to_do_with_a_query_is_not_found(self, text: str) -> None:
        assert search(text, ANYBODY).total == 0

    def test_the_same_with_meaning_switched_off_is_words_alone(self, settings: LazySettings) -> None:
        settings.MEANING = False
        assert search("vacation allowance for employees", ANYBODY).total == 0
        page = search("printer", ANYBODY)
        assert "meaning" not in dict(page.results[0].reasons)

    def test_on_the_other_engine_too(self, settings: LazySettings) -> None:
        settings.SEARCH_ENGINE = "whoosh"
        indexing.rebuild()
        assert titles(search("vacation allowance for employees", ANYBODY))[0] == "Absence"

    def test_a_damaged_model_is_told_once_and_search_goes_on(
        self, settings: LazySettings, tmp_path: Path, caplog: Any
    ) -> None:
        shutil.copytree(MODEL, tmp_path / "model")
        (tmp_path / "model" / "model.onnx").write_bytes(b"cut off")
        settings.MODEL_DIR = tmp_path / "model"
        for _ in range(3):
            assert titles(search("printer", ANYBODY)) == ["Printer"]
        said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(said) == 1
        assert "damaged" in said[0]
        assert "printer" not in said[0]
        assert "problem" in embedding.status()


# Rights -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Letters:
    encoder = Letters()
    monkeypatch.setattr(looking, "chosen", lambda: encoder)
    return encoder


def view(text: str, viewer: Viewer = ANYBODY) -> Any:
    page = search(text, viewer)
    results = [(r.resource.public_id, r.title, r.passages, r.score, r.reasons, str(r.why)) for r in page.results]
    return results, page.total, page.pages, page.facets, page.notice, page.did_you_mean


def test_hidden_documents_change_nothing(pages: Source, write: Callable[..., Path], letters: Letters) -> None:
    """Sixty hidden documents that mean just what is asked for leave each answer as it is, byte for byte."""
    queries = ["kettle kitchen", "printer jams", "netik elttek", "gnitnirp", "aaab holiday kind:page", "zzz"]
    embed(encoder=letters)
    before = [view(text) for text in queries]
    assert any("meaning" in dict(reasons) for results, *_ in before for *_, reasons, _ in results)
    for number in range(60):
        text = queries[number % len(queries)]
        write(f"hidden/{number}.md", f"{text} {number}", f"{text} " * 5, audience="[finance]")
    sync(pages)
    indexing.index_changes()
    embed(encoder=letters)
    assert embedding.status()["waiting"] == 0
    assert [view(text) for text in queries] == before
    finance = Viewer(None, frozenset({EVERYONE, f"source:{pages.pk}:group:finance"}))
    assert view("netik elttek", finance) != before[2]


def test_a_withdrawn_right_is_gone_in_the_next_search(pages: Source, letters: Letters) -> None:
    """No worker has run since: neither index nor vectors know of it yet."""
    embed(encoder=letters)
    anagram = "retnirp eht"
    assert "Printer" in titles(search(anagram, ANYBODY))
    row = Resource.objects.get(title="Printer")
    row.audience = Audience.objects.of(["team:7"])
    row.save()
    assert "Printer" not in titles(search(anagram, ANYBODY))
    indexing.index_changes()
    assert "Printer" not in titles(search(anagram, ANYBODY))
    assert "Printer" in titles(search(anagram, Viewer(None, frozenset({EVERYONE, "team:7"}))))


def test_so_is_a_source_that_is_closed_and_a_document_that_is_gone(
    pages: Source, letters: Letters, folder: Path
) -> None:
    embed(encoder=letters)
    (folder / "printer.md").unlink()
    sync(pages)
    assert "Printer" not in titles(search("retnirp eht", ANYBODY))
    Source.objects.update(audience=Audience.objects.of(["team:7"]))
    assert search("retnirp eht", ANYBODY).total == 0


# Missed gracefully ------------------------------------------------------------------------------------------------


def test_before_anything_is_embedded_search_is_by_words(pages: Source, letters: Letters) -> None:
    page = search("printer", ANYBODY)
    assert titles(page) == ["Printer"]
    assert "meaning" not in dict(page.results[0].reasons)


def test_what_is_not_embedded_yet_keeps_its_place(pages: Source, write: Callable[..., Path], letters: Letters) -> None:
    embed(encoder=letters)
    write("manual.md", "Printer manual", "How to mend the printer when the printer jams.")
    sync(pages)
    indexing.index_changes()
    assert titles(search("printer manual", ANYBODY))[0] == "Printer manual"


def test_vectors_of_another_model_are_not_asked(pages: Source, letters: Letters) -> None:
    embed(encoder=Letters("another"))
    assert "meaning" not in dict(search("printer", ANYBODY).results[0].reasons)


def test_a_model_that_fails_is_left_alone_for_a_while(
    pages: Source, letters: Letters, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    embed(encoder=letters)
    asked = 0

    def failing(*_: Any, **__: Any) -> Any:
        nonlocal asked
        asked += 1
        raise ModelProblem("the service is away")

    monkeypatch.setattr(letters, "encode", failing)
    for _ in range(5):
        assert titles(search("printer", ANYBODY)) == ["Printer"]
    assert asked == 1
    monkeypatch.setattr(looking, "REST", 0)
    looking._resting.clear()
    for _ in range(2):
        search("printer", ANYBODY)
    assert asked == 3


def test_a_query_s_vector_of_another_size_finds_nothing(pages: Source, letters: Letters) -> None:
    embed(encoder=letters)
    letters.size = 48
    assert titles(search("printer", ANYBODY)) == ["Printer"]


def test_the_vectors_may_be_deleted_at_any_moment(pages: Source, letters: Letters) -> None:
    embed(encoder=letters)
    shutil.rmtree(store.root())
    assert titles(search("printer", ANYBODY)) == ["Printer"]
    assert embed(encoder=letters) == 4
    assert "meaning" in dict(search("printer", ANYBODY).results[0].reasons)
