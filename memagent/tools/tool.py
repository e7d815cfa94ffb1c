"""What a tool is: one function that gives its schema, its validation, its behaviour and its words for the screen.

The schema is read off the function's signature and docstring, so the function that runs is the function that is
described. A mistake that the model can mend (`InputError`) becomes a `ToolResult` with `ok=False`; a fault of ours
stays an exception.
"""

from __future__ import annotations

import inspect
import time
import types
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from memagent.conversation import ToolCall, ToolResult
from memagent.errors import InputError, NotFoundError
from memagent.memory.records import AskedBy, Fact, Hit, MemoryChange, Message, OwnerKind
from memagent.memory.statements import traced
from memagent.memory.store import MemoryStore
from memagent.memory.time import to_text

BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
JSON_TYPES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True)
class Outcome:
    """What a tool's behaviour returns: what the model reads, what a person reads, the memory change, if any."""

    content: Mapping[str, Any]
    words: str
    change: MemoryChange | None = None
    operation_id: int | None = None


@dataclass
class ToolContext:
    """What tools may use during one turn.

    `shown` numbers the hits that the model has seen in this turn: it names them by these small integers, never by row
    ids.
    """

    store: MemoryStore
    session_id: int
    message: Message | None = None
    asked_by: AskedBy = "model"
    shown: dict[int, Hit] = field(default_factory=dict)
    last_number: int = 0

    def show(self, hit: Hit) -> int:
        """The number of a hit in this turn; the same row keeps its number."""
        for number, known in self.shown.items():
            if (known.kind, known.id) == (hit.kind, hit.id):
                self.shown[number] = hit
                return number
        self.last_number += 1
        self.shown[self.last_number] = hit
        return self.last_number

    def fact_shown(self, number: int) -> Fact:
        """The fact behind a number. Raises InputError that tells the model what to do."""
        hit = self.shown.get(number)
        if hit is None:
            known = ", ".join(str(shown) for shown in self.shown) or "none yet"
            raise InputError(f"there is no memory with id {number} in this turn (shown: {known})", "search first")
        if hit.kind != "fact":
            raise InputError(f"id {number} is a {hit.kind}, not a fact", "use memory_add to state it as a fact")
        return self.store.fact(hit.id)

    def drop_forgotten(self) -> None:
        """Take the numbers of facts that are gone from the store; they are not given to others."""
        for number, hit in list(self.shown.items()):
            if hit.kind == "fact":
                try:
                    self.store.fact(hit.id)
                except NotFoundError:
                    del self.shown[number]


@dataclass(frozen=True)
class Tool:
    """A function the model may call, with everything that is said about it."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    behaviour: Callable[..., Outcome]
    aliases: Mapping[str, str]

    def schema(self) -> dict[str, Any]:
        """The form that chat templates and OpenAI-compatible servers take."""
        function = {"name": self.name, "description": self.description, "parameters": dict(self.parameters)}
        return {"type": "function", "function": function}

    def run(self, context: ToolContext, call: ToolCall) -> ToolResult:
        """Validate and run a call. Only faults of ours raise."""
        started = time.perf_counter()
        try:
            with traced() as statements:
                outcome = self.behaviour(context, **self.arguments(call.arguments))
        except InputError as error:
            return failed(call, error, time.perf_counter() - started)
        return ToolResult(
            call.id,
            self.name,
            True,
            outcome.content,
            outcome.words,
            change_to_dict(outcome.change) if outcome.change else None,
            outcome.change.operation_id if outcome.change else outcome.operation_id,
            (time.perf_counter() - started) * 1000,
            tuple(" ".join(statement.split()) for statement in statements),
        )

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments under their real names and types. Raises InputError naming what is wrong."""
        properties, required = self.parameters["properties"], self.parameters["required"]
        values: dict[str, Any] = {}
        for key, value in given.items():
            name = self.aliases.get(key, key)
            if name not in properties:
                raise InputError(f"{self.name} has no argument {key!r}", f"it takes {', '.join(properties)}")
            if value is not None:
                values[name] = _coerced(f"{self.name}: {name}", value, properties[name])
        missing = [name for name in required if name not in values]
        if missing:
            raise InputError(f"{self.name} needs {' and '.join(missing)}", f"it takes {', '.join(properties)}")
        return values


def tool(**aliases: str) -> Callable[[Callable[..., Outcome]], Tool]:
    """Make a tool of a function `(context, ...)`; `aliases` are other names that models use for its arguments."""

    def make(function: Callable[..., Outcome]) -> Tool:
        hints = get_type_hints(function)
        properties: dict[str, Any] = {}
        required = []
        for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
            properties[name] = _schema_of(hints[name])
            if parameter.default is inspect.Parameter.empty:
                required.append(name)
        description = " ".join((inspect.getdoc(function) or "").split())
        parameters = {"type": "object", "properties": properties, "required": required}
        return Tool(function.__name__, description, parameters, function, aliases)

    return make


def failed(call: ToolCall, error: InputError, seconds: float) -> ToolResult:
    """The result of a call that the model can mend."""
    words = f"{call.name}: {error.message}" + (f" ({error.hint})" if error.hint else "")
    content = {"error": error.message, "hint": error.hint}
    return ToolResult(call.id, call.name, False, content, words, milliseconds=seconds * 1000)


def change_to_dict(change: MemoryChange) -> dict[str, Any]:
    """JSON-able form of a change, for events and the screen."""
    return {
        "operation_id": change.operation_id,
        "action": change.action,
        "before": fact_to_dict(change.before),
        "after": fact_to_dict(change.after),
        "conflicts": [fact_to_dict(fact) for fact in change.conflicts],
    }


def fact_to_dict(fact: Fact | None) -> dict[str, Any] | None:
    """JSON-able form of a fact, times as text."""
    if fact is None:
        return None
    data = asdict(fact)
    for name in ("valid_from", "valid_to", "recorded_at", "retired_at"):
        data[name] = to_text(data[name]) if data[name] is not None else None
    return data


def _schema_of(hint: Any) -> dict[str, Any]:
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(option for option in get_args(hint) if option is not type(None))
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    return {"type": JSON_TYPES[hint]}


def _coerced(where: str, value: Any, schema: Mapping[str, Any]) -> Any:
    """`value` in the type that the schema names; models write numbers as strings and the other way round."""
    kind = schema["type"]
    mistake = InputError(f"{where} must be a{'n' if kind == 'integer' else ''} {kind}, not {value!r}")
    if isinstance(value, list | dict):
        raise mistake
    if kind == "string":
        text = value if isinstance(value, str) else str(value)
        if "enum" in schema and text not in schema["enum"]:
            raise InputError(f"{where} cannot be {text!r}", f"it is one of {', '.join(schema['enum'])}")
        return text
    if kind == "boolean":
        if str(value).lower() not in BOOLEANS:
            raise mistake
        return BOOLEANS[str(value).lower()]
    try:
        number = float(value)
        if kind == "number":
            return number
        if isinstance(value, bool) or not number.is_integer():
            raise mistake
        return int(number)
    except (TypeError, ValueError, OverflowError):
        raise mistake from None


OWNER_WORDS: dict[OwnerKind, str] = {"fact": "fact", "message": "said", "chunk": "document"}
