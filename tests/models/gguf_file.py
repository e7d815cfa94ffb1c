"""A tiny checkpoint as a GGUF file, for servers of llama.cpp."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4  # kinds of tokens in GGUF


def write(folder: Path, path: Path) -> Path:
    """Write the Qwen3 checkpoint of `folder`, with its byte-level tokenizer and chat template, to `path`."""
    import gguf
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    rope = config.get("rope_parameters") or {}
    writer.add_rope_freq_base(rope.get("rope_theta", config.get("rope_theta", 10000.0)))
    _tokenizer(writer, folder)
    for name, weight in load_file(folder / "model.safetensors").items():
        writer.add_tensor(_name(name), weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _name(name: str) -> str:
    if name in NAMES:
        return NAMES[name]
    _, _, layer, *rest, kind = name.split(".")
    return f"blk.{layer}.{LAYER['.'.join(rest)]}.{kind}"


def _tokenizer(writer: Any, folder: Path) -> None:
    data = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    added = {item["id"]: item for item in data["added_tokens"]}
    vocabulary = {index: token for token, index in data["model"]["vocab"].items()}
    vocabulary |= {index: item["content"] for index, item in added.items()}
    ids = range(len(vocabulary))
    kinds = [(CONTROL if added[n]["special"] else USER_DEFINED) if n in added else NORMAL for n in ids]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([vocabulary[index] for index in ids])
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) if isinstance(pair, list) else pair for pair in data["model"]["merges"]])
    end = next(index for index, item in added.items() if item["content"] == "<|im_end|>")
    writer.add_eos_token_id(end)
    writer.add_add_bos_token(False)
    writer.add_chat_template((folder / "chat_template.jinja").read_text(encoding="utf-8"))
