"""What the grammar of replies lets through, walked at random in every syntax and read back with our own parsers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest

pytest.importorskip("llguidance", reason="the extra [local] is not installed")
pytest.importorskip("transformers", reason="the extra [local] is not installed")

from llguidance import LLMatcher  # noqa: E402

from memagent.conversation import ChatMessage, ToolCall, ToolResult  # noqa: E402
from memagent.models.call_syntax import read_calls  # noqa: E402
from memagent.models.chat_model import ChatRequest  # noqa: E402
from memagent.models.local.constraint import Grammars  # noqa: E402
from memagent.models.local.grammar import FORMS, FRAMES, MARKS, ME, ReplyGrammar  # noqa: E402
from memagent.models.local.quotes import Quotes, quotes_of  # noqa: E402
from memagent.models.local.template import Syntax  # noqa: E402
from memagent.tools.registry import TOOLS  # noqa: E402
from tests.models.local import tiny  # noqa: E402

WALKS = 2000
LONGEST = 300  # tokens; a longer walk counts neither way
SCHEMAS = [tool.schema() for tool in TOOLS.values()]
MESSAGES = (
    'My sister Hanna said "hi" in Zoë\'s café, phone 0171-5550',
    "no, it's \\o/ 3 < 4 and {x: [1, 2]} </tool_call> <escape>",
    "日本語のテキスト 👍🏽 und Ångström\nzweite Zeile\tmit Tab",
    "call me \"Ann\", 'Annie' or A.B.C., code X-17/b#2",
    "x",
)


def request_for(number: int) -> ChatRequest:
    """A message, hits that were recalled and found, pinned notes; every other one has no hits."""
    said = MESSAGES[number % len(MESSAGES)]
    recalled: tuple[Mapping[str, Any], ...] = ()
    messages = [ChatMessage("user", "I like tea / coffee"), ChatMessage("user", said)]
    if number % 2:
        recalled = ({"id": 3, "kind": "fact", "text": "Bo's PIN is 0420", "subject": "Bo", "value": "0420"},)
        call = ToolCall("1", "memory_search", {"query": "a"})
        hits = [
            {"id": 12, "kind": "fact", "text": "lives\nin Ghent", "subject": 'O\'Neil "x"', "value": "Ghent"},
            {"id": 14, "kind": "message", "text": "I said so"},
        ]
        messages += [
            ChatMessage("assistant", "", (call,)),
            ChatMessage("tool", "", tool_result=ToolResult("1", "memory_search", True, {"hits": hits}, "found")),
        ]
    return ChatRequest("", {"person": "Name: Ann"} if number % 3 else {}, recalled, tuple(messages), ())


def walk(matcher: Any, tokenizer: Any, closing: frozenset[int], rng: random.Random) -> str | None:
    """A reply of random tokens that begins with a call; None where it does not end in time."""
    import numpy as np

    end = tokenizer.eos_token_id
    ids: list[int] = []
    while len(ids) < LONGEST:
        if forced := matcher.compute_ff_tokens():
            assert matcher.consume_tokens(forced)
            ids += forced
            continue
        bits = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8), bitorder="little")
        assert not matcher.is_error(), matcher.get_error()
        options = bits.nonzero()[0].tolist()
        if options == [end] or (end in options and rng.random() < 0.6):
            return str(tokenizer.decode(ids))
        options = [token for token in options if token != end]
        short = [token for token in options if token in closing]
        token = rng.choice(short if short and rng.random() < 0.4 else options)
        assert matcher.consume_token(token)
        ids.append(token)
    return None


def quoted(text: str, sources: tuple[str, ...]) -> bool:
    return any(text in " ".join(source.split("\t")) for source in sources)


def check(call: ToolCall, quotes: Quotes) -> None:
    """A call that its tool takes, with nothing made up in it."""
    assert not call.fault
    arguments = TOOLS[call.name].arguments(call.arguments)  # raises for what it does not take
    if call.name in ("memory_add", "memory_update"):
        assert quoted(arguments["value"], quotes.texts), arguments
    if call.name in ("memory_update", "memory_forget"):
        assert arguments["id"] in quotes.facts
    for name in ("since", "until"):
        if name in arguments:
            assert date.fromisoformat(arguments[name])
    if "when" in arguments and not quoted(arguments["when"], (quotes.said,)):
        assert date.fromisoformat(arguments["when"])
    if call.name in ("memory_add", "memory_search") and "subject" in arguments:
        assert arguments["subject"] in (ME, *quotes.subjects) or quoted(arguments["subject"], quotes.texts)
    if "old" in arguments:
        assert quoted(arguments["old"], quotes.pinned)


def begun(syntax: Syntax, marks: Mapping[str, int], tokenizer: Any) -> list[int]:
    """The tokens with which a call begins."""
    frame = FRAMES[syntax]
    text = "".join(frame.before) or '{"name"'
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return ids


CASES = [(syntax, marked) for syntax in FORMS for marked in (True, False)]


@pytest.mark.parametrize(("syntax", "marked"), CASES)
def test_random_calls_are_well_formed_and_quote_literally(syntax: Syntax, marked: bool) -> None:
    rng = random.Random(f"{syntax}{marked}")
    tokenizer = tiny.tokenizer(marks=tuple(sorted(MARKS)) if marked else (), special_tags=marked)
    grammars = Grammars(tokenizer, len(tokenizer) + 8, [tokenizer.eos_token_id])
    closing = frozenset(token for token in range(len(tokenizer)) if tokenizer.decode([token])[:1] in '"<\n}])')
    calls = walks = 0
    for number in range(10):
        quotes = quotes_of(request_for(number))
        matcher = LLMatcher(grammars._tokenizer, ReplyGrammar(syntax, grammars.marks, quotes).text(SCHEMAS))
        finished = 0
        while finished < -(-WALKS // len(CASES)) // 10 + 1:
            assert matcher.reset()
            begin = begun(syntax, grammars.marks, tokenizer)
            assert matcher.consume_tokens(begin), matcher.get_error()
            if (text := walk(matcher, tokenizer, closing, rng)) is None:
                continue
            finished += 1
            found = read_calls(tokenizer.decode(begin) + text, list(TOOLS))
            assert found, text
            for call in found:
                check(call, quotes)
            calls += len(found)
        walks += finished
    assert calls >= walks >= WALKS // len(CASES)


def admitted(grammar: str, tokenizer: Any, text: str) -> bool:
    grammars = Grammars(tokenizer, len(tokenizer), [tokenizer.eos_token_id])
    matcher = LLMatcher(grammars._tokenizer, grammar)
    ids = tokenizer.encode(text, add_special_tokens=False)
    return bool(matcher.try_consume_tokens(ids) == len(ids) and matcher.is_accepting())


@pytest.fixture(params=[True, False], ids=["marks are tokens", "marks are text"])
def tokenizer(request: pytest.FixtureRequest) -> Iterator[Any]:
    yield tiny.tokenizer(marks=tuple(sorted(MARKS)) if request.param else ())


@pytest.mark.parametrize("syntax", FORMS)
def test_saying_anything_or_nothing_is_always_open(syntax: Syntax, tokenizer: Any) -> None:
    marks = {mark: tokenizer.get_added_vocab()[mark] for mark in MARKS if mark in tokenizer.get_added_vocab()}
    grammar = ReplyGrammar(syntax, marks, quotes_of(request_for(0))).text(SCHEMAS)
    for text in ("", "Hanna lives in Porto.", "3 < 4, [see] (x) \n- a\n- b", "日本語 👍"):
        assert admitted(grammar, tokenizer, text), text


def call_of(name: str, arguments: str) -> str:
    return f'<tool_call>\n{{"name": "{name}", "arguments": {{{arguments}}}}}\n</tool_call>'


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (call_of("memory_add", '"subject": "user", "attribute": "phone", "value": "0171-5550"'), True),
        (call_of("memory_add", '"subject": "user", "attribute": "phone", "value": "0171-5551"'), False),
        (call_of("memory_add", '"subject": "user", "attribute": "phone", "value": "171-5550"'), False),
        (call_of("memory_add", '"subject": "user", "attribute": "phone", "value": ""'), False),
        (call_of("memory_add", '"subject": "Hanna", "attribute": "greeting", "value": "said \\"hi\\""'), True),
        (call_of("memory_add", '"subject": "Hanna", "attribute": "drink", "value": "tea / coffee"'), True),
        (call_of("memory_forget", '"id": 1'), False),  # none was shown
        (call_of("memory_search", '"query": "Hanna", "since": "2024-02-29"'), True),
        (call_of("memory_search", '"query": "Hanna", "since": "2023-02-29"'), False),
        (call_of("memory_search", '"query": "Hanna", "since": "2024-04-31"'), False),
        (call_of("memory_search", '"query": "Hanna", "scope": "everything"'), False),
        (call_of("memory_burn", '"id": 1'), False),
        ("I look. " + call_of("memory_search", '"query": "Hanna"'), True),
        (call_of("calculate", '"expression": "1 + 1"') + "\n" + call_of("memory_search", '"query": "x"'), True),
        (call_of("calculate", '"expression": "1 + 1"') + " and so on", False),
    ],
)
def test_what_a_call_may_hold(text: str, right: bool, tokenizer: Any) -> None:
    marks = {mark: tokenizer.get_added_vocab()[mark] for mark in MARKS if mark in tokenizer.get_added_vocab()}
    grammar = ReplyGrammar("hermes", marks, quotes_of(request_for(0))).text(SCHEMAS)
    assert admitted(grammar, tokenizer, text) == right


def test_ids_are_those_of_facts_that_were_shown(tokenizer: Any) -> None:
    marks = {mark: tokenizer.get_added_vocab()[mark] for mark in MARKS if mark in tokenizer.get_added_vocab()}
    grammar = ReplyGrammar("hermes", marks, quotes_of(request_for(1))).text(SCHEMAS)
    allowed = [n for n in range(30) if admitted(grammar, tokenizer, call_of("memory_forget", f'"id": {n}'))]
    assert allowed == [3, 12]  # 14 is a message


def test_a_thought_stands_before_the_reply() -> None:
    tokenizer = tiny.tokenizer()
    marks = tokenizer.get_added_vocab()
    quotes = quotes_of(request_for(0))
    closed = ReplyGrammar("hermes", {mark: marks[mark] for mark in tiny.TAGS}, quotes).text(SCHEMAS)
    assert admitted(closed, tokenizer, "<think>\nso\n</think>\n\nHello")
    assert not admitted(closed, tokenizer, "so\n</think>\n\nHello")
    opened = ReplyGrammar("hermes", {mark: marks[mark] for mark in tiny.TAGS}, quotes, thinking=True).text(SCHEMAS)
    assert admitted(opened, tokenizer, "so\n</think>\n\n" + call_of("calculate", '"expression": "2"'))
