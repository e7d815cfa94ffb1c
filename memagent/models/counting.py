"""How many tokens texts have: by a model's own byte-pair ranks where they are at hand, else by a stated estimate.

Nothing here asks the network. `tiktoken` downloads what it does not have, so its files are looked for first, and only
files with the right hash are used.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Count = Callable[[Sequence[str]], list[int]]

BYTES_PER_TOKEN = 3.5
MARGIN = 1.1  # an estimate that is too low would overrun the window
LEAST_RATIO, MOST_RATIO = 0.6, 2.5  # of a server's count to the estimate; beyond them the server counts something else

# Source: tiktoken_ext.openai_public of tiktoken 0.14 (addresses and SHA-256 of the rank files).
_FILES = "https://openaipublic.blob.core.windows.net/encodings/"
_HASHES = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}

# Texts in which tokenizers differ: case, digits, spaces, accents, scripts, emoji, code, template marks.
PROBES = (
    "Hello world, it's 2026-03-02 09:15; call +49 170 1234567.",
    "  leading,   inner \t tabs\n\n\nand lines  \r\n",
    "Zoë's café in Malmö — naïve façade, Ångström, straße, İstanbul",
    "e\u0301 n\u0303 \ufb01 \u2126 ½ ² ℃",
    "日本語のテキスト, 한국어 문장, العربية, हिन्दी, עברית, ไทย",
    "👩‍👩‍👧‍👦🏳️‍🌈 ok 👍🏽!!!???",
    'def f(x: int) -> str:\n    return f"{x!r:>10}"  # <b>&amp;</b>',
    '{"name": "memory_add", "arguments": {"value": "a \\"b\\" \\u00e9"}}',
    "AAAAAaaaaa 1234567890 00000 x1y2z3 CamelCaseWord snake_case_word kebab-case",
    "DON'T We'Ll i'm\u00a0nbsp\u2003em\u200bzero",
)


class Estimate:
    """Counts by bytes, scaled by what a server has counted. Thread-safe."""

    def __init__(self) -> None:
        self._ratio = 1.0
        self._lock = threading.Lock()

    @property
    def ratio(self) -> float:
        """What a server's own count was to the estimate, smoothed; 1 before it has counted."""
        return self._ratio

    def __call__(self, texts: Sequence[str]) -> list[int]:
        ratio = self._ratio * MARGIN
        return [-int(-len(text.encode("utf-8", "replace")) * ratio // BYTES_PER_TOKEN) if text else 0 for text in texts]

    def learn(self, estimated: int, counted: int) -> None:
        """Adjust to what a server counted for a prompt of which this estimated `estimated` tokens, margin included."""
        if estimated <= 0 or counted <= 0:
            return
        with self._lock:
            measured = self._ratio * MARGIN * counted / estimated
            # Up at once, down slowly: too low overruns the window, too high only wastes some of it.
            ratio = measured if measured > self._ratio else 0.7 * self._ratio + 0.3 * measured
            self._ratio = min(max(ratio, LEAST_RATIO), MOST_RATIO)


def openai_count(model: str) -> Count | None:
    """Counts of an OpenAI model by its own ranks; None where the name is not known or its file is not here."""
    try:
        import tiktoken
    except ImportError:
        return None
    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        return None
    name = "o200k_base" if name == "o200k_harmony" else name  # the same ranks, other marks
    if name not in _HASHES or not _cached(name):
        return None
    encoding = tiktoken.get_encoding(name)
    return lambda texts: [len(ids) for ids in encoding.encode_ordinary_batch(list(texts), num_threads=1)]


def _cached(name: str) -> bool:
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder == "":
        return False
    root = Path(folder) if folder else Path(tempfile.gettempdir(), "data-gym-cache")
    path = root / hashlib.sha1(f"{_FILES}{name}.tiktoken".encode(), usedforsecurity=False).hexdigest()
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == _HASHES[name]
    except OSError:
        return False


def byte_level_encoding(tokenizer_json: Path) -> Any:
    """A `tiktoken.Encoding` from the ranks of a byte-level BPE `tokenizer.json`; None where it would count otherwise.

    It encodes about twelve times as fast as `tokenizers`. None too where tiktoken is not installed. That the ids are
    the same is tried on PROBES and on the tokenizer's own words, not assumed: normalizers, SentencePiece models and
    ranks out of merge order are among what makes them differ.
    """
    try:
        import tiktoken
    except ImportError:
        return None
    from tokenizers import Tokenizer

    try:
        data = json.loads(tokenizer_json.read_text(encoding="utf-8"))
        reference = Tokenizer.from_file(str(tokenizer_json))
    except (OSError, ValueError) as _:
        return None
    model, added = data.get("model", {}), {item["content"]: item["id"] for item in data.get("added_tokens", ())}
    pattern = _pattern(data.get("pre_tokenizer"))
    if model.get("type") != "BPE" or data.get("normalizer") is not None or pattern is None:
        return None
    to_byte = {character: byte for byte, character in byte_characters().items()}
    try:
        ranks = {
            bytes(to_byte[character] for character in token): index
            for token, index in model["vocab"].items()
            if token not in added
        }
        encoding = tiktoken.Encoding(
            tokenizer_json.parent.name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=added
        )
        words = reference.decode(list(range(0, reference.get_vocab_size(), 37))[:400])
        same = all(
            encoding.encode(text, allowed_special="all") == reference.encode(text, add_special_tokens=False).ids
            for text in (*PROBES, words, " ".join(PROBES), *added)
        )
    except (KeyError, ValueError, BaseExceptionGroup) as _:
        return None
    return encoding if same else None


def byte_characters() -> dict[int, str]:
    """GPT-2's character for each byte: printable ones stand for themselves, the others are moved beyond 255."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = [byte for byte in range(256) if byte not in set(kept)]
    return {byte: chr(byte) for byte in kept} | {byte: chr(256 + n) for n, byte in enumerate(moved)}


# `use_regex` of ByteLevel in tokenizers: GPT-2's pattern.
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def _pattern(pre_tokenizer: Mapping[str, Any] | None) -> str | None:
    """The one regular expression that cuts text before the merges; None where it is not a single one."""
    steps = (pre_tokenizer or {}).get("pretokenizers", [pre_tokenizer] if pre_tokenizer else [])
    pattern = None
    for step in steps:
        if step["type"] == "Split":
            regex = step["pattern"].get("Regex")
            if pattern is not None or regex is None or step.get("invert") or step["behavior"] != "Isolated":
                return None
            pattern = regex
        elif step["type"] == "ByteLevel":
            if step.get("add_prefix_space"):
                return None
            if step.get("use_regex", True):
                if pattern is not None:
                    return None
                pattern = _GPT2
        else:
            return None
    return pattern
