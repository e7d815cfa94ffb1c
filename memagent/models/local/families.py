"""What is known of model types in transformers 5.23: which ones our decoding is tested on, which ones are refused.

The tests make a tiny checkpoint of every type in TESTED and compare tokens with `generate()`. Any other type is tried
when it is loaded (`checkpoint.cached_forwards_are_exact`), and runs on `generate()` where the trial fails.
"""

from __future__ import annotations

TESTED = frozenset(
    {
        "llama",
        "qwen2",
        "qwen3",
        "smollm3",
        "gemma3_text",
        "mistral",
        "granite",
        "lfm2",
        "mamba2",
        "falcon_h1",
        "granitemoehybrid",
        "nemotron_h",
        "qwen3_next",
    }
)

# Several tokens on a filled cache give other logits than the same tokens one by one (by 0.26 and 1.2 on tiny
# checkpoints), without a warning.
REFUSED = {
    "mamba": "transformers computes Mamba-1 wrongly when a conversation goes on",
    "falcon_mamba": "transformers computes Falcon-Mamba wrongly when a conversation goes on",
}
