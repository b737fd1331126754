"""Models and vectors that are broken, slow, of another size or of another model: search goes on by words alone, says
nothing of it to who searches and a clear word to operators, and is itself again when they are, without a restart.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from knowledge import indexing
from knowledge.access import Viewer
from knowledge.documents import EVERYONE, ResultPage
from knowledge.meaning import embedding, looking, store
from knowledge.meaning.embedding import WORK, embed
from knowledge.meaning.encoders import Endpoint
from knowledge.models import Source, Vector
from knowledge.search import search
from tests.knowledge.conftest import sync
from tests.loopback import Handler, Web
from tests.meaning import Letters

pytestmark = pytest.mark.django_db
ANYBODY = Viewer(None, frozenset({EVERYONE}))
PATH = "/v1/embeddings"


@pytest.fixture
def pages(source: Source, write: Callable[..., Path]) -> Source:
    write("printer.md", "Printer", "The printer jams.")
    write("zebra.md", "Zebras", "zzz zzz zzz zebra")
    sync(source)
    indexing.index_changes()
    return source


def answer_of(size: int) -> Callable[[Any], None]:
    """A service whose vectors have so many numbers."""

    def answer(handler: Handler) -> None:
        vectors = Letters(size=size).encode(json.loads(handler.body)["input"])
        rows = [{"index": number, "embedding": vector.tolist()} for number, vector in enumerate(vectors)]
        handler.say(200, json.dumps({"data": rows}).encode(), Content_Type="application/json")

    return answer


GOOD = answer_of(32)


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """Ends what hangs when the test does."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def service(web: Web, settings: LazySettings, pages: Source) -> Web:
    """A service that embeds, chosen by settings, with everything embedded."""
    web.answers[PATH] = GOOD
    settings.EMBEDDINGS_URL, settings.EMBEDDINGS_MODEL, settings.EMBEDDINGS_KEY = web.base + PATH, "small", "hidden"
    assert embed() == 3
    web.asked.clear()
    return web


def slowly(event: threading.Event) -> Callable[[Any], None]:
    def answer(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not event.wait(0.05):
            handler.wfile.write(b" ")

    return answer


def says(status: int, body: bytes) -> Callable[[Any], None]:
    return lambda handler: handler.say(status, body)


def hang_up(handler: Any) -> None:
    handler.connection.close()
    raise OSError


BROKEN: dict[str, Any] = {
    "hangs": lambda event: lambda handler: event.wait(30),
    "slow": slowly,
    "hangs up": lambda event: hang_up,
    "500": lambda event: says(500, b"Traceback (most recent call last)"),
    "503": lambda event: says(503, b""),
    "html": lambda event: says(200, b"<!doctype html><title>Sign in</title>"),
    "other size": lambda event: answer_of(48),
    "no vector": lambda event: says(200, b'{"data": [{"index": 0, "embedding": [0, 0]}]}'),
    "no list": lambda event: says(200, b'{"data": 7}'),
}


def by_meaning(page: ResultPage) -> list[str]:
    return [result.resource.title for result in page.results if "meaning" in dict(result.reasons)]


def rest_is_over() -> None:
    for name in looking._resting:
        looking._resting[name] = 0.0


@pytest.mark.parametrize("how", BROKEN)
def test_a_service_that_misbehaves_leaves_words_and_comes_back(
    service: Web,
    how: str,
    let_go: threading.Event,
    write: Callable[..., Path],
    caplog: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    monkeypatch.setitem(Endpoint.encode.__kwdefaults__, "seconds", 0.4)  # as long as a search waits
    monkeypatch.setattr(embedding, "PATIENCE", 0.4)
    assert by_meaning(search("zzzz", ANYBODY)) == ["Zebras"]
    asked = len(service.asked)

    service.answers[PATH] = BROKEN[how](let_go)
    for _ in range(3):
        page = search("printer unspeakable", ANYBODY)
        assert [result.resource.title for result in page.results] == ["Printer"]
        assert (by_meaning(page), page.notice) == ([], "")
    assert len(service.asked) == asked + 1, "it is left alone after its first fault"
    (said,) = caplog.messages
    assert "by words alone" in said
    assert not [word for word in ("unspeakable", "hidden", "Traceback", "Sign in") if word in caplog.text]

    write("yak.md", "Yaks", "yyy yyy yyy yak")
    sync(Source.objects.get())
    indexing.index_changes()
    caplog.clear()
    assert embed() == 0
    assert "embedding waits" in caplog.text
    assert [row.attempts for row in WORK.filter(done_at=None)] == [0], "it costs the page nothing"
    call_command("index_status")
    assert "problem" in capsys.readouterr().out
    assert "hidden" not in embedding.status()["problem"]

    service.answers[PATH] = GOOD
    rest_is_over()
    assert by_meaning(search("zzzz", ANYBODY)) == ["Zebras"]
    assert embed() == 1
    assert by_meaning(search("yyyy", ANYBODY)) == ["Yaks"]
    assert "problem" not in embedding.status()


def test_nothing_of_it_shows_on_the_page(
    service: Web, client: Client, make_person: Callable[..., Any], let_go: threading.Event
) -> None:
    client.force_login(make_person("ana"))
    service.answers[PATH] = BROKEN["500"](let_go)
    broken = client.get(reverse("search"), {"q": "printer"}).content.decode()
    assert "The <mark>printer</mark> jams." in broken
    assert not [word for word in ("words alone", "model", "500", service.base) if word in broken]


def test_words_that_a_service_will_not_take_keep_no_other_search_from_it(service: Web, caplog: Any) -> None:
    service.answers[PATH] = says(400, b"too long")
    assert by_meaning(search("printer " + "jam " * 50, ANYBODY)) == []
    service.answers[PATH] = GOOD
    assert by_meaning(search("zzzz", ANYBODY)) == ["Zebras"]
    assert caplog.messages == []


def test_a_service_that_refuses_every_text_gives_no_page_up(
    service: Web, write: Callable[..., Path], caplog: Any
) -> None:
    write("yak.md", "Yaks", "yyy yyy yyy yak")
    write("xerus.md", "Xerus", "xxx xxx xxx xerus")
    sync(Source.objects.get())
    indexing.index_changes()
    service.answers[PATH] = says(400, b"no such model")
    for _ in range(5):
        WORK.filter(done_at=None).update(due_at="2020-01-01T00:00Z")
        assert embed() == 0
    assert "refuses every text" in caplog.text
    assert embedding.status()["given up"] == 0
    service.answers[PATH] = GOOD
    WORK.filter(done_at=None).update(due_at="2020-01-01T00:00Z")
    assert embed() == 2
    assert by_meaning(search("yyyy", ANYBODY)) == ["Yaks"]


# Vectors --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [b"", b"ab", np.float32(0.01).tobytes() + bytes(48), np.float32(np.nan).tobytes() + bytes(32), bytes(36)],
    ids=["empty", "cut off", "of another size", "no number", "nothing"],
)
def test_kept_vectors_that_are_none_of_this_models_are_made_again(service: Web, data: bytes, caplog: Any) -> None:
    Vector.objects.filter(of__resource__title="Zebras").update(data=data)
    shutil.rmtree(store.root())
    assert search("printer", ANYBODY).total == 1, "meanwhile words find"
    assert embed() == 3
    assert "made again" in caplog.text
    assert len(service.asked) == 2, "the size, and the one text of which there is no vector"
    assert by_meaning(search("zzzz", ANYBODY)) == ["Zebras"]
    assert len(bytes(Vector.objects.get(of__resource__title="Zebras").data)) == 36


def test_vectors_of_another_model_are_no_ones(service: Web, settings: LazySettings) -> None:
    settings.EMBEDDINGS_MODEL = "large"
    service.answers[PATH] = answer_of(48)
    assert by_meaning(search("zzzz", ANYBODY)) == []
    assert service.asked == [], "there is nothing to compare with yet"
    assert embed() == 3
    assert by_meaning(search("zzzz", ANYBODY)) == ["Zebras"]
    assert {len(bytes(one.data)) for one in Vector.objects.all()} == {52}
    settings.EMBEDDINGS_MODEL = "small"
    assert by_meaning(search("zzzz", ANYBODY)) == []


@pytest.mark.parametrize("name", ["documents", "passages", "vectors", "audiences", "about.json"])
@pytest.mark.parametrize("harm", ["gone", "cut", "noise"])
def test_a_damaged_folder_of_vectors_leaves_words(service: Web, name: str, harm: str, caplog: Any) -> None:
    file = store.root() / (store.root() / "CURRENT").read_text() / name
    data = file.read_bytes()
    store._opened.clear()
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(data[: len(data) // 2 - 1] if harm == "cut" else bytes(255 - byte for byte in data))
    for _ in range(2):
        page = search("printer", ANYBODY)
        assert page.results[0].resource.title == "Printer"
        assert page.notice == ""
    assert len(caplog.messages) <= 1
    assert "printer" not in caplog.text
    shutil.rmtree(store.root())
    rest_is_over()
    service.asked.clear()
    assert embed() == 3
    assert len(service.asked) == 1, "the size alone: the database has the vectors"
    assert by_meaning(search("zzzz", ANYBODY)) == ["Zebras"]


# A model on this machine ----------------------------------------------------------------------------------------------


def write_model(folder: Path, size: int) -> None:
    """A graph for which each word has a direction of its own, and its tokeniser."""
    onnx = pytest.importorskip("onnx", reason="requirements-model.lock is not installed")
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    words = {word: number for number, word in enumerate(["?", "printer", "jams", "zzz", "zebra", "zebras"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.normalizer = normalizers.Lowercase()
    rows = np.eye(len(words), size, dtype=np.float32) + 0.01
    make, kinds = onnx.helper, onnx.TensorProto
    graph = make.make_graph(
        [make.make_node("Gather", ["rows", "input_ids"], ["out"])],
        "words",
        [make.make_tensor_value_info("input_ids", kinds.INT64, ["texts", "words"])],
        [make.make_tensor_value_info("out", kinds.FLOAT, ["texts", "words", size])],
        [onnx.numpy_helper.from_array(rows, "rows")],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 20)], ir_version=9)
    folder.mkdir(exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "model.onnx").write_bytes(model.SerializeToString())


@pytest.fixture
def model(tmp_path: Path, settings: LazySettings, pages: Source) -> Path:
    folder = tmp_path / "tiny"
    write_model(folder, 8)
    settings.MEANING_MODEL = str(folder)
    assert embed() == 3
    assert by_meaning(search("zzz", ANYBODY)) == ["Zebras"]
    return folder


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("harm", [b"", b"nonsense", "half"])
def test_a_file_of_the_model_that_is_damaged_and_mended(model: Path, name: str, harm: bytes | str, caplog: Any) -> None:
    whole = (model / name).read_bytes()
    (model / name).write_bytes(whole[: len(whole) // 2] if isinstance(harm, str) else harm)
    for _ in range(3):
        page = search("printer", ANYBODY)
        assert [result.resource.title for result in page.results] == ["Printer"]
        assert (by_meaning(page), page.notice) == ([], "")
    assert embedding.status()["problem"]
    (model / name).write_bytes(whole)
    assert by_meaning(search("zzz", ANYBODY)) == ["Zebras"]
    assert "problem" not in embedding.status()


def test_a_model_of_another_size_in_the_same_place(model: Path) -> None:
    write_model(model, 12)
    assert by_meaning(search("zzz", ANYBODY)) == []
    assert search("printer", ANYBODY).total == 1
    assert embed() == 3
    assert by_meaning(search("zzz", ANYBODY)) == ["Zebras"]
    found = store.serving()
    assert found is not None
    assert found[1].size == 12


def test_a_model_that_went(model: Path) -> None:
    shutil.rmtree(model)
    assert search("printer", ANYBODY).total == 1
    assert embedding.status()["model"] is None
    write_model(model, 8)
    assert by_meaning(search("zzz", ANYBODY)) == ["Zebras"]
