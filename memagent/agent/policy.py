"""What the agent may do with memory in a turn: everything, writes with the person's consent, reading only, or nothing.

What is said is kept in every mode; the mode governs recall and the tools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from memagent.config import MemoryMode
from memagent.conversation import ToolCall, ToolResult
from memagent.errors import InputError
from memagent.memory.records import Fact
from memagent.tools.tool import Tool, ToolContext

WRITES = frozenset({"memory_add", "memory_update", "memory_end", "memory_forget", "core_memory_edit"})
READS = frozenset({"memory_search", "sql_query"})
_WITH_ID = ("memory_update", "memory_end", "memory_forget")


@dataclass(frozen=True)
class Write:
    """A write that waits for consent: the call, and the fact that it would change, where there is one."""

    call: ToolCall
    before: Fact | None

    @property
    def words(self) -> tuple[str, str | None, str | None]:
        """For a person: what it would do, the value before, the value after."""
        given = {name: str(value) for name, value in self.call.arguments.items()}
        about = f"{self.before.subject}: {self.before.attribute}" if self.before is not None else ""
        match self.call.name:
            case "memory_add":
                claim = f"{given.get('subject', '')}: {given.get('attribute', '')} = {given.get('value', '')}"
                return f"remember {claim}", None, None
            case "memory_update" if self.before is not None:
                return f"update {about}", self.before.value, given.get("value", "")
            case "memory_end" if self.before is not None:
                return f"end {about}", self.before.value, None
            case "memory_forget" if self.before is not None:
                return f"forget {about} for good", self.before.value, None
            case "core_memory_edit":
                return f"edit the pinned note “{given.get('block', '')}”", given.get("old") or None, given.get("new")
        return " ".join([self.call.name, *(f"{name} = {value}" for name, value in given.items())]), None, None


@dataclass(frozen=True)
class MemoryPolicy:
    """A memory mode; `approve` is asked, in the turn's thread, for each write in mode `ask`.

    Without anybody to ask, `ask` refuses every write.
    """

    mode: MemoryMode = "on"
    approve: Callable[[Write], bool] | None = None

    @property
    def recalls(self) -> bool:
        """Whether memory, pinned notes included, is put in front of the model."""
        return self.mode != "off"

    @property
    def writes(self) -> bool:
        """Whether anything may be remembered by itself."""
        return self.mode in ("on", "ask")

    def offered(self, tools: Mapping[str, Tool]) -> tuple[Tool, ...]:
        """The tools that the model is told of."""
        hidden = {"on": frozenset(), "ask": frozenset(), "read-only": WRITES, "off": WRITES | READS}[self.mode]
        return tuple(tool for tool in tools.values() if tool.name not in hidden)

    def refusal(self, context: ToolContext, call: ToolCall) -> ToolResult | None:
        """The result of a call that may not run, None for one that may. Waits for the person in mode `ask`."""
        if self.mode == "off" and call.name in WRITES | READS:
            return _refused(call, "memory is off")
        if self.mode == "read-only" and call.name in WRITES:
            return _refused(call, "memory is read-only")
        if self.mode == "ask" and call.name in WRITES:
            write = Write(call, _named(context, call))
            if self.approve is None or not self.approve(write):
                return _refused(call, "you did not approve it")
        return None


def _named(context: ToolContext, call: ToolCall) -> Fact | None:
    """The fact that a call names by the number it was shown with; None where there is none, which the tool will say."""
    number = call.arguments.get("id")
    if call.name not in _WITH_ID or number is None:
        return None
    try:
        return context.fact_shown(int(number))
    except (InputError, TypeError, ValueError):
        return None


def _refused(call: ToolCall, why: str) -> ToolResult:
    content = {"refused": why, "error": f"not done: {why}", "hint": "do not try again; tell the person"}
    return ToolResult(call.id, call.name, False, content, f"{call.name.replace('_', ' ')} not done: {why}")
