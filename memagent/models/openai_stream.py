"""From the chunks of an OpenAI-compatible server to text, reasoning and tool calls, whatever the server's habits.

What servers do differently, and what is made of it:

    Ollama      a whole call in one chunk; parallel calls all with index 0 or none; `finish_reason` "stop" after calls,
                or "" in every chunk; arguments now and then as an object; reasoning in `delta.reasoning`
    llama.cpp   arguments in fragments; reasoning in `delta.reasoning_content`
    vLLM        a new id in every fragment of one call behind some gateways; no arguments for a tool without any;
                with the wrong parser the call arrives as text
    LM Studio   an empty name in every fragment after the first; an empty id; a call without a function
    OpenAI      "stop" with calls; usage in a chunk of its own, without choices

So: a call was made when calls were seen, whatever the reason of finishing says; a fragment with a name begins a call
unless that call has one and no arguments yet; no arguments are `{}`; calls in the text are read by `call_syntax`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from memagent.conversation import ReasoningDelta, ToolCall
from memagent.errors import ModelError
from memagent.models.call_syntax import call_of
from memagent.models.chat_model import Output, Usage
from memagent.models.reply_text import ReplyText

CUT = "the server cut its reply off"


@dataclass
class _Part:
    """One call as far as it has arrived."""

    index: int | None
    id: str = ""
    name: str = ""
    text: str = ""
    given: Mapping[str, Any] | None = None  # arguments that came as an object

    @property
    def complete(self) -> bool:
        """Whether its arguments are all there, so that more of them belong to another call."""
        if self.given is not None:
            return True
        try:
            return isinstance(json.loads(self.text), Mapping)
        except (ValueError, RecursionError):
            return False


@dataclass
class StreamReader:
    """Reads one reply. `feed` each chunk, then `end`."""

    tools: Sequence[str]
    turn: str = ""  # makes the ids of calls unique in a turn where the server gives none
    _text: ReplyText = field(init=False)
    _parts: list[_Part] = field(default_factory=list)
    _usage: Usage | None = None
    _finish: str = ""

    def __post_init__(self) -> None:
        self._text = ReplyText(self.tools, prefix=self.turn)

    @property
    def finish(self) -> str:
        """The reason of finishing, as the server gave it; empty before the end and where the reply was cut off."""
        return self._finish

    def feed(self, chunk: Mapping[str, Any]) -> Iterator[Output]:
        """What a chunk adds that can be shown already. Raises ModelError for an error inside the stream."""
        usage = chunk.get("usage")
        if isinstance(usage, Mapping):
            self._usage = _usage(usage)
        for choice in (chunk.get("choices") or ())[:1]:
            delta = choice.get("delta") or choice.get("message") or {}
            for name in ("reasoning_content", "reasoning"):
                if isinstance(delta.get(name), str) and delta[name]:
                    yield ReasoningDelta(delta[name])
                    break
            if isinstance(delta.get("content"), str):
                yield from self._text.feed(delta["content"])
            for fragment in delta.get("tool_calls") or ():
                self._add(fragment)
            self._finish = choice.get("finish_reason") or self._finish

    def end(self) -> Iterator[Output]:
        """The rest: held text, calls in their order, usage. Raises ModelError where the stream broke off."""
        if not self._finish:
            raise ModelError(CUT, "what was said is kept; ask again, and look at the server's log")
        written: list[ToolCall] = []
        for output in self._text.end():
            if isinstance(output, ToolCall):
                written.append(output)
            else:
                yield output
        calls = [self._call(number, part) for number, part in enumerate(self._parts) if part.name]
        yield from calls or written
        if self._usage is not None:
            yield self._usage

    def _add(self, fragment: Mapping[str, Any]) -> None:
        function = fragment.get("function") or {}
        name, arguments = function.get("name") or "", function.get("arguments")
        part = self._part_of(fragment.get("index"), fragment.get("id") or "", name)
        part.name = part.name or name
        if isinstance(arguments, Mapping):
            part.given = arguments
        elif arguments:
            part.text += str(arguments)

    def _part_of(self, index: int | None, identity: str, name: str) -> _Part:
        """The call that a fragment belongs to; a new one where it begins another."""
        same = [part for part in self._parts if part.index == index]
        if same:
            part = same[-1]
            other = bool(identity and part.id and identity != part.id)
            begins = bool(name) and bool(part.name) and (other or part.complete or bool(part.text))
            if not begins:
                return part
        elif self._parts and index is None and not name:
            return self._parts[-1]
        part = _Part(index, identity)
        self._parts.append(part)
        return part

    def _call(self, number: int, part: _Part) -> ToolCall:
        identity = part.id or f"{self.turn}call-{number}"
        if any(earlier.id == part.id for earlier in self._parts[:number]):
            identity = f"{self.turn}call-{number}"
        return call_of(identity, part.name, part.given if part.given is not None else part.text)


def _usage(usage: Mapping[str, Any]) -> Usage:
    details = usage.get("prompt_tokens_details") or {}
    return Usage(
        int(usage.get("prompt_tokens") or 0),
        int(usage.get("completion_tokens") or 0),
        int(details.get("cached_tokens") or 0),
    )
