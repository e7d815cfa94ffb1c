"""Chat models in this process: checkpoints of transformers, our own decoding, grammars for tool calls."""
