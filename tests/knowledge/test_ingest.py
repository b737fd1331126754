"""A source into the database: counted, idempotent, resumable, and honest about what vanished."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db.models.signals import pre_delete
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from experts.models import Team
from knowledge import actions, durable, ingest, signals
from knowledge.access import Viewer
from knowledge.connectors import SourceError
from knowledge.documents import Document
from knowledge.models import Contribution, Resource, Search, Source, SyncRun, Topic
from tests.knowledge.conftest import sync

pytestmark = pytest.mark.django_db


def counts(run: SyncRun) -> dict[str, int]:
    return {name: getattr(run, name) for name in ("seen", "added", "changed", "gone", "failed")}


def test_a_sync_is_counted_and_the_same_again_changes_nothing(source: Source, write: Callable[..., Path]) -> None:
    write("second.md", "Second page")
    assert counts(sync(source)) == {"seen": 2, "added": 2, "changed": 0, "gone": 0, "failed": 0}
    before = list(Resource.objects.order_by("pk").values())
    assert counts(sync(source)) == {"seen": 2, "added": 0, "changed": 0, "gone": 0, "failed": 0}
    after = list(Resource.objects.order_by("pk").values())
    for row in (*before, *after):
        row.pop("seen_in")
    assert before == after


def test_a_page_is_stored_whole(source: Source) -> None:
    sync(source)
    page = Resource.objects.get(key="first.md")
    assert (page.title, page.kind) == ("First page", "page")
    assert "The kettle is in the kitchen." in page.body
    assert [topic.name for topic in page.topics.all()] == ["tea"]
    assert [(part.name, part.email) for part in page.contributions.all()] == [("Ana Lima", "ana@x.example")]


def test_a_change_keeps_the_row_and_its_address(source: Source, write: Callable[..., Path]) -> None:
    sync(source)
    before = Resource.objects.get(key="first.md")
    write("first.md", "First page, again", "The kettle moved.", topics="[Tea, kitchen]")
    assert counts(sync(source))["changed"] == 1
    page = Resource.objects.get(key="first.md")
    assert (page.pk, page.public_id) == (before.pk, before.public_id)
    assert page.index_hash != before.index_hash
    assert {topic.slug for topic in page.topics.all()} == {"tea", "kitchen"}
    assert [topic.name for topic in page.topics.all()] == ["Tea", "kitchen"]
    assert not Contribution.objects.filter(resource=page).exists()


def test_a_page_keeps_its_own_spelling_of_a_topic(source: Source, write: Callable[..., Path]) -> None:
    """Marks and case of other pages' topics show nowhere else; what is compared is the same."""
    write("0.md", "Other", topics="['Zeus: Layoffs (2027)!', 'C#', TEA]")
    write("1.md", "Own", topics="[zeus  layoffs 2027, C++, C, ZEUS-layoffs-2027, '!!!']")
    sync(source)
    names = {
        key: list(Resource.objects.get(key=key).topics.values_list("name", flat=True))
        for key in ("0.md", "1.md", "first.md")
    }
    assert names == {
        "0.md": ["C#", "TEA", "Zeus: Layoffs (2027)!"],
        "1.md": ["C", "C++", "zeus layoffs 2027"],
        "first.md": ["tea"],
    }
    assert sorted(Topic.objects.values_list("slug", flat=True)) == [
        "c", "c#", "c++", "tea", "tea", "zeus-layoffs-2027", "zeus-layoffs-2027",
    ]  # fmt: skip


def test_what_vanished_is_erased_and_nobodys_at_once(
    source: Source, write: Callable[..., Path], make_person: Any
) -> None:
    page = write("second.md", "Second page", "Secret recipe", topics="[food]", authors="[Ana]")
    sync(source)
    page.unlink()
    told: list[Any] = []
    receiver = lambda resources, **_: told.extend(resources.values_list("title", flat=True))  # noqa: E731
    signals.withdrawn.connect(receiver)
    assert counts(sync(source))["gone"] == 1
    assert told == ["Second page"]
    row = Resource.objects.get(key="second.md")
    assert row.gone_at is not None
    assert (row.title, row.body, row.url, row.facts, row.audience.tokens) == ("", "", "", {}, [])
    assert not row.topics.exists()
    assert not row.contributions.exists()
    assert row not in Resource.objects.visible_to(Viewer.of(make_person("ana")))


def test_what_comes_back_has_its_old_address(source: Source, write: Callable[..., Path]) -> None:
    sync(source)
    first = Resource.objects.get(key="first.md")
    (path := Path(source.address) / "first.md").unlink()
    write("other.md", "Other")
    sync(source)
    path.write_text("# Back again\n")
    assert counts(sync(source))["added"] == 1
    assert Resource.objects.get(key="first.md").public_id == first.public_id


def test_a_source_that_fails_keeps_everything_and_says_the_cure(source: Source) -> None:
    sync(source)
    Path(source.address).rename(Path(source.address).with_name("moved"))
    run = sync(source)
    assert run.done_at is not None
    assert run.error
    assert run.gone == 0
    assert Resource.objects.alive().count() == 1


def test_one_broken_page_is_recorded_and_passed_over(source: Source, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 this is no PDF")
    run = sync(source)
    assert counts(run) == {"seen": 2, "added": 1, "changed": 0, "gone": 0, "failed": 1}
    assert run.failures[0][0] == "broken.pdf"
    assert run.failures[0][1]


def test_a_page_that_breaks_later_is_kept(source: Source, folder: Path, write: Callable[..., Path]) -> None:
    sync(source)
    (folder / "first.md").unlink()
    (folder / "first.md").mkdir()
    (folder / "first.md").rmdir()
    (folder / "second.md").write_text("# Second")
    sync(source)
    (folder / "second.md").unlink()
    (folder / "second.md").symlink_to("/nowhere-at-all")
    run = sync(source)
    assert run.failed == 1 or run.gone == 1, "a dangling link is either told or gone, never both"
    assert run.failed + run.gone == 1


def test_a_killed_sync_goes_on_where_it_was(source: Source, write: Callable[..., Path]) -> None:
    for number in range(25):
        write(f"{number:02}.md", f"Page {number}")
    calls: list[int] = []

    class Killed(BaseException):
        """Stands for kill -9: nothing of the worker runs after it."""

    def report(run: SyncRun) -> None:
        calls.append(run.seen)
        if len(calls) == 2:
            raise Killed

    with pytest.raises(Killed):
        sync(source, report=report, batch=10)
    assert Resource.objects.count() == 20
    run = SyncRun.objects.get(done_at=None)
    assert SyncRun.objects.claim(run.pk) is None, "its lease still holds"
    SyncRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    run = sync(source)
    assert counts(run) == {"seen": 26, "added": 26, "changed": 0, "gone": 0, "failed": 0}


def test_who_lost_the_lease_stops_writing(source: Source, write: Callable[..., Path]) -> None:
    for number in range(25):
        write(f"{number:02}.md", f"Page {number}")

    def report(run: SyncRun) -> None:
        SyncRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert SyncRun.objects.claim(run.pk) is not None

    run = sync(source, report=report, batch=10)
    assert run.done_at is None
    assert Resource.objects.count() == 10


def test_audiences_of_documents_are_scoped_to_their_source(source: Source, write: Callable[..., Path]) -> None:
    write("pay.md", "Pay", audience="[finance, 'team:1', everyone-else]")
    sync(source)
    tokens = Resource.objects.get(key="pay.md").audience.tokens
    assert tokens == sorted(f"source:{source.pk}:group:{name}" for name in ("finance", "team:1", "everyone-else"))


def test_narrowing_is_told_to_the_floors_above(source: Source, write: Callable[..., Path]) -> None:
    sync(source)
    told: list[Any] = []
    receiver = lambda resources, **_: told.extend(resources.values_list("key", flat=True))  # noqa: E731
    signals.withdrawn.connect(receiver)
    write("first.md", "First page", audience="[finance]")
    sync(source)
    assert told == ["first.md"]


def test_removing_a_source_leaves_nothing_of_it(source: Source) -> None:
    sync(source)
    actions.remove_source(source=source)
    assert not Resource.objects.alive().exists()
    assert not Resource.objects.exclude(body="").exists()


@pytest.mark.parametrize(
    ("kind", "address", "cure"),
    [("folder", "/etc", "FOLDER_ROOTS"), ("folder", "/no/such/place", "FOLDER_ROOTS"), ("sharepoint", "x", "folder")],
)
def test_a_source_that_cannot_be_added_says_the_cure(kind: str, address: str, cure: str) -> None:
    with pytest.raises(SourceError, match=cure):
        actions.add_source(kind=kind, address=address)
    assert not Source.objects.exists()


def test_the_same_address_is_the_same_source_and_names_stay_apart(source: Source, tmp_path: Path, folder: Path) -> None:
    assert actions.add_source(kind="folder", address=str(folder)).pk == source.pk
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.md").write_text("# A")
    assert actions.add_source(kind="folder", address=str(other), name="Pages").name == "Pages 2"


def test_the_sweep_finds_what_nobody_does(
    source: Source, django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        actions.sweep()
    assert source.runs.get().done_at is not None, "a source that was never read is read"
    actions.sweep()
    assert source.runs.count() == 1, "and not again before its time"
    source.runs.update(created_at=timezone.now() - timedelta(hours=2))
    stuck = SyncRun.objects.create(source=source, attempts=3)
    actions.sweep()
    stuck.refresh_from_db()
    assert "Given up after 3 attempts" in stuck.error


@pytest.mark.django_db(transaction=True)
def test_a_sweep_that_runs_out_of_time_has_got_on(
    make_person: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what a long pause left would be too much for each sweep that follows."""
    ana, old = make_person("ana"), timezone.now() - actions.KEEP_SEARCHES - timedelta(days=1)
    Search.objects.bulk_create(Search(person=ana, text="old", at=old) for _ in range(5))
    Search.objects.create(person=ana, text="new")
    monkeypatch.setattr(actions, "ERASED_AT_ONCE", 2)
    erased: list[Any] = []

    def out_of_time(instance: Search, **_: Any) -> None:
        erased.append(instance)
        if len(erased) == 4:
            raise SoftTimeLimitExceeded

    pre_delete.connect(out_of_time, sender=Search)
    try:
        with pytest.raises(SoftTimeLimitExceeded):
            actions.sweep()
        assert Search.objects.filter(text="old").count() == 3
        actions.sweep()
    finally:
        pre_delete.disconnect(out_of_time, sender=Search)
    assert [search.text for search in Search.objects.all()] == ["new"]


@given(st.text(max_size=60), st.text(max_size=200), st.text(max_size=60))
def test_whatever_a_connector_says_can_be_stored_or_is_refused_in_words(key: str, text: str, url: str) -> None:
    try:
        document = ingest.clean(Document(key=key, title=text, body=text, url=url, topics=(text,)))
    except ValidationError as error:
        if not error.messages:
            pytest.fail("refused without a word")
        return
    for part in (document.key, document.title, document.body, *document.topics):
        assert "\x00" not in part
        part.encode()
    assert document.title
    assert not document.url or document.url.startswith(("http://", "https://"))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://x/", "//x"])
def test_only_web_links_are_stored(url: str) -> None:
    assert ingest.clean(Document(key="k", title="t", url=url)).url == ""


def test_work_is_not_done_twice(source: Source) -> None:
    run = sync(source)
    assert durable.work(SyncRun.objects, run.pk, ingest.sync) is False


def test_a_source_taken_out_while_it_is_read_leaves_nothing(source: Source, write: Callable[..., Path]) -> None:
    for number in range(25):
        write(f"{number:02}.md", f"Page {number}")

    def report(run: SyncRun) -> None:
        if run.done_at is None and source.runs.filter(done_at=None).exists():
            actions.remove_source(source=source)

    sync(source, report=report, batch=10)
    assert not Resource.objects.alive().exists()
    assert source.runs.get().error == "The source was taken out."


def test_adding_a_source_again_changes_only_what_is_said(source: Source, folder: Path) -> None:
    address = str(folder)
    options = {"exclude": ["*.txt"]}
    team = f"team:{Team.objects.create(name='Tea', slug='tea').pk}"
    actions.add_source(kind="folder", address=address, audience=[team], trusts_emails=True, options=options)
    again = actions.add_source(kind="folder", address=address)
    assert (again.audience.tokens, again.trusts_emails, again.options) == ([team], True, options)
    assert actions.add_source(kind="folder", address=address, audience=["everyone"]).audience.tokens == ["everyone"]


def test_a_folder_has_one_address_however_it_is_typed(
    source: Source, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "part").mkdir()
    monkeypatch.chdir(folder / "part")
    for typed in (str(folder), "..", f"{folder}/part/../"):
        call_command("add_source", "folder", typed, "--later")
    assert Source.objects.get(kind="folder") == source
    monkeypatch.setenv("FOLDER_ROOTS", str(folder))
    call_command("add_source", "folder", str(folder), "--later")
    assert f"if it was started with FOLDER_ROOTS={folder} too" in capsys.readouterr().out
    call_command("sync", source.slug)
    assert "index: 1 written" in capsys.readouterr().out
    call_command("sync", source.slug)
    assert "index: up to date" in capsys.readouterr().out


@pytest.mark.parametrize("token", ["team:999", "person:999", "team:", "board", "source:1:group:board", "Everyone"])
def test_an_audience_that_means_nobody_is_refused_in_words(source: Source, token: str) -> None:
    before = source.audience
    with pytest.raises(SourceError, match=f"“{token}” means nobody. Write everyone, team:7 or person:12"):
        actions.add_source(kind=source.kind, address=source.address, audience=["everyone", token])
    with pytest.raises(CommandError, match="means nobody"):
        call_command("add_source", source.kind, source.address, "--audience", token, "--later")
    source.refresh_from_db()
    assert source.audience == before


def test_no_more_sources_are_read_at_once_than_leave_a_slot(source: Source, tmp_path: Path) -> None:
    for number in range(actions.SYNCS_AT_ONCE):
        other = Source.objects.create(
            kind="folder", name=f"other {number}", slug=f"other-{number}", audience=source.audience
        )
        assert SyncRun.objects.claim(actions.open_run(source=other).pk)
    run = actions.open_run(source=source)
    assert actions.do_sync(run.pk) is False
    SyncRun.objects.exclude(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert actions.do_sync(run.pk) is True
