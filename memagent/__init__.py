"""An agent in the terminal whose model is small and whose memory is large: one SQL database is the truth."""

from __future__ import annotations

import os

__version__ = "0.1.0"

# Read once, when numpy, tokenizers and chromadb are first imported. Our matrix products are too small to gain from a
# thread pool and lose a great deal to one when the machine is busy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

# onnxruntime 1.29 and later report to their maker from the moment of the import, in a thread that a fork would lose.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
