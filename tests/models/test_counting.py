"""Tokens are counted by the model's own ranks where those are at hand; nothing is ever fetched for it."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from memagent.models import counting
from memagent.models.counting import PROBES, Estimate, byte_level_encoding, openai_count

tiktoken = pytest.importorskip("tiktoken", reason="tiktoken is not installed")

QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEXTS = [
    *PROBES,
    *Path(__file__).read_text(encoding="utf-8").splitlines(),
    *Path(counting.__file__).read_text().split("\n"),
]


def trained(folder: Path, *, pattern: str | None = None, normalizer: Any = None) -> Path:
    """A byte-level BPE trained on a few texts, with added tokens; the path of its tokenizer.json."""
    tokenizer = Tokenizer(models.BPE())
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern is None)
    split = pre_tokenizers.Split(Regex(pattern), "isolated") if pattern else None
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level]) if split else byte_level
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(
        vocab_size=900, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.add_tokens([AddedToken("<|im_start|>", special=True), AddedToken("<tool_call>", special=False)])
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.mark.parametrize("pattern", [None, QWEN])
def test_ranks_of_a_byte_level_tokenizer_give_its_own_ids(tmp_path: Path, pattern: str | None) -> None:
    path = trained(tmp_path, pattern=pattern)
    encoding = byte_level_encoding(path)
    reference = Tokenizer.from_file(str(path))
    assert encoding is not None
    for text in [*TEXTS, "a<tool_call>{}<|im_start|>user\n"]:
        assert encoding.encode(text, allowed_special="all") == reference.encode(text, add_special_tokens=False).ids


@given(text=st.text(max_size=120))
def test_any_text_has_the_same_ids(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    global _SHARED
    if _SHARED is None:
        path = trained(tmp_path_factory.mktemp("tokenizer"), pattern=QWEN)
        _SHARED = byte_level_encoding(path), Tokenizer.from_file(str(path))
    encoding, reference = _SHARED
    assert encoding.encode_ordinary(text) == reference.encode(text, add_special_tokens=False).ids


_SHARED: Any = None


def changed(path: Path, **parts: Any) -> Path:
    data = json.loads(path.read_text(encoding="utf-8"))
    data.update(parts)
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_a_tokenizer_that_would_count_otherwise_is_left_to_its_library(tmp_path: Path) -> None:
    assert byte_level_encoding(trained(tmp_path, normalizer=normalizers.NFC())) is None
    path = trained(tmp_path)
    vocabulary = json.loads(path.read_text(encoding="utf-8"))["model"]
    names = sorted(vocabulary["vocab"], key=vocabulary["vocab"].__getitem__)
    shuffled = dict(zip(names[:256] + names[256:][::-1], range(len(names)), strict=True))
    assert byte_level_encoding(changed(path, model=vocabulary | {"vocab": shuffled})) is None, "ids not in merge order"
    path.write_text("{", encoding="utf-8")
    assert byte_level_encoding(path) is None
    assert byte_level_encoding(tmp_path / "none.json") is None


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every attempt to reach the network fails, and is noted."""
    tried: list[Any] = []

    def refuse(*arguments: Any, **_: Any) -> None:
        tried.append(arguments)
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tried


@pytest.mark.parametrize("content", [None, b"not the ranks"])
def test_openai_models_are_counted_only_where_their_file_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: list[Any], content: bytes | None
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    name = hashlib.sha1(b"https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken").hexdigest()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert openai_count("gpt-4o") is None
    assert openai_count("qwen3:4b") is None
    assert no_network == []
    assert content is None or (tmp_path / name).read_bytes() == content, "a file of the user is not removed"


def test_openai_models_are_counted_by_their_ranks_where_the_file_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: list[Any]
) -> None:
    ranks = b"\n".join(base64.b64encode(bytes([byte])) + b" %d" % byte for byte in range(256))
    name = hashlib.sha1(b"https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken").hexdigest()
    (tmp_path / name).write_bytes(ranks)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    digest = hashlib.sha256(ranks).hexdigest()
    monkeypatch.setitem(counting._HASHES, "o200k_base", digest)
    import tiktoken_ext.openai_public as public
    from tiktoken import registry

    loaded = public.load_tiktoken_bpe
    monkeypatch.setattr(public, "load_tiktoken_bpe", lambda url, expected_hash: loaded(url, expected_hash=digest))
    monkeypatch.setattr(registry, "ENCODINGS", {})
    count = openai_count("gpt-4o")
    assert count is not None and count(["hello", ""]) == [5, 0], "each byte is a token of these ranks"
    assert no_network == []


def test_an_estimate_rounds_up_and_learns_from_a_server() -> None:
    estimate = Estimate()
    assert estimate([""]) == [0]
    (before,) = estimate(["x" * 350])
    assert before >= 110
    estimate.learn(before, 2 * before)
    assert estimate(["x" * 350])[0] >= 2 * before, "too low is mended at once"
    for _ in range(60):
        estimate.learn(estimate(["x" * 350])[0], 80)
    assert 80 <= estimate(["x" * 350])[0] <= 96
    estimate.learn(100, 0)
    estimate.learn(100, 10**9)
    assert estimate.ratio <= counting.MOST_RATIO
