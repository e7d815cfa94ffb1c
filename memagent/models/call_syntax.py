"""How model families write tool calls in text, and how such text is read.

    hermes        <tool_call>{"name": N, "arguments": {...}}</tool_call>                     Qwen2.5, Qwen3, SmolLM3
    qwen_xml      <tool_call><function=N><parameter=A>V</parameter></function></tool_call>   Qwen3-Coder, Qwen3.5
    llama_json    {"name": N, "parameters": {...}}, bare or after <|python_tag|>             Llama 3.1, 3.2
    pythonic      <|tool_call_start|>[N(a="v", b=1)]<|tool_call_end|>, or the list bare      LFM2, Llama 4
    gemma         <start_function_call>call:N{a:<escape>v<escape>,b:1}<end_function_call>    FunctionGemma
    mistral       [TOOL_CALLS][{"name": N, "arguments": {...}}] or [TOOL_CALLS]N[ARGS]{...}  Mistral, Ministral
    tag_list      <|tool_call|>[{"name": N, "arguments": {...}}]                             Granite, Phi-4-mini

A call that is marked as one is taken even if its tool is unknown, and one whose arguments cannot be read becomes a
fault: both are told to the model, which can mend them. Unmarked text is a call only where all of it is one, of a tool
that there is; anything else is text.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from memagent.conversation import ToolCall

MARKS = (
    "<tool_call>",
    "<|tool_call_start|>",
    "<|tool_call|>",
    "<|python_tag|>",
    "<start_function_call>",
    "[TOOL_CALLS]",
    "<function=",
)
UNMARKED = ("{", "[", "```")  # what an unmarked call begins with, and nothing else may stand in front of it

_MARK = re.compile("|".join(map(re.escape, MARKS)))
_XML = re.compile(r"<function=([^>\s]+)>(.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([^>\s]+)>\n?(.*?)\n?(?:</parameter>|(?=<parameter=)|\Z)", re.DOTALL)
_GEMMA = re.compile(r"call:\s*([\w.-]+)\s*\{(.*?)\}\s*(?:<end_function_call>|\Z)", re.DOTALL)
_GEMMA_ARGUMENT = re.compile(r"\s*([\w.-]+)\s*:\s*(?:<escape>(.*?)<escape>|([^,]*))\s*(?:,|\Z)", re.DOTALL)
_MISTRAL = re.compile(r"([\w.-]+)(?:\[CALL_ID\][^\[{]*)?(?:\[ARGS\])?(?=\{)")
_FENCE = re.compile(r"```(?:json|tool_call|tool_code|python)?\s*\n?(.*?)\s*```\s*", re.DOTALL)

Read = Iterator[tuple[str, Mapping[str, Any] | str]]


def mark_in(text: str) -> int | None:
    """Where the first mark of a call begins; None without one."""
    found = _MARK.search(text)
    return found.start() if found else None


def read_calls(text: str, tools: Sequence[str], prefix: str = "") -> list[ToolCall]:
    """The calls written in `text`, in order; empty where it holds none. Ids are `prefix` and a number."""
    at = mark_in(text)
    if at is None:
        found = [(name, arguments) for name, arguments in _unmarked(text.strip()) if name in tools]
    else:
        found = list(_marked(text[at:]))
    return [call_of(f"{prefix}call-{number}", name, arguments) for number, (name, arguments) in enumerate(found)]


def call_of(identity: str, name: str, arguments: Mapping[str, Any] | str) -> ToolCall:
    """A call with its arguments as a mapping; text that is none becomes a fault, which the model is told."""
    if isinstance(arguments, Mapping):
        return ToolCall(identity, name, dict(arguments))
    try:
        value = json.loads(arguments) if arguments.strip() else {}
        if isinstance(value, str):  # encoded twice
            value = json.loads(value)
    except (ValueError, RecursionError) as error:
        return ToolCall(identity, name, {}, fault=f"the arguments of {name} are no valid JSON: {error}")
    if not isinstance(value, Mapping):
        return ToolCall(identity, name, {}, fault=f"the arguments of {name} must be a JSON object")
    return ToolCall(identity, name, dict(value))


def _marked(text: str) -> Read:
    """The calls of a text that begins with a mark."""
    for body in (piece for piece in re.split(_MARK.pattern.replace("|<function=", ""), text) if piece.strip()):
        if "<function=" in body:
            for name, inner in _XML.findall(body):
                yield name, {key: _scalar(value) for key, value in _PARAMETER.findall(inner)}
        elif gemma := _GEMMA.search(body):
            yield gemma.group(1), dict(_gemma_arguments(gemma.group(2)))
        else:
            yield from _body(body)


def _body(body: str) -> Read:
    """JSON objects, a JSON list, a pythonic list, or Mistral's NAME[ARGS]{...}."""
    body = re.sub(r"(?:</tool_call>|<\|/?tool_call(?:_end)?\|>|<\|eom_id\|>|</s>)\s*\Z", "", body.strip()).strip()
    if mistral := _MISTRAL.match(body):
        yield mistral.group(1), body[mistral.end() :]
        return
    found = list(_json_calls(body)) or list(_pythonic(body))
    if found:
        yield from found
    elif name := re.search(r'"name"\s*:\s*"([^"]+)"', body):
        arguments = body.partition('"arguments"')[2] or body.partition('"parameters"')[2]
        yield name.group(1), arguments.lstrip(" :") or body


def _unmarked(text: str) -> Read:
    fenced = _FENCE.fullmatch(text)
    body = fenced.group(1) if fenced else text
    if body.startswith(("{", "[")):
        yield from list(_json_calls(body)) or list(_pythonic(body))


def _json_calls(text: str) -> Read:
    """Calls of one or more JSON values with nothing but separators between them; none where anything else is there."""
    decoder = json.JSONDecoder(strict=False)
    values, at = [], 0
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        values += value if isinstance(value, list) else [value]
        at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n;,"))
    for value in values:
        if not isinstance(value, Mapping):
            return
        function = value.get("function")
        inner = function if isinstance(function, Mapping) else value
        name = inner.get("name")
        if not isinstance(name, str) or not name:
            return
        arguments = inner.get("arguments", inner.get("parameters", {}))
        yield name, arguments if isinstance(arguments, Mapping | str) else {}


def _pythonic(text: str) -> Read:
    """Calls of a list of Python calls with keyword arguments that are literals."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    nodes = tree.elts if isinstance(tree, ast.List) else [tree]
    for node in nodes:
        if not isinstance(node, ast.Call) or node.args or not isinstance(node.func, ast.Name):
            return
        try:
            yield node.func.id, {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg}
        except ValueError:
            return


def _gemma_arguments(text: str) -> Iterator[tuple[str, Any]]:
    for key, quoted, bare in _GEMMA_ARGUMENT.findall(text):
        yield key, quoted if quoted or not bare else _scalar(bare.strip())


def _scalar(text: str) -> Any:
    """A number or truth value where the text is one; the tools take either form, so all else stays text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, int | float | bool) else text
