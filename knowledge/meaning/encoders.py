"""What turns a text into a vector: a graph in a folder of this machine, or a service that is asked for it.

Vectors have length one, so that the product of two is the cosine of the angle
between them. Two encoders whose `fingerprint` is the same give the same
vector for the same text; vectors of different ones are never compared.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from knowledge import fetch
from knowledge.meaning import ModelProblem, TextRefused

Vectors = NDArray[np.float32]
"""A line for each text."""

MOST_TOKENS = 256
CURE = "Search goes on by words meanwhile."


class Encoder(Protocol):
    """Turns texts into vectors. Threads may share it."""

    @property
    def fingerprint(self) -> str:
        """16 characters that stand for the model and all that decides what its vectors are."""
        ...

    def encode(self, texts: Sequence[str], *, seconds: float = 60.0) -> Vectors:
        """One vector of length one for each text. Raises `ModelProblem`, or `TextRefused` where a text is at fault."""
        ...


def unit(vectors: Any) -> Vectors:
    """The same directions, of length one. Raises `ModelProblem` where one has none."""
    found = np.asarray(vectors, np.float32)
    lengths = np.linalg.norm(found, axis=-1, keepdims=True)
    if found.ndim != 2 or not np.isfinite(lengths).all() or not lengths.all():
        raise ModelProblem(f"The model gave something that is no vector. {CURE}")
    directions: Vectors = found / lengths
    return directions


def chosen(*, threads: int = 1) -> Encoder | None:
    """The encoder that settings choose, kept for the next call; `None` where there is none or nobody wants one."""
    if not settings.MEANING:
        return None
    if settings.EMBEDDINGS_URL:
        return _endpoint(settings.EMBEDDINGS_URL, settings.EMBEDDINGS_MODEL, settings.EMBEDDINGS_KEY)
    folder = Path(settings.MEANING_MODEL or settings.MODEL_DIR)
    written = tuple(map(_written, (folder / name for name in ("model.onnx", "tokenizer.json", "made.json"))))
    return _graph(folder, threads, written) if written[0] else None


def _written(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=4)
def _graph(folder: Path, threads: int, written: tuple[int, ...]) -> Graph:
    """One for each state of the files: a model that was damaged and mended, or replaced, is read anew."""
    return Graph(folder, threads=threads)


@lru_cache(maxsize=1)
def _endpoint(url: str, model: str, key: str) -> Endpoint:
    return Endpoint(url, model=model, key=key)


# A graph ----------------------------------------------------------------------------------------------------------


class Graph:
    """``model.onnx`` and ``tokenizer.json`` in a folder, as `export` and the usual exporters of sentence models write.

    The graph takes ``input_ids``, ``attention_mask`` and, if it wants them,
    ``token_type_ids``; it gives a vector for each text, or for each token of
    which the mean is taken. It is read when it is first needed, so that
    nothing of it runs before a web server forks. ``threads``: at one, it
    starts none of its own.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        self.folder, self.threads = folder, threads
        self._lock = threading.Lock()

    @cached_property
    def fingerprint(self) -> str:
        """See `Encoder`. Raises `ModelProblem` when a file is missing or damaged."""
        found = {name: hashlib.sha256(self._file(name)).hexdigest() for name in ("model.onnx", "tokenizer.json")}
        try:
            made = json.loads((self.folder / "made.json").read_bytes())
        except (OSError, ValueError):
            return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()[:16]
        if not isinstance(made, dict) or any(made.get(name) != digest for name, digest in found.items()):
            raise ModelProblem(
                f"The model in {self.folder} is damaged. Delete that folder: `manage.py prepare_meaning` makes it "
                f"again. {CURE}"
            )
        return str(made.get("fingerprint"))

    def _file(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise ModelProblem(
                f"There is no {name} in {self.folder} ({error.strerror}). Run `manage.py prepare_meaning`, or correct "
                f"MEANING_MODEL. {CURE}"
            ) from error

    def encode(self, texts: Sequence[str], *, seconds: float = 60.0) -> Vectors:
        """See `Encoder`; ``seconds`` has no use here."""
        session, tokenizer, inputs = self._loaded
        # One at a time: no slower, and a vector depends on nothing but its text (numbers of a turn share one scale).
        found = [self._vector(session, tokenizer, inputs, text) for text in texts]
        return unit(found) if found else np.zeros((0, 0), np.float32)

    def _vector(self, session: Any, tokenizer: Any, inputs: list[str], text: str) -> Any:
        ids = np.array([tokenizer.encode(text.encode("utf-8", "replace").decode()).ids], np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        try:
            out = session.run(None, {name: given[name] for name in inputs})[0][0]
        except Exception as error:  # onnxruntime has no exception of its own
            raise ModelProblem(f"The model in {self.folder} does not run ({_line(error)}). {CURE}") from error
        return out.mean(0) if out.ndim == 2 else out

    @property
    def _loaded(self) -> tuple[Any, Any, list[str]]:
        with self._lock:
            return self._load

    @cached_property
    def _load(self) -> tuple[Any, Any, list[str]]:
        """The session, the tokeniser and the names of what the graph takes."""
        _ = self.fingerprint  # files that are damaged are not opened
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # it would warn of every process that is forked
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ModelProblem(f"{error.name} is not installed: install requirements-model.lock. {CURE}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            tokenizer = Tokenizer.from_buffer(self._file("tokenizer.json"))
            session = onnxruntime.InferenceSession(
                self._file("model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # neither library has an exception of its own
            raise ModelProblem(
                f"The model in {self.folder} cannot be read ({_line(error)}). Correct MEANING_MODEL. {CURE}"
            ) from error
        tokenizer.enable_truncation(MOST_TOKENS)
        tokenizer.no_padding()
        return session, tokenizer, [one.name for one in session.get_inputs()]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


# A service --------------------------------------------------------------------------------------------------------


class Endpoint:
    """A service that answers as OpenAI's embeddings do, asked through the guarded door of `fetch`.

    ``url`` is the whole address (``https://…/v1/embeddings``); a private one
    must lie in FETCH_ALLOW. ``key`` is sent to it alone and said nowhere.
    """

    MOST_TEXTS = 64

    def __init__(self, url: str, *, model: str, key: str = "") -> None:
        self.url, self.model, self._key = url, model, key
        self.fingerprint = hashlib.sha256(f"endpoint {url} {model}".encode()).hexdigest()[:16]

    def encode(self, texts: Sequence[str], *, seconds: float = 60.0) -> Vectors:
        """See `Encoder`; each request has ``seconds``."""
        found: list[Any] = []
        for begin in range(0, len(texts), self.MOST_TEXTS):
            found += self._ask(texts[begin : begin + self.MOST_TEXTS], seconds)
        try:
            return unit(found) if found else np.zeros((0, 0), np.float32)
        except ValueError:
            raise ModelProblem(f"{self.url} answered with vectors of different sizes. {CURE}") from None

    def _ask(self, texts: Sequence[str], seconds: float) -> list[Any]:
        body = json.dumps({"model": self.model, "input": list(texts), "encoding_format": "float"}).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            answer = fetch.request(
                "POST", self.url, headers=headers, body=body, total_seconds=seconds, max_bytes=20_000_000
            )
        except fetch.FetchError as error:
            raise ModelProblem(f"The embeddings could not be fetched: {error} {CURE}") from error
        if answer.status in (400, 413, 422):
            raise TextRefused(f"{self.url} refused a text (status {answer.status}).")
        if answer.status != 200:
            raise ModelProblem(
                f"{self.url} answered with status {answer.status}. Check EMBEDDINGS_URL, EMBEDDINGS_MODEL and "
                f"EMBEDDINGS_KEY. {CURE}"
            )
        try:
            rows = sorted(json.loads(answer.body)["data"], key=lambda row: row["index"])
            if [row["index"] for row in rows] != list(range(len(texts))):
                raise ValueError("a vector for each text is missing")
            return [np.array(row["embedding"], np.float32) for row in rows]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ModelProblem(f"{self.url} does not answer as an embeddings service does ({_line(error)}). {CURE}"
                               ) from error  # fmt: skip
