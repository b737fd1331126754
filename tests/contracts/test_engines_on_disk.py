"""What every engine keeps: commits, writers that die, full disks, and generations side by side."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings, settings

from knowledge import index
from knowledge.documents import IndexDocument
from knowledge.index import IndexMissing, IndexProblem, WriterBusy, generations, schema
from tests.contracts.engines import OfOneEngine, doc

SRC = Path(__file__).resolve().parents[2]


class GenerationContract(OfOneEngine):
    """Generations, wherever they stand."""

    def test_a_reader_in_another_thread_sees_a_commit_soon(self, serving: str) -> None:
        reader = index.open_for_reading()
        assert self.found(reader, "harbour") == set()
        seen: list[set[str]] = []

        def look() -> None:
            until = time.monotonic() + 30  # a second on a quiet machine
            while time.monotonic() < until and not (seen and seen[-1]):
                seen.append(self.found(index.open_for_reading(), "harbour"))

        with index.writer(serving) as engine:
            engine.write([doc("a", body="harbour")])
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
        assert seen[-1] == {"a"}
        assert index.open_for_reading() is reader

    def test_what_was_written_is_there_after_a_restart(self, serving: str) -> None:
        with index.writer() as engine:
            engine.write([doc("a", "Harbour", "storm", topics=("Sea",)), doc("b", body="storm")])
            engine.write(delete=["b"])
        code = (
            "import django; django.setup()\n"
            "from knowledge import index; from knowledge.documents import Query, Scope\n"
            "e = index.open_for_reading()\n"
            "m = e.search(Query(words=('storm',)), Scope(frozenset({1}), frozenset({'everyone'})))\n"
            "print(e.count(), [c.key for c in m.candidates], dict(m.facets['topic']))"
        )
        assert self.run(code).stdout.strip() == "1 ['a'] {'Sea': 1}"

    def test_two_writers_at_once_are_one_too_many(self, serving: str) -> None:
        with index.writer(serving) as engine:
            engine.write([doc("a", body="harbour")])
            with pytest.raises(WriterBusy), index.writer(serving, patience=0.05):
                pass
            _, make, options = index.engine_class()
            with pytest.raises(WriterBusy):
                make(generations.data_of(serving), **options).write([doc("b")]) if self.alias == "tantivy" else (
                    self.write_while_writing(engine, make(generations.data_of(serving), **options))
                )
        with index.writer(serving) as engine:
            engine.write([doc("c", body="harbour")])
        assert self.found(index.open_for_reading(), "harbour") == {"a", "c"}

    def write_while_writing(self, engine: index.Engine, other: index.Engine) -> None:
        """For engines whose own lock lasts as long as a batch."""

        def batch() -> Iterable[IndexDocument]:
            other.write([doc("b")])
            yield doc("x")

        engine.write(batch())

    def test_a_writer_killed_in_mid_batch_leaves_the_last_commit(self, serving: str) -> None:
        code = (
            "import django; django.setup()\n"
            "import os, signal\n"
            "from knowledge import index; from knowledge.documents import IndexDocument\n"
            "def doc(n, word): return IndexDocument(str(n), 1, 'page', 't', word, frozenset({'everyone'}), True)\n"
            "def batch():\n"
            "    for n in range(300): yield doc(n, 'storm')\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
            "with index.writer() as engine:\n"
            "    engine.write(doc(n, 'harbour') for n in range(20))\n"
            "    engine.write(batch())\n"
        )
        assert self.run(code, check=False).returncode == -signal.SIGKILL
        reader = index.open_for_reading()
        assert (len(self.found(reader, "harbour")), self.found(reader, "storm")) == (20, set())
        generations.collect()
        with index.writer() as engine:
            engine.write([doc("5", body="storm")])
        assert self.found(index.open_for_reading(), "storm") == {"5"}
        assert index.open_for_reading().count() == 20

    # Generations ----------------------------------------------------------------------------------------------------

    def test_an_index_that_was_never_built_is_missing(self) -> None:
        with pytest.raises(IndexMissing, match="rebuild_index"):
            index.open_for_reading()
        with pytest.raises(IndexMissing), index.writer():
            pass

    def test_another_schema_or_engine_is_as_good_as_none(self, serving: str, monkeypatch: Any, settings: Any) -> None:
        assert index.open_for_reading().count() == 0
        with monkeypatch.context() as other:
            other.setattr(schema, "LAYOUT", -1)
            with pytest.raises(IndexMissing):
                index.open_for_reading()
            assert generations.active() == []
            assert generations.begin() != serving
        settings.SEARCH_ENGINE = next(alias for alias in settings.SEARCH_ENGINES if alias != self.alias)
        with pytest.raises(IndexMissing):
            index.open_for_reading()

    def test_readers_follow_the_swap(self, serving: str) -> None:
        with index.writer() as engine:
            engine.write([doc("a", body="harbour")])
        old = index.open_for_reading()
        beside = generations.begin()
        with index.writer(beside) as engine:
            engine.write([doc("b", body="harbour")])
        assert self.found(index.open_for_reading(), "harbour") == {"a"}
        generations.promote(beside)
        generations.collect()
        assert self.found(index.open_for_reading(), "harbour") == {"b"}
        assert self.found(old, "harbour") == {"a"}  # a request that began before the swap ends as it began

    def run(self, code: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Code in a process of its own, on this test's index."""
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "immersive.settings",
            "INDEX_DIR": str(generations.root()),
            "SEARCH_ENGINE": self.alias,
            "OPENSEARCH_URL": ",".join(settings.SEARCH_ENGINES["opensearch"]["addresses"]),
            "OPENSEARCH_PREFIX": settings.SEARCH_ENGINES["opensearch"]["prefix"],
        }
        return subprocess.run(
            [sys.executable, "-c", code], env=env, cwd=SRC, check=check, capture_output=True, text=True
        )


class DiskContract(GenerationContract):
    """Generations in a folder."""

    def test_files_that_no_commit_refers_to_are_collected(self, serving: str) -> None:
        data = generations.data_of(serving)
        with index.writer() as engine:
            for n in range(3):
                engine.write([doc(str(n), body="harbour")])
        reader = index.open_for_reading()
        generations.collect()
        before = {path.name for path in data.rglob("*")}
        leftover = self.leave_behind(data)
        assert generations.collect() >= 1000
        assert not leftover.exists()
        assert {path.name for path in data.rglob("*")} == before
        assert len(self.found(reader, "harbour")) == 3
        with index.writer() as engine:
            engine.write([doc("9", body="harbour")])
        assert len(self.found(index.open_for_reading(), "harbour")) == 4

    def leave_behind(self, data: Path) -> Path:
        """A file as a killed writer leaves it."""
        raise NotImplementedError

    # Whoosh leaves the file that it could not finish to the garbage collector.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_a_full_disk_is_said_and_the_last_commit_stays(self, serving: str) -> None:
        with index.writer() as engine:
            engine.write([doc("a", body="harbour")])
        pick = random.Random(3)
        many = [doc(f"{n}", body=" ".join(f"w{pick.random()}" for _ in range(300))) for n in range(120)]
        old = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with index.writer() as engine:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, old[1]))
            try:
                with pytest.raises(IndexProblem, match="Free some space"):
                    engine.write(many)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, old)
                signal.signal(signal.SIGXFSZ, handler)
            assert self.found(index.open_for_reading(), "harbour") == {"a"}
            engine.write([doc("b", body="harbour")])
        assert self.found(index.open_for_reading(), "harbour") == {"a", "b"}

    @pytest.mark.parametrize("gone", [".", "{id}", "{id}/data", "{id}/meta.json", "CURRENT"])
    def test_a_folder_deleted_under_a_reader_is_missing(self, serving: str, settings: LazySettings, gone: str) -> None:
        with index.writer() as engine:
            engine.write([doc("a", body="harbour")])
        assert self.found(index.open_for_reading(), "harbour") == {"a"}
        path = Path(settings.INDEX_DIR) / gone.format(id=serving)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        with pytest.raises(IndexMissing):
            index.open_for_reading()
        again = generations.begin()
        with index.writer(again) as engine:
            engine.write([doc("b", body="harbour")])
        generations.promote(again)
        assert self.found(index.open_for_reading(), "harbour") == {"b"}

    def test_emptied_data_is_missing(self, serving: str) -> None:
        with index.writer() as engine:
            engine.write([doc("a", body="harbour")])
        index.open_for_reading()
        shutil.rmtree(generations.data_of(serving))
        generations.data_of(serving).mkdir()
        for _ in range(2):
            with pytest.raises(IndexMissing):
                index.open_for_reading()


class TestTantivyOnDisk(DiskContract):
    alias = "tantivy"

    def leave_behind(self, data: Path) -> Path:
        live = json.loads((data / "meta.json").read_text())["segments"]
        assert live
        leftover = data / f"{'0' * 31}7.store"
        leftover.write_bytes(b"x" * 1000)
        return leftover


@pytest.mark.slow
class TestWhooshOnDisk(DiskContract):
    alias = "whoosh"

    def leave_behind(self, data: Path) -> Path:
        leftover = data / "MAIN_0123456789abcdef.seg"
        leftover.write_bytes(b"x" * 1000)
        return leftover


@pytest.mark.opensearch
class TestOpenSearchGenerations(GenerationContract):
    alias = "opensearch"
