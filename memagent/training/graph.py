"""Writes `encoder.onnx`: the topology of MiniLM's six transformer layers, without weights.

One graph of a few kilobytes serves every shipped encoder: its initializers are external and are handed to ONNX Runtime
at load (`memagent.models.encoder`), so that weights stay in safetensors and the word embeddings, which no training
here changes, exist once. Attention, GELU and layer normalisation are ONNX Runtime's fused operators.

    python -m memagent.training.graph
"""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper

from memagent.models.encoder import FEED_FORWARD, GRAPH, HEADS, LAYERS, WIDTH, layer_parameters

FUSED = "com.microsoft"


def _initializer(name: str, shape: tuple[int, ...]) -> onnx.TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights"
    return tensor


def _layer(index: int, hidden: str) -> tuple[list[onnx.NodeProto], str]:
    def name(part: str) -> str:
        return f"layer.{index}.{part}"

    def norm(source: str, residual: str, part: str) -> onnx.NodeProto:
        return helper.make_node(
            "SkipLayerNormalization",
            [source, residual, name(f"{part}.weight"), name(f"{part}.bias")],
            [name(part)],
            domain=FUSED,
            epsilon=1e-12,
        )

    nodes = [
        helper.make_node("MatMul", [hidden, name("qkv.weight")], [name("qkv.product")]),
        helper.make_node("Add", [name("qkv.product"), name("qkv.bias")], [name("qkv")]),
        helper.make_node("Split", [name("qkv")], [name("query"), name("key"), name("value")], axis=2, num_outputs=3),
        helper.make_node(
            "MultiHeadAttention",
            [name("query"), name("key"), name("value"), "", "mask"],
            [name("context")],
            domain=FUSED,
            num_heads=HEADS,
        ),
        helper.make_node("MatMul", [name("context"), name("out.weight")], [name("out.product")]),
        helper.make_node("Add", [name("out.product"), name("out.bias")], [name("out")]),
        norm(name("out"), hidden, "attention_norm"),
        helper.make_node("MatMul", [name("attention_norm"), name("up.weight")], [name("up.product")]),
        helper.make_node("BiasGelu", [name("up.product"), name("up.bias")], [name("up")], domain=FUSED),
        helper.make_node("MatMul", [name("up"), name("down.weight")], [name("down.product")]),
        helper.make_node("Add", [name("down.product"), name("down.bias")], [name("down")]),
        norm(name("down"), name("attention_norm"), "output_norm"),
    ]
    return nodes, name("output_norm")


def build() -> onnx.ModelProto:
    """The graph: (batch, tokens, WIDTH) float32 and an int32 mask (batch, tokens) to states of the same shape."""
    nodes: list[onnx.NodeProto] = []
    hidden = "embeddings"
    for index in range(LAYERS):
        layer, hidden = _layer(index, hidden)
        nodes += layer
    nodes.append(helper.make_node("Identity", [hidden], ["states"]))
    graph = helper.make_graph(
        nodes,
        "encoder",
        [
            helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", "tokens", WIDTH]),
            helper.make_tensor_value_info("mask", TensorProto.INT32, ["batch", "tokens"]),
        ],
        [helper.make_tensor_value_info("states", TensorProto.FLOAT, ["batch", "tokens", WIDTH])],
        [_initializer(name, shape) for name, shape in layer_parameters().items()],
    )
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(FUSED, 1)],
        ir_version=9,
        producer_name="memagent",
    )


def main() -> None:
    GRAPH.parent.mkdir(parents=True, exist_ok=True)
    Path(GRAPH).write_bytes(build().SerializeToString())
    print(f"{GRAPH.name}: {GRAPH.stat().st_size} bytes, {FEED_FORWARD=}")


if __name__ == "__main__":
    main()
