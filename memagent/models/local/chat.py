"""A transformers checkpoint in this process as a chat model."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from memagent.conversation import ToolCall
from memagent.errors import ModelError
from memagent.models.chat_model import ChatRequest, Output, Usage
from memagent.models.counting import Count
from memagent.models.local.checkpoint import Checkpoint
from memagent.models.local.constraint import GrammarConstraint, Grammars
from memagent.models.local.decoding import Sampler, decode, read_prompt
from memagent.models.local.detokenize import Pieces
from memagent.models.local.grammar import ReplyGrammar
from memagent.models.local.kept import KeptCache, shared_length
from memagent.models.local.quotes import quotes_of
from memagent.models.local.reference import generate
from memagent.models.local.template import ChatTemplate, Message
from memagent.models.prompt import chat_messages
from memagent.models.reply_text import ReplyText

OTHER = "\N{SOFT HYPHEN}"  # a message that shares no token with any other


@dataclass(frozen=True)
class Made:
    """A reply that ended in calls: its tokens are kept, since rendering the calls anew could space them otherwise."""

    rendered: str  # the prompt
    ids: list[int]  # of the prompt and the reply, to the token that ended it
    end: str  # that token's text
    calls: tuple[str, ...]


@dataclass(frozen=True)
class Measures:
    """What the last reply cost."""

    forwards: int
    prompt: int  # tokens
    cached: int  # of the prompt
    reply: tuple[int, ...]  # the tokens
    first: float  # seconds until the first of them was known


class LocalModel:
    """One conversation at a time keeps its cache; a second one at the same time is slower, never wrong."""

    live = True
    exact_counts = True

    def __init__(
        self,
        checkpoint: Checkpoint,
        template: ChatTemplate,
        grammars: Grammars,
        *,
        context_tokens: int,
        count: Count,
        drafts: bool = True,
        constrained: bool = True,
    ) -> None:
        self.name = checkpoint.name
        self.context_tokens = context_tokens
        self.last: Measures | None = None
        self.checkpoint = checkpoint
        self.template = template
        self._grammars = grammars
        self._count = count
        self._drafts = drafts
        self._constrained = constrained
        self._cache: KeptCache | None = None
        self._made: Made | None = None
        self._lock = threading.Lock()

    def drop_cache(self) -> None:
        """Let go of what was kept: the next prompt is read from its beginning."""
        self._cache = self._made = None

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._count(texts)

    def count_prompt(self, request: ChatRequest) -> int:
        """Tokens of the rendered prompt, to where the reply begins."""
        return self._count([self.template.render(chat_messages(request), request.tools)])[0]

    def respond(self, request: ChatRequest) -> Iterator[Output]:
        """One step. Raises ModelError: the template fails, the prompt does not fit, there is no memory."""
        import torch

        messages = chat_messages(request)
        rendered = self.template.render(messages, request.tools)
        ids = self._stitched(messages, rendered, request) or self.template.encode(rendered)
        limit = min(request.reply_tokens, self.context_tokens - len(ids))
        if limit <= 0:
            raise ModelError(
                f"the prompt has {len(ids)} tokens, the window {self.context_tokens}", "use a larger context_tokens"
            )
        prompt, step = len(ids), sum(1 for message in request.messages if message.tool_calls)
        names = [str(tool["function"]["name"]) for tool in request.tools]
        thinking = rendered.rstrip().endswith("<think>")
        reader = ReplyText(names, prefix=f"{step}-", thinking=thinking)
        pieces = Pieces(self.checkpoint.tokenizer)
        calls: list[ToolCall] = []
        steps = self._steps(request, ids, limit, thinking)
        try:
            while True:
                with torch.inference_mode():
                    tokens = next(steps, None)
                if tokens is None:
                    break
                yield from reader.feed(pieces.feed([t for t in tokens if t not in self.checkpoint.stops]))
        except (torch.cuda.OutOfMemoryError, MemoryError):
            raise ModelError("there is not enough memory for this window", "use a smaller context_tokens") from None
        finally:
            steps.close()
        if request.cancel.is_set():
            return
        yield from reader.feed(pieces.end())
        for output in reader.end():
            if isinstance(output, ToolCall):
                calls.append(output)
            yield output
        if calls and ids[-1] in self.checkpoint.stops:
            end = self.checkpoint.tokenizer.decode([ids[-1]])
            self._made = Made(rendered, ids, end, tuple(call.id for call in calls))
        if self.last is not None:
            yield Usage(prompt, len(ids) - prompt, self.last.cached)

    def _steps(
        self, request: ChatRequest, ids: list[int], limit: int, thinking: bool
    ) -> Generator[list[int], None, None]:
        """The reply's tokens as they come, appended to `ids`."""
        started, first = time.perf_counter(), 0.0
        prompt, cached = len(ids), 0
        constraint = self._constraint(request, thinking)
        if not self.checkpoint.own_loop:
            for tokens in generate(self.checkpoint, ids, limit, request, constraint):
                first = first or time.perf_counter() - started
                yield tokens
            self.last = Measures(len(ids) - prompt, prompt, 0, tuple(ids[prompt:]), first)
            return
        with self._lock:
            cache, self._cache = self._cache or KeptCache(self.checkpoint.model), None
        forwards = cache.forwards
        try:
            held = read_prompt(cache, ids, self._boundaries(request, ids, cache), request.cancel)
            if held is not None:
                cached = held
                sampler = Sampler(request.attempt)
                for tokens in decode(
                    cache,
                    ids,
                    limit=limit,
                    stops=self.checkpoint.stops,
                    sampler=sampler,
                    constraint=constraint,
                    drafts=self._drafts,
                    cancel=request.cancel,
                ):
                    first = first or time.perf_counter() - started
                    yield tokens
        except GeneratorExit:
            self._cache = cache
            raise
        self._cache = cache  # not after an error, which may leave it with a part of a forward
        self.last = Measures(cache.forwards - forwards, prompt, cached, tuple(ids[prompt:]), first)

    def _constraint(self, request: ChatRequest, thinking: bool) -> GrammarConstraint | None:
        if not request.tools or not self._constrained:
            return None
        syntax = self.template.dialect.syntax
        grammar = ReplyGrammar(syntax, self._grammars.marks, quotes_of(request), thinking=thinking)
        return self._grammars.constraint(grammar.text(request.tools))

    def _boundaries(self, request: ChatRequest, ids: Sequence[int], cache: KeptCache) -> list[int]:
        """Where the next requests are likely to part from this one: behind the instructions, at what was just said.

        They are found by rendering the conversation with another message in these places.
        """
        if not cache.needs_copies:
            return []
        messages = chat_messages(request)
        said = max(index for index, message in enumerate(messages) if message["role"] == "user")
        found = []
        for index in sorted({1, said}):
            other: list[Message] = [*messages[:index], {"role": "user", "content": OTHER}]
            found.append(shared_length(ids, self.template.encode(self.template.render(other, request.tools))))
        return found

    def _stitched(self, messages: Sequence[Message], rendered: str, request: ChatRequest) -> list[int] | None:
        """The prompt with the last reply's own tokens in it, where the request goes on from that reply's calls."""
        made = self._made
        if made is None:
            return None
        last = max((index for index, message in enumerate(messages) if message.get("tool_calls")), default=None)
        if last is None or tuple(call["id"] for call in messages[last]["tool_calls"]) != made.calls:
            return None
        if self.template.render(messages[:last], request.tools) != made.rendered:
            return None
        upto = self.template.render(messages[: last + 1], request.tools, open_reply=False)
        tail = upto.rfind(made.end)
        if not rendered.startswith(upto) or tail < 0 or upto[tail + len(made.end) :].strip():
            return None
        return made.ids + self.template.encode(rendered[tail + len(made.end) :])
