r"""The grammar of a reply: free text, or calls from the mark of a call on, in the syntax of the model's family.

Written in llguidance's variant of Lark (docs/syntax.md of llguidance). Within a call the tool is one of those offered;
ids are numbers of facts that were shown; values are literal pieces of what was said or shown; dates are ISO dates that
exist; all else has a bounded length. A tool whose required arguments cannot be filled is not offered. Not to call
anything is always open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memagent.models.local.quotes import Quotes, pieces
from memagent.models.local.template import Syntax

# What an argument of a tool may hold, where its type does not say it all.
SHOWN_IDS = frozenset({("memory_update", "id"), ("memory_end", "id"), ("memory_forget", "id")})
QUOTED = frozenset({("memory_add", "value"), ("memory_update", "value")})
SUBJECTS = frozenset({("memory_add", "subject"), ("memory_search", "subject")})
SPOKEN_TIMES = frozenset({("memory_add", "when")})
DATES = frozenset({("memory_search", "since"), ("memory_search", "until")})
PINNED = frozenset({("core_memory_edit", "old")})
NAMES = frozenset({"attribute", "block"})
LENGTHS = {"query": 300, "new": 500}
LENGTH = 200  # characters of any other text
ME = "user"

YEAR = "(19|20)[0-9][0-9]"
LEAP = "(19|20)([2468][048]|0[48]|[13579][26])|2000"
DATE = (
    f"({YEAR})-(((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01]))|((0[469]|11)-(0[1-9]|[12][0-9]|30))"
    f"|(02-(0[1-9]|1[0-9]|2[0-8])))|({LEAP})-02-29"
)
NAME = r"[\p{L}\p{N}][\p{L}\p{N} _'\-]{0,40}"


@dataclass(frozen=True)
class Form:
    """How a syntax writes values."""

    quote: str  # around strings; a mark of the tokenizer for Gemma
    escaped: bool  # with backslashes, as in JSON; else quotes cannot stand in strings
    truth: tuple[str, str] = ("true", "false")

    def escape(self, text: str) -> str | None:
        """The text as it stands in a string; None where it cannot."""
        if self.escaped:
            return json.dumps(text, ensure_ascii=False)[1:-1]
        return None if "<" in text else text

    @property
    def character(self) -> str:
        return r'([^"\\\x00-\x1F\x7F]|\\["\\nrt])' if self.escaped else r"[^<\x00-\x1F\x7F]"

    @property
    def visible(self) -> str:
        return r'([^"\\\s\x00-\x1F\x7F]|\\["\\])' if self.escaped else r"[^<\s\x00-\x1F\x7F]"


FORMS: dict[Syntax, Form] = {
    "hermes": Form('"', True),
    "llama_json": Form('"', True),
    "mistral": Form('"', True),
    "mistral_args": Form('"', True),
    "tag_list": Form('"', True),
    "pythonic": Form('"', True, ("True", "False")),
    "gemma": Form("<escape>", False),
    "qwen_xml": Form("", False),
}


@dataclass(frozen=True)
class Frame:
    """How a syntax writes calls: `before` the first, `between` two, `after` the last; marks among them as text."""

    before: Sequence[str]
    between: Sequence[str]
    after: Sequence[str]
    head: str  # {name} is the tool's
    tail: Sequence[str]
    key: str  # {key} is the argument's
    end: str  # of an argument
    comma: str  # between arguments


JSON_KEYS = {"key": '"{key}": ', "end": "", "comma": ", "}
_HERMES = ("<tool_call>", "\n")
FRAMES: dict[Syntax, Frame] = {
    "hermes": Frame(
        _HERMES,
        ("\n", "</tool_call>", "\n", *_HERMES),
        ("\n", "</tool_call>"),
        '{{"name": "{name}", "arguments": {{',
        ("}}",),
        **JSON_KEYS,
    ),
    "llama_json": Frame((), ("; ",), (), '{{"name": "{name}", "parameters": {{', ("}}",), **JSON_KEYS),
    "mistral": Frame(
        ("[TOOL_CALLS]", "["), (", ",), ("]",), '{{"name": "{name}", "arguments": {{', ("}}",), **JSON_KEYS
    ),
    "mistral_args": Frame(("[TOOL_CALLS]",), ("[TOOL_CALLS]",), (), "{name}\0[ARGS]\0{{", ("}",), **JSON_KEYS),
    "tag_list": Frame(
        ("<|tool_call|>", "["), (", ",), ("]",), '{{"name": "{name}", "arguments": {{', ("}}",), **JSON_KEYS
    ),
    "pythonic": Frame(
        ("<|tool_call_start|>", "["), (", ",), ("]", "<|tool_call_end|>"), "{name}(", (")",), "{key}=", "", ", "
    ),
    "gemma": Frame(
        ("<start_function_call>",),
        ("<end_function_call>", "<start_function_call>"),
        ("<end_function_call>",),
        "call:{name}{{",
        ("}",),
        "{key}:",
        "",
        ",",
    ),
    "qwen_xml": Frame(
        _HERMES,
        ("\n", "</tool_call>", "\n", *_HERMES),
        ("\n", "</tool_call>"),
        "<function={name}>\n",
        ("</function>",),
        "<parameter={key}>\n",
        "\n</parameter>\n",
        "",
    ),
}
MARKS = frozenset(
    {
        "<tool_call>",
        "</tool_call>",
        "[TOOL_CALLS]",
        "[ARGS]",
        "<|tool_call|>",
        "<|tool_call_start|>",
        "<|tool_call_end|>",
        "<start_function_call>",
        "<end_function_call>",
        "<escape>",
        "<think>",
        "</think>",
    }
)


class ReplyGrammar:
    """Builds the grammar of one reply. `marks` gives the token of a mark; a mark that is none is several tokens."""

    def __init__(self, syntax: Syntax, marks: Mapping[str, int], quotes: Quotes, *, thinking: bool = False) -> None:
        self._form, self._frame, self._syntax = FORMS[syntax], FRAMES[syntax], syntax
        self._marks = marks
        self._quotes = quotes
        self._thinking = thinking
        self._rules: dict[str, str] = {}

    def text(self, tools: Sequence[Mapping[str, Any]]) -> str:
        """The grammar for a request that offers `tools`."""
        offered = [rule for tool in tools if (rule := self._tool(tool["function"])) is not None]
        frame = self._frame
        start = "reply"
        if offered:
            self._rules["call"] = " | ".join(offered)
            calls = f"call ({self._literal(frame.between)} call)* {self._literal(frame.after)}"
            trigger = frame.before[0] if frame.before else ""
            if not trigger:
                self._rules["reply"] = f"TALK? | {calls}"
                self._rules["TALK"] = r"/[^{\s](.|\n)*/"
            elif trigger in self._marks:
                self._rules["reply"] = f"TEXT? ({self._literal(frame.before)} {calls})?"
            else:
                self._rules["reply"] = f"TEXT? | opened {self._literal(frame.before[1:])} {calls}"
                self._rules["opened[lazy]"] = f"/(.|\\n)*{_pattern(trigger)}/"
        else:
            self._rules["reply"] = "TEXT?"
        if "<think>" in self._marks and "</think>" in self._marks:
            close = f"TEXT? {self._literal(['</think>'])} BLANK?"
            opened = close if self._thinking else f"({self._literal(['<think>'])} {close})?"
            self._rules["thought"] = opened
            self._rules["BLANK"] = r"/\s+/"
            start = "thought reply"
        self._rules["TEXT"] = r"/(.|\n)+/"
        # llguidance 1.9.1 panics where a token that is a mark is forced behind a lexeme that has no fixed end.
        options = '{"no_forcing": true}' if self._form.quote in self._marks else "{}"
        return "\n".join([f"%llguidance {options}", f"start: {start}", *(f"{k}: {v}" for k, v in self._rules.items())])

    def _tool(self, function: Mapping[str, Any]) -> str | None:
        """The rule of one call; None where a required argument has nothing that it could hold."""
        name = str(function["name"])
        required = frozenset(function["parameters"].get("required", ()))
        arguments: list[tuple[str, str, bool]] = []
        for key, schema in function["parameters"].get("properties", {}).items():
            value = self._value(name, key, schema)
            if value is None and key in required:
                return None
            if value is not None:
                written = f"{_string(self._frame.key.format(key=key))} {value}"
                arguments.append((key, written + self._more(self._frame.end), key in required))
        head = [part for part in self._frame.head.format(name=name).split("\0") if part]
        rule = f"call_{name}"
        body = self._members(rule, arguments)
        self._rules[rule] = f"{self._literal(head)} {body} {self._literal(self._frame.tail)}"
        return rule

    def _members(self, rule: str, arguments: Sequence[tuple[str, str, bool]]) -> str:
        """Rules for arguments in their order, each optional one there or not, with commas between."""
        for first in (True, False):
            for index in range(len(arguments), -1, -1):
                name = f"{rule}_{'a' if first else 'b'}{index}"
                if index == len(arguments):
                    self._rules[name] = '""'
                    continue
                _, written, needed = arguments[index]
                comma = "" if first or not self._frame.comma else _string(self._frame.comma) + " "
                with_it = f"{comma}{written} {rule}_b{index + 1}"
                without = f" | {rule}_{'a' if first else 'b'}{index + 1}"
                self._rules[name] = with_it + ("" if needed else without)
        return f"{rule}_a0"

    def _value(self, tool: str, key: str, schema: Mapping[str, Any]) -> str | None:
        """What an argument may hold; None for nothing at all."""
        place = (tool, key)
        if place in SHOWN_IDS:
            return _any(map(str, self._quotes.facts))
        if place in QUOTED:
            return self._quoted("QUOTE", self._quotes.texts)
        if place in SPOKEN_TIMES:
            spoken = self._quoted("SPOKEN", (self._quotes.said,))
            return f"({spoken} | {self._string(DATE, 'DATE')})" if spoken else self._string(DATE, "DATE")
        if place in PINNED:
            return self._quoted("PINNED", self._quotes.pinned)
        if place in DATES or schema.get("format") == "date":
            return self._string(DATE, "DATE")
        if place in SUBJECTS:
            return self._subject()
        kind = schema.get("type", "string")
        if "enum" in schema:
            return "(" + " | ".join(self._fixed(str(option)) for option in schema["enum"]) + ")"
        if kind == "boolean":
            return _any(self._form.truth)
        if kind in ("integer", "number"):
            self._rules["WHOLE"] = "/[1-9][0-9]{0,5}/"
            self._rules["NUMBER"] = r"/-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?/"
            return "WHOLE" if kind == "integer" else "NUMBER"
        if key in NAMES:
            return self._string(NAME, "NAME")
        length = LENGTHS.get(key, LENGTH)
        return self._string(f"{self._form.visible}{self._form.character}{{0,{length - 1}}}", f"FREE{length}")

    def _subject(self) -> str:
        options = [self._fixed(ME), *(self._fixed(subject) for subject in self._quotes.subjects if subject != ME)]
        quoted = self._quoted("QUOTE", self._quotes.texts)
        return "(" + " | ".join([*options, *([quoted] if quoted else [])]) + ")"

    def _quoted(self, name: str, texts: Sequence[str]) -> str | None:
        """A string that is a piece of one of the texts, of whole words, within a line; None where there are none."""
        chunks: list[str] = []
        for text in texts:
            for piece in pieces(text):
                written = None if piece == "\n" else self._form.escape(piece)
                chunks.append("\n" if written is None else written)
            chunks.append("\n")
        if not any(chunk.strip() for chunk in chunks):
            return None
        self._rules[f"{name}_ANY"] = f"%regex {json.dumps({'substring_chunks': chunks}, ensure_ascii=False)}"
        self._rules[f"{name}_ONE"] = f"{name}_ANY & " + r"/[^\s]([^\n]*[^\s])?/"
        return self._enclosed(f"{name}_ONE")

    def _string(self, pattern: str, name: str) -> str:
        self._rules[name] = "/" + pattern.replace("/", r"\/") + "/"
        return self._enclosed(name)

    def _fixed(self, text: str) -> str:
        return self._enclosed(_string(self._form.escape(text) or text))

    def _enclosed(self, body: str) -> str:
        quote = self._form.quote
        return f"{self._literal([quote])} {body} {self._literal([quote])}" if quote else body

    def _literal(self, parts: Sequence[str]) -> str:
        """Texts and marks in a row; a mark that is one token of the model as that token."""
        return " ".join(f"<[{self._marks[part]}]>" if part in self._marks else _string(part) for part in parts) or '""'

    def _more(self, text: str) -> str:
        return f" {_string(text)}" if text else ""


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _any(options: Iterable[str]) -> str | None:
    written = [_string(option) for option in options]
    return f"({' | '.join(written)})" if written else None


def _pattern(text: str) -> str:
    return re.sub(r"[\\\[\](){}.*+?^$|/]", r"\\\g<0>", text)
