"""The prompt as a checkpoint's own chat template writes it, and in which syntax its family writes calls.

What a template can do is found out by rendering small conversations with it, not by its name. A template without tools
gets them as text, in the manner of Hermes.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from memagent.errors import ModelError

Syntax = Literal["hermes", "qwen_xml", "llama_json", "pythonic", "gemma", "mistral", "mistral_args", "tag_list"]
Message = dict[str, Any]

USER: Message = {"role": "user", "content": "a"}
CALL: Message = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {"id": "000000000", "type": "function", "function": {"name": "probe_tool", "arguments": {"probe_key": "seen"}}}
    ],
}
RESULT: Message = {"role": "tool", "tool_call_id": "000000000", "name": "probe_tool", "content": "probe_result"}
SCHEMA = {
    "type": "function",
    "function": {
        "name": "probe_tool",
        "description": "probe",
        "parameters": {"type": "object", "properties": {"probe_key": {"type": "string"}}, "required": ["probe_key"]},
    },
}
AS_TEXT = (
    "\n\n# Tools\n\nYou may call these functions, described in JSON:\n<tools>\n{tools}\n</tools>\n\nTo call one, reply "
    'only with\n<tool_call>\n{{"name": NAME, "arguments": OBJECT}}\n</tool_call>\nIts result follows in '
    "<tool_response></tool_response>."
)


@dataclass(frozen=True)
class Dialect:
    """What a chat template takes."""

    syntax: Syntax
    tools: bool  # it renders tools, calls and results by itself
    system: bool  # it takes a system message
    repeats: bool  # it takes two messages of one role in a row


class ChatTemplate:
    """Renders messages in OpenAI's form, with arguments as mappings, for one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        marks = sorted(tokenizer.get_added_vocab(), key=len, reverse=True)
        self._marks = re.compile(
            "|".join(f"(?:{re.escape(mark[0])})(?={re.escape(mark[1:])})" for mark in marks if mark[1:])
        )
        self.dialect = self._probe()

    def render(
        self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]], *, open_reply: bool = True
    ) -> str:
        """The prompt as text. `open_reply` ends it where the model's reply begins. Raises ModelError."""
        given = [self._safe(message) for message in messages]
        number = 0
        for message in given:
            for call in message.get("tool_calls", ()):
                call["id"] = f"{number:09d}"  # Mistral's templates take nine letters or digits
                number += 1
        number = 0
        for message in given:
            if message["role"] == "tool":
                message["tool_call_id"] = f"{number:09d}"
                number += 1
        if not self.dialect.tools:
            given = _calls_as_text(given, tools)
        if not self.dialect.system:
            given = _system_in_first(given)
        if not self.dialect.repeats:
            given = _alternating(given)
        try:
            return self._apply(given, list(tools) if self.dialect.tools and tools else None, open_reply)
        except Exception as error:  # templates raise what they like
            raise ModelError(
                f"the chat template of the model fails: {' '.join(str(error).split())[:200]}", "use another model"
            ) from None

    def encode(self, text: str) -> list[int]:
        """Token ids of a rendered text, marks of the template as their own tokens."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids

    def _apply(self, messages: Sequence[Message], tools: list[Any] | None, open_reply: bool) -> str:
        text: str = self._tokenizer.apply_chat_template(
            messages, tools=tools, add_generation_prompt=open_reply, tokenize=False, enable_thinking=False
        )
        return text

    def _safe(self, message: Message) -> Message:
        """A copy whose words hold none of the tokenizer's marks."""
        made = copy.deepcopy(message)
        if isinstance(made.get("content"), str):
            made["content"] = self._marks.sub(lambda match: match.group() + " ", made["content"])
        return made

    def _probe(self) -> Dialect:
        first: Message = {"role": "system", "content": "probe_system"}
        system = self._renders([first, USER], None, "probe_system")
        begin = [first, USER] if system else [USER]
        written = self._written_call(begin)
        syntax = _syntax_of(written) if written else None
        tools = (
            syntax is not None
            and self._renders(begin, [SCHEMA], "probe_tool")
            and self._renders([*begin, CALL, RESULT], [SCHEMA], "probe_result")
        )
        repeats = self._renders([*begin, {"role": "user", "content": "probe_again"}], None, "probe_again")
        return Dialect(syntax if tools and syntax else "hermes", tools, system, repeats)

    def _written_call(self, begin: Sequence[Message]) -> str:
        """How the template writes a call; empty where it cannot."""
        try:
            before = self._apply(begin, [SCHEMA], False)
            text = self._apply([*begin, CALL], [SCHEMA], False)
        except Exception:  # a template that refuses is one that does not take calls
            return ""
        return text[len(before) :] if text.startswith(before) else text.rpartition("probe_tool")[0][-40:] + "probe_tool"

    def _renders(self, messages: list[Message], tools: list[Any] | None, wanted: str) -> bool:
        try:
            return wanted in self._apply(messages, tools, True)
        except Exception:  # see above
            return False


def _syntax_of(written: str) -> Syntax | None:
    """The syntax in which the call of `probe_tool` was written; None for one that we do not know."""
    if "probe_tool" not in written:
        return None
    if "<function=" in written:
        return "qwen_xml"
    if "<start_function_call>" in written:
        return "gemma"
    if "<|tool_call_start|>" in written or re.search(r"probe_tool\(probe_key=", written):
        return "pythonic"
    if "[TOOL_CALLS]" in written:
        return "mistral_args" if "[ARGS]" in written else "mistral"
    if re.search(r'<tool_call>\s*\{\s*"name"', written):
        return "hermes"
    if "<|tool_call|>" in written:
        return "tag_list"
    return "llama_json" if '"parameters"' in written else None


def _calls_as_text(messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Tools in the instructions, calls in the assistant's words, results in the person's."""
    made: list[Message] = []
    for message in messages:
        text = message["content"]
        if message["role"] == "system" and tools:
            lines = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
            made.append({"role": "system", "content": text + AS_TEXT.format(tools=lines)})
        elif message["role"] == "tool":
            made.append({"role": "user", "content": f"<tool_response>\n{text}\n</tool_response>"})
        elif message.get("tool_calls"):
            calls = "\n".join(hermes_call(call["function"]) for call in message["tool_calls"])
            made.append({"role": "assistant", "content": f"{text}\n{calls}".strip()})
        else:
            made.append({"role": message["role"], "content": text})
    return made


def hermes_call(function: Mapping[str, Any]) -> str:
    body = json.dumps({"name": function["name"], "arguments": function["arguments"]}, ensure_ascii=False)
    return f"<tool_call>\n{body}\n</tool_call>"


def _system_in_first(messages: Sequence[Message]) -> list[Message]:
    """The instructions in front of the first thing that the person said."""
    if messages[0]["role"] != "system":
        return list(messages)
    system, rest = messages[0]["content"], [dict(message) for message in messages[1:]]
    first = next(index for index, message in enumerate(rest) if message["role"] == "user")
    rest[first]["content"] = f"{system}\n\n{rest[first]['content']}"
    return rest


def _alternating(messages: Sequence[Message]) -> list[Message]:
    """Messages of one role in a row as one; an assistant's in front of all others has nothing that it answers."""
    made: list[Message] = []
    for message in messages:
        last = made[-1] if made else None
        if message["role"] == "assistant" and (last is None or last["role"] == "system"):
            continue
        joins = message["role"] in ("user", "assistant") and not message.get("tool_calls")
        if last is not None and joins and last["role"] == message["role"] and not last.get("tool_calls"):
            made[-1] = {**last, "content": f"{last['content']}\n\n{message['content']}"}
        else:
            made.append(message)
    return made
