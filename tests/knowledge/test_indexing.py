"""The index is kept true to the database, whatever happens to either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from experts.models import Team
from knowledge import index, indexing
from knowledge.access import Viewer
from knowledge.documents import Query, Scope
from knowledge.index import generations, schema
from knowledge.models import Audience, Indexed, IndexStamp, Resource, Source
from tests.knowledge.conftest import sync

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["tantivy", "whoosh", pytest.param("opensearch", marks=pytest.mark.opensearch)], autouse=True)
def engine(request: pytest.FixtureRequest, settings: LazySettings) -> str:
    if request.param == "opensearch":
        request.getfixturevalue("on_opensearch")
    settings.SEARCH_ENGINE = request.param
    return str(request.param)


def found(word: str, viewer: Viewer) -> set[str]:
    """Keys of what the index finds inside this viewer's scope now."""
    matches = index.open_for_reading().search(Query(text=word, words=(word,)), viewer.scope())
    keys = {candidate.key for candidate in matches.candidates}
    assert matches.total == len(keys)
    return set(Resource.objects.filter(public_id__in=keys).values_list("key", flat=True))


@pytest.fixture
def ana(make_person: Any) -> Viewer:
    return Viewer.of(make_person("ana"))


def test_what_is_stored_is_found_and_the_second_time_nothing_is_written(source: Source, ana: Viewer) -> None:
    sync(source)
    assert indexing.index_changes() == 1
    assert found("kettle", ana) == {"first.md"}
    assert indexing.index_changes() == 0
    assert indexing.status()["waiting"] == 0


def test_changes_and_tombstones_reach_the_index(source: Source, ana: Viewer, write: Callable[..., Path]) -> None:
    second = write("second.md", "Second page", "A teapot.")
    sync(source)
    indexing.index_changes()
    write("first.md", "First page", "Only cups.")
    second.unlink()
    sync(source)
    assert found("teapot", ana) == set(), "a vanished page is gone before the index knows"
    assert indexing.index_changes() == 2
    assert found("kettle", ana) == found("teapot", ana) == set()
    assert found("cup", ana) == {"first.md"}
    assert index.open_for_reading().count() == 1


def test_a_withdrawn_right_is_gone_in_the_next_request_with_all_workers_stopped(
    source: Source, ana: Viewer, make_person: Any
) -> None:
    sync(source)
    indexing.index_changes()
    team = Team.objects.create(name="Tea", slug="tea")
    Resource.objects.update(audience=Audience.objects.of([f"team:{team.pk}"]))
    assert found("kettle", ana) == set()
    insider = Viewer.of(make_person("insider", teams=(team,)))
    assert found("kettle", insider) == set(), "left out rather than shown under the wrong rule"
    indexing.index_changes()
    assert found("kettle", ana) == set()
    assert found("kettle", insider) == {"first.md"}


def test_a_closed_source_is_gone_at_once_and_moves_no_statistics_later(source: Source, ana: Viewer) -> None:
    sync(source)
    indexing.index_changes()
    source.audience = Audience.objects.of(["team:99"])
    source.save()
    assert found("kettle", ana) == set()
    indexing.index_changes()
    assert index.open_for_reading().statistics(["kettl"]).documents == 0


def test_a_crash_between_writing_and_recording_leaves_rows_out(
    source: Source, ana: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(source)
    indexing.index_changes()
    public = Resource.objects.get().audience
    secret = Audience.objects.of(["team:99"])
    Resource.objects.update(audience=secret)
    real = generations.write_stamp

    class Killed(BaseException):
        """Stands for kill -9 right after the engine's commit."""

    def killed(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(generations, "write_stamp", killed)
    with pytest.raises(Killed):
        indexing.index_changes()
    monkeypatch.setattr(generations, "write_stamp", real)
    Resource.objects.update(audience=public)  # the database goes back: the index holds the other audience now
    assert Resource.objects.behind().exists()
    indexing.index_changes()
    assert found("kettle", ana) == {"first.md"}
    assert not Resource.objects.behind().exists()


def settled() -> bool:
    """Whether the next look at what is due is a short one, in which no row is met."""
    noted = IndexStamp.objects.filter(settled=True).values_list("pk", flat=True)
    return list(noted) == [generations.current()] and not Resource.objects.unsettled().exists()


def test_rows_that_the_index_holds_are_not_looked_at_again(source: Source, write: Callable[..., Path]) -> None:
    second = write("second.md", "Second page", "A teapot.")
    sync(source)
    indexing.index_changes()
    assert settled()
    write("first.md", "First page", "A samovar.")
    second.unlink()
    sync(source)
    assert Resource.objects.unsettled().count() == indexing.status()["waiting"] == 2
    indexing.index_changes()
    assert settled()
    Resource.objects.update(index_hash="by hand")
    assert Resource.objects.unsettled().count() == 2
    assert indexing.status()["waiting"] == 1, "one is alive"
    if connection.vendor == "sqlite":  # PostgreSQL reads a table as small as this one from end to end
        assert "resource_unsettled" in indexing.pending(str(generations.current())).explain()


def test_a_row_that_was_written_and_goes_back_before_that_is_recorded_is_due(
    source: Source, ana: Viewer, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(source)
    indexing.index_changes()
    before = dict(Resource.objects.values("index_hash", "body", "fingerprint", "version").get())
    write("first.md", "First page", "A samovar.")
    sync(source)

    class Killed(BaseException):
        """Stands for kill -9 right after the engine's commit."""

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(generations, "write_stamp", killed)
        with pytest.raises(Killed):
            indexing.index_changes()
    Resource.objects.update(**before)
    assert indexing.status()["waiting"] == 1
    indexing.index_changes()
    assert found("kettle", ana) == {"first.md"}
    assert found("samovar", ana) == set()


def test_what_one_generation_holds_is_never_taken_for_what_another_does(
    source: Source, ana: Viewer, write: Callable[..., Path], settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(source)
    indexing.index_changes()
    first, engine = generations.current(), settings.SEARCH_ENGINE
    monkeypatch.setattr(indexing, "_forget_old", lambda: None)  # as if killed before that: the first one stays
    settings.SEARCH_ENGINE = "whoosh" if engine == "tantivy" else "tantivy"
    write("first.md", "First page", "A samovar.")
    sync(source)
    indexing.index_changes()
    assert settled()
    settings.SEARCH_ENGINE = engine
    (Path(settings.INDEX_DIR) / "CURRENT").write_text(str(first))
    assert generations.current() == first
    assert indexing.status()["waiting"] == 1
    indexing.index_changes()
    assert found("samovar", ana) == {"first.md"}
    assert settled()


def test_while_another_generation_is_built_no_row_is_settled(
    source: Source, ana: Viewer, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(source)
    indexing.index_changes()
    generations.begin()
    write("first.md", "First page", "A samovar.")
    sync(source)
    with monkeypatch.context() as patch:
        patch.setattr(generations, "promote", lambda generation: None)  # it is complete, and does not serve yet
        indexing.index_changes()
    assert not settled()
    indexing.index_changes()
    assert settled()
    assert found("samovar", ana) == {"first.md"}


def test_a_deleted_index_is_noticed_and_healed(source: Source, ana: Viewer) -> None:
    sync(source)
    indexing.index_changes()
    assert found("kettle", ana)
    generations.shelf().clear()
    with pytest.raises(index.IndexMissing):
        index.open_for_reading()
    indexing.index_changes()
    assert found("kettle", ana) == {"first.md"}
    assert set(Indexed.objects.values_list("generation", flat=True)) == {generations.current()}


def test_another_engine_and_another_schema_build_another_generation(
    source: Source, ana: Viewer, settings: LazySettings, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(source)
    indexing.index_changes()
    first = generations.current()
    settings.SEARCH_ENGINE = "whoosh" if engine == "tantivy" else "tantivy"
    with pytest.raises(index.IndexMissing):
        index.open_for_reading()
    indexing.index_changes()
    assert generations.current() != first
    assert found("kettle", ana) == {"first.md"}
    second = generations.current()
    monkeypatch.setattr(schema, "LAYOUT", 10_000)
    assert generations.current() is None
    indexing.index_changes()
    assert generations.current() not in (None, first, second)
    assert found("kettle", ana) == {"first.md"}


def kettles(source: Source, write: Callable[..., Path], count: int) -> None:
    """So many pages about kettles in the source, read."""
    for number in range(count):
        write(f"{number}.md", f"Page {number}", "About kettles.")
    sync(source)


def test_a_rebuild_swaps_without_a_gap_and_cleans_up(
    source: Source, ana: Viewer, write: Callable[..., Path], settings: LazySettings, engine: str
) -> None:
    kettles(source, write, 30)
    indexing.index_changes()
    old = generations.current()
    seen: list[int] = []

    def report(written: int) -> None:
        seen.append(len(found("kettle", ana)))

    assert indexing.rebuild(report=report) == 31
    assert seen
    assert set(seen) == {31}
    assert generations.current() != old
    if engine != "opensearch":  # there the old one stays a moment, for requests that began with it
        folders = [path.name for path in Path(settings.INDEX_DIR).iterdir() if path.is_dir()]
        assert folders == [generations.current()]
    assert IndexStamp.objects.count() == 1


def test_a_rebuild_that_was_interrupted_goes_on(
    source: Source, ana: Viewer, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    kettles(source, write, 9)
    indexing.index_changes()
    monkeypatch.setattr(indexing, "BATCH", 4)

    class Killed(BaseException):
        pass

    def killed(written: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        indexing.rebuild(report=killed)
    write("0.md", "Page 0", "About teapots.")
    sync(source)
    assert len(found("kettle", ana)) == 10, "the old one serves meanwhile"
    half = generations.building()
    assert indexing.rebuild() >= 6
    assert generations.current() == half
    assert len(found("kettle", ana)) == 9
    assert found("teapot", ana) == {"0.md"}


def test_what_changes_while_another_is_built_is_found_before_that_serves(
    source: Source, ana: Viewer, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    kettles(source, write, 9)
    indexing.index_changes()
    old = generations.current()
    monkeypatch.setattr(indexing, "BATCH", 2)
    monkeypatch.setattr(indexing, "TURN", 0)
    seen: list[tuple[int, int]] = []

    def report(written: int) -> None:
        if not seen:
            write("0.md", "Page 0", "About samovars.")
            sync(source)
        if generations.current() == old:
            seen.append((len(found("kettle", ana)), len(found("samovar", ana))))

    indexing.rebuild(report=report)
    assert seen[0] == (10, 0)
    assert (9, 1) in seen, "it is found in the one that serves meanwhile"
    assert generations.current() != old
    assert (len(found("kettle", ana)), found("samovar", ana)) == (9, {"0.md"})


def test_a_row_whose_rights_moved_in_the_new_one_alone_is_found_when_that_serves(
    source: Source, ana: Viewer, make_person: Any
) -> None:
    """The old one still held it under its old audience when it went: nobody may stay unsure of it for good."""
    sync(source)
    indexing.index_changes()
    building = generations.begin()
    team = Team.objects.create(name="Tea", slug="tea")
    insider = Viewer.of(make_person("insider", teams=(team,)))
    Resource.objects.update(audience=Audience.objects.of([f"team:{team.pk}"]))
    indexing._heal_hashes()
    with index.writer(building) as engine:
        indexing._write_batch(building, engine, 0)
    generations.promote(building)
    indexing._forget_old()
    assert found("kettle", insider) == set(), "left out while it is unsure"
    indexing.index_changes()
    assert not Resource.objects.behind().exists()
    assert (found("kettle", ana), found("kettle", insider)) == (set(), {"first.md"})


def test_a_batch_of_long_texts_is_a_short_one(
    source: Source, ana: Viewer, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    kettles(source, write, 3)
    monkeypatch.setattr(indexing, "BATCH_CHARACTERS", 1)
    seen: list[int] = []
    assert indexing.rebuild(fresh=False, report=seen.append) == 4
    assert seen == [1, 2, 3, 4]
    assert len(found("kettle", ana)) == 4


def test_a_restored_backup_is_noticed(source: Source, ana: Viewer, write: Callable[..., Path]) -> None:
    sync(source)
    indexing.index_changes()
    backup = {
        "rows": list(Resource.objects.values("pk", "index_hash", "title", "fingerprint", "version")),
        "stamps": list(IndexStamp.objects.values()),
        "indexed": list(Indexed.objects.values()),
    }
    write("first.md", "First page", "A samovar.")
    sync(source)
    indexing.index_changes()
    for row in backup["rows"]:
        Resource.objects.filter(pk=row.pop("pk")).update(body="The kettle is in the kitchen.", **row)
    IndexStamp.objects.all().delete()
    IndexStamp.objects.bulk_create(IndexStamp(**row) for row in backup["stamps"])
    Indexed.objects.all().delete()
    Indexed.objects.bulk_create(Indexed(**row) for row in backup["indexed"])
    old = generations.current()
    indexing.index_changes()
    assert generations.current() != old
    assert found("samovar", ana) == set()
    assert found("kettle", ana) == {"first.md"}


def test_hidden_documents_are_in_no_count(source: Source, ana: Viewer, write: Callable[..., Path]) -> None:
    sync(source)
    indexing.index_changes()
    engine = index.open_for_reading()
    before = engine.search(Query(text="kettle", words=("kettle",)), ana.scope())
    for number in range(40):
        write(f"secret-{number}.md", f"Kettle {number}", "A kettle, a kettle.", audience="[board]", topics="[kettles]")
    sync(source)
    indexing.index_changes()
    after = index.open_for_reading().search(Query(text="kettle", words=("kettle",)), ana.scope())
    assert (before.total, before.facets) == (after.total, after.facets)
    nobody = Scope(frozenset(), frozenset())
    assert index.open_for_reading().search(Query(text="kettle", words=("kettle",)), nobody).total == 0


def test_only_one_process_writes(source: Source) -> None:
    sync(source)
    with index.writing_alone():
        assert indexing.index_changes() == 0
    assert indexing.index_changes() == 1
