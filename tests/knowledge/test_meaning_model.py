"""The model for search by meaning: made from its weights, damaged, of another kind, or a service that misbehaves."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.core.management import call_command

from knowledge.meaning import ModelProblem, TextRefused, export
from knowledge.meaning.encoders import Endpoint, Graph, chosen, unit
from tests.loopback import Web
from tests.meaning import MODEL, needs_model

PACKAGE = find_spec(export.PACKAGE)


@needs_model
class TestTheInstalledModel:
    def test_what_means_the_same_is_near(self) -> None:
        texts = [
            "How do I reset my password?",
            "I forgot my login credentials",
            "The canteen serves soup on Friday",
            "",
        ]
        vectors = Graph(MODEL).encode(texts)
        assert vectors.shape == (4, 384)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        near, far = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
        assert near > 0.5 > 0.2 > far

    def test_a_text_has_its_vector_whatever_stands_beside_it(self) -> None:
        graph = Graph(MODEL)
        texts = [
            "annual leave",
            "a much longer text about how to book annual leave in the portal " * 5,
            "\ud800 🎉",
            "x" * 9000,
        ]
        together = graph.encode(texts)
        for text, vector in zip(texts, together, strict=True):
            assert np.array_equal(graph.encode([text])[0], vector), text[:20]

    def test_no_text_is_no_vector(self) -> None:
        assert len(Graph(MODEL).encode([])) == 0

    @pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
    def test_a_damaged_file_is_refused_with_the_cure(self, tmp_path: Path, name: str) -> None:
        shutil.copytree(MODEL, tmp_path / "model")
        path = tmp_path / "model" / name
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(ModelProblem, match=r"is damaged.*prepare_meaning"):
            Graph(tmp_path / "model").encode(["x"])

    @pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
    def test_so_is_one_of_another_folder_that_nobody_vouches_for(self, tmp_path: Path, name: str) -> None:
        shutil.copytree(MODEL, tmp_path / "model")
        (tmp_path / "model" / "made.json").unlink()
        (tmp_path / "model" / name).write_bytes(b"nonsense")
        with pytest.raises(ModelProblem, match=r"cannot be read.*MEANING_MODEL"):
            Graph(tmp_path / "model").encode(["x"])

    def test_another_folder_is_another_model(self, tmp_path: Path, settings: LazySettings) -> None:
        shutil.copytree(MODEL, tmp_path / "model")
        (tmp_path / "model" / "made.json").unlink()
        settings.MEANING_MODEL = str(tmp_path / "model")
        other = chosen()
        assert other is not None
        assert other.fingerprint != Graph(MODEL).fingerprint
        assert other.encode(["harbour"])[0] @ Graph(MODEL).encode(["harbour"])[0] > 0.99


@pytest.mark.skipif(PACKAGE is None, reason="the weights are not installed: make setup installs them")
class TestMakingIt:
    @pytest.fixture
    def weights(self, tmp_path: Path) -> Path:
        assert PACKAGE is not None
        assert PACKAGE.submodule_search_locations
        place = tmp_path / "weights"
        shutil.copytree(Path(PACKAGE.submodule_search_locations[0]) / "model", place)
        return place

    def test_the_weights_are_those_that_were_published(self, weights: Path, tmp_path: Path) -> None:
        export.export(weights, tmp_path / "made")
        made = json.loads((tmp_path / "made" / "made.json").read_text())
        assert made["fingerprint"] == Graph(tmp_path / "made").fingerprint
        assert (tmp_path / "made" / "model.onnx").stat().st_size < 25_000_000

    def test_damaged_weights_are_refused(self, weights: Path, tmp_path: Path) -> None:
        with (weights / "model.safetensors").open("r+b") as file:
            file.seek(40_000_000)
            file.write(b"\x00\x01\x02\x03")
        with pytest.raises(ModelProblem, match=r"damaged or of another model.*requirements-model.lock"):
            export.export(weights, tmp_path / "made")
        assert not (tmp_path / "made").exists()

    def test_a_damaged_graph_is_made_again(self, settings: LazySettings, tmp_path: Path) -> None:
        settings.MODEL_DIR = tmp_path / "made"
        assert export.prepare()
        fingerprint = Graph(settings.MODEL_DIR).fingerprint
        (settings.MODEL_DIR / "model.onnx").write_bytes(b"cut off")
        call_command("prepare_meaning")
        assert Graph(settings.MODEL_DIR).fingerprint == fingerprint


def test_numbers_that_are_not_laid_out_as_expected_are_refused(tmp_path: Path) -> None:
    head = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    data = len(head).to_bytes(8, "little") + head + bytes(8)
    (tmp_path / "model.safetensors").write_bytes(data)
    (tmp_path / "config.json").write_text('{"num_attention_heads": 12, "num_hidden_layers": 6, "layer_norm_eps": 1}')
    with pytest.raises(ModelProblem, match="not laid out"):
        export.export(tmp_path, tmp_path / "made", sha256=hashlib.sha256(data).hexdigest())


def test_without_a_model_nothing_is_chosen(settings: LazySettings, tmp_path: Path, capsys: Any) -> None:
    settings.MODEL_DIR = tmp_path / "nowhere"
    assert chosen() is None
    settings.MEANING = False
    settings.MODEL_DIR = MODEL
    assert chosen() is None
    call_command("prepare_meaning")
    assert "Search goes by words alone" in capsys.readouterr().out


def test_what_is_no_vector_is_refused() -> None:
    for wrong in ([[0.0, 0.0]], [[float("nan"), 1.0]], [1.0, 2.0]):
        with pytest.raises(ModelProblem):
            unit(wrong)


# A service --------------------------------------------------------------------------------------------------------


def answering(*vectors: Any, turned: bool = False) -> bytes:
    rows = [{"index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    return json.dumps({"data": rows[::-1] if turned else rows}).encode()


class TestAService:
    PATH = "/v1/embeddings"

    def service(self, web: Web, answer: bytes, status: int = 200) -> Endpoint:
        web.answers[self.PATH] = lambda handler: handler.say(status, answer)
        return Endpoint(web.base + self.PATH, model="small", key="hidden")

    def test_it_answers_for_each_text_in_any_order(self, web: Web) -> None:
        service = self.service(web, answering([3.0, 4.0], [0.0, 2.0], turned=True))
        assert service.encode(["a", "b"]).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 1.0]]
        assert web.asked[0][1]["Authorization"] == "Bearer hidden"
        assert len(service.encode([])) == 0
        assert service.fingerprint != Endpoint(web.base + self.PATH, model="large").fingerprint

    def test_many_texts_are_asked_for_in_turns(self, web: Web) -> None:
        service = self.service(web, answering(*([[1.0, 0.0]] * 64)))
        assert service.encode(["text"] * 128).shape == (128, 2)
        assert len(web.asked) == 2

    @pytest.mark.parametrize(
        "answer",
        [
            b"<html>not here</html>", b"[]", b'{"data": null}', b'{"data": []}', b'{"data": [{"index": 0}]}',
            answering([1.0, 0.0]), answering([1.0, 0.0], [1.0]), answering([1.0], ["x"]),
            answering([0.0, 0.0], [1.0, 0.0]), answering([1.0], [None]), answering([1.0], [float("inf")]),
            answering([[1.0]], [[1.0]]), b"[" * 50_000,
        ],
    )  # fmt: skip
    def test_whatever_else_it_answers_is_a_problem_with_words(self, web: Web, answer: bytes) -> None:
        with pytest.raises(ModelProblem, match="Search goes on by words"):
            self.service(web, answer).encode(["a", "b"])

    @pytest.mark.parametrize("status", [301, 401, 404, 429, 500, 503])
    def test_its_refusal_is_told_without_the_secret(self, web: Web, status: int) -> None:
        with pytest.raises(ModelProblem) as problem:
            self.service(web, b"hidden", status).encode(["a text of somebody"])
        assert not {"hidden", "somebody"} & set(str(problem.value).split())
        assert not isinstance(problem.value, TextRefused)

    @pytest.mark.parametrize("status", [400, 413, 422])
    def test_that_it_will_not_take_a_text_is_told_apart(self, web: Web, status: int) -> None:
        with pytest.raises(TextRefused):
            self.service(web, b"", status).encode(["a"])

    def test_a_slow_one_is_given_up(self, web: Web) -> None:
        held = threading.Event()
        web.answers[self.PATH] = lambda handler: held.wait(20)
        try:
            with pytest.raises(ModelProblem, match=r"0\.2 seconds"):
                Endpoint(web.base + self.PATH, model="small").encode(["a"], seconds=0.2)
        finally:
            held.set()

    def test_one_that_is_not_there_or_inside_the_network_is_not_reached(self, settings: LazySettings) -> None:
        settings.FETCH_ALLOW = []
        for url in ("http://127.0.0.1:9/v1/embeddings", "http://169.254.169.254/x", "file:///etc/passwd", "nonsense"):
            with pytest.raises(ModelProblem, match="could not be fetched"):
                Endpoint(url, model="small").encode(["a"])

    def test_settings_choose_it(self, settings: LazySettings) -> None:
        settings.EMBEDDINGS_URL, settings.EMBEDDINGS_MODEL = "https://models.example/v1/embeddings", "small"
        service = chosen()
        assert isinstance(service, Endpoint)
        assert service is chosen(threads=2)
