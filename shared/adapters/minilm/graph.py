"""The network of all-MiniLM-L6-v2 as an ONNX graph, written from its weights (K5).

A BERT encoder (6 layers, 12 heads, width 384), mean pooling over the tokens and L2 normalisation, so that a session
turns token ids straight into unit vectors. The graph uses ONNX Runtime's fused operators: they are what its own
optimiser would find, and they make the graph short enough to read.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from shared.adapters.minilm.tokenizer import LONGEST_INPUT

Weights = Mapping[str, NDArray[np.float32]]

LAYERS: Final = 6
HEADS: Final = 12
WIDTH: Final = 384

_EPSILON: Final = 1e-12
_FUSED: Final = "com.microsoft"
_OPSET: Final = 17
_IR_VERSION: Final = 9


class _Graph:
    """Collects nodes and weights. Weights are stored in half precision and widened once, when a session loads."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.stored: list[onnx.TensorProto] = []

    def weight(self, name: str, values: NDArray[np.float32]) -> str:
        self.stored.append(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        return self.node("Cast", [f"{name}.half"], name, to=TensorProto.FLOAT)

    def node(self, operator: str, inputs: list[str], output: str, *, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes))
        return output


def build_graph(weights: Weights) -> onnx.ModelProto:
    """Return the model. Inputs `input_ids` and `attention_mask`, int32 of shape (texts, tokens), at most
    `LONGEST_INPUT` tokens; output `vectors`, float32 of shape (texts, WIDTH), rows of unit length.
    """
    graph = _Graph()
    hidden = _embeddings(graph, weights)
    for layer in range(LAYERS):
        hidden = _layer(graph, weights, hidden, f"encoder.layer.{layer}")
    _pooling(graph, hidden)
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT32, ["texts", "tokens"])
    mask = helper.make_tensor_value_info("attention_mask", TensorProto.INT32, ["texts", "tokens"])
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", WIDTH])
    return helper.make_model(
        helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", [ids, mask], [vectors], initializer=graph.stored),
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, 1)],
        ir_version=_IR_VERSION,
        producer_name="tessera",
    )


def _embeddings(graph: _Graph, weights: Weights) -> str:
    words = graph.weight("words", weights["embeddings.word_embeddings.weight"])
    # A single text has only segment 0, so its row can be added to every position beforehand.
    segment = weights["embeddings.token_type_embeddings.weight"][0]
    positions = graph.weight("positions", weights["embeddings.position_embeddings.weight"][:LONGEST_INPUT] + segment)
    gamma, beta = _normalisation(graph, weights, "embeddings.LayerNorm")
    graph.nodes.append(
        helper.make_node(
            "EmbedLayerNormalization",
            ["input_ids", "", words, positions, "", gamma, beta],
            ["embedded", "unused_mask_index"],
            name="embedded",
            domain=_FUSED,
            epsilon=_EPSILON,
        )
    )
    return "embedded"


def _layer(graph: _Graph, weights: Weights, hidden: str, name: str) -> str:
    attention = f"{name}.attention"
    parts = [f"{attention}.self.{part}" for part in ("query", "key", "value")]
    packed = np.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1)
    packed_bias = np.concatenate([weights[f"{part}.bias"] for part in parts])
    attended = graph.node(
        "Attention",
        [hidden, graph.weight(f"{attention}.qkv", packed), graph.weight(f"{attention}.qkv.bias", packed_bias),
         "attention_mask"],
        f"{attention}.attended",
        domain=_FUSED,
        num_heads=HEADS,
    )  # fmt: skip
    hidden = _add_and_normalise(graph, weights, attended, hidden, f"{attention}.output")
    wide = graph.node("MatMul", [hidden, _matrix(graph, weights, f"{name}.intermediate.dense")], f"{name}.wide")
    bias = graph.weight(f"{name}.intermediate.bias", weights[f"{name}.intermediate.dense.bias"])
    active = graph.node("BiasGelu", [wide, bias], f"{name}.active", domain=_FUSED)
    return _add_and_normalise(graph, weights, active, hidden, f"{name}.output")


def _add_and_normalise(graph: _Graph, weights: Weights, inner: str, skipped: str, name: str) -> str:
    projected = graph.node("MatMul", [inner, _matrix(graph, weights, f"{name}.dense")], f"{name}.projected")
    gamma, beta = _normalisation(graph, weights, f"{name}.LayerNorm")
    bias = graph.weight(f"{name}.bias", weights[f"{name}.dense.bias"])
    return graph.node(
        "SkipLayerNormalization",
        [projected, skipped, gamma, beta, bias],
        f"{name}.hidden",
        domain=_FUSED,
        epsilon=_EPSILON,
    )


def _pooling(graph: _Graph, hidden: str) -> None:
    # The sum over the tokens, normalised, equals the mean, normalised.
    graph.stored.append(numpy_helper.from_array(np.array([1], dtype=np.int64), "token_axis"))
    mask = graph.node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    row = graph.node("Unsqueeze", [mask, "token_axis"], "mask_row")
    total = graph.node("MatMul", [row, hidden], "total")
    flat = graph.node("Squeeze", [total, "token_axis"], "flat_total")
    graph.node("LpNormalization", [flat], "vectors", axis=-1, p=2)


def _matrix(graph: _Graph, weights: Weights, name: str) -> str:
    return graph.weight(name, np.ascontiguousarray(weights[f"{name}.weight"].T))


def _normalisation(graph: _Graph, weights: Weights, name: str) -> tuple[str, str]:
    return graph.weight(f"{name}.gamma", weights[f"{name}.weight"]), graph.weight(
        f"{name}.beta", weights[f"{name}.bias"]
    )
