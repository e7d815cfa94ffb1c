"""Reads scenario files and says everything that is wrong with them: file, line, what, and how to mend it.

Texts are taken as they stand in the file, not as YAML would convert them: `expect: 5.10` means "5.10", `14:05` is no
number of seconds and `0471` is not octal. `scenarios.schema.json` states the same rules for editors; a test keeps the
two together.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import yaml

from memagent.conversation import checked_message
from memagent.errors import InputError
from memagent.evals.scenarios.format import Cell, Checks, Document, Scenario, Sitting, SqlCheck, Step
from memagent.evals.text import folded

SCHEMA = Path(__file__).parent / "scenarios.schema.json"
MAX_FILLER = 10_000_000  # tokens
MAX_ID = 100  # characters
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

FILE_KEYS = ("suite", "scenarios")
SCENARIO_KEYS = ("id", "tags", "sessions")
SITTING_KEYS = ("date", "turns", "end")
CHECK_KEYS = ("expect", "expect_any", "reject", "abstain", "stores", "sql")
TURN_KEYS = ("say", *CHECK_KEYS, "filler_tokens", "filler_windows", "document")
KINDS = ("say", "filler_tokens", "filler_windows", "document")
ENDS = ("exit", "kill")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?")
WHOLE = re.compile(r"[+-]?\d+(?:\.0+)?")
_TAG = "tag:yaml.org,2002:"

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file; `line` counts from 1."""

    file: str
    line: int
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}; {self.mend}"


def load_scenarios(paths: Iterable[Path]) -> list[Scenario]:
    """The scenarios of files, in order. Raises InputError with the first problem and their number."""
    scenarios, problems = read_scenarios(paths)
    if problems:
        first = problems[0]
        more = f" ({len(problems)} problems in all)" if len(problems) > 1 else ""
        raise InputError(f"{first.file}:{first.line}: {first.what}{more}", first.mend)
    return scenarios


def read_scenarios(paths: Iterable[Path]) -> tuple[list[Scenario], list[Problem]]:
    """The scenarios of files, in order, and all problems; what is broken is left out."""
    scenarios: list[Scenario] = []
    problems: list[Problem] = []
    order: dict[str, int] = {}
    for path in paths:
        order.setdefault(str(path), len(order))
        reader = _Reader(str(path))
        scenarios += reader.file(path)
        problems += reader.problems
    first: dict[str, Scenario] = {}
    for scenario in scenarios:
        known = first.setdefault(scenario.id, scenario)
        if known is not scenario:
            where = f"{known.file}:{known.line}"
            problems.append(
                Problem(scenario.file, scenario.line, f"the id {scenario.id} is taken ({where})", "choose another id")
            )
    return scenarios, sorted(problems, key=lambda problem: (order[problem.file], problem.line))


class _Broken(Exception):
    """A problem has been noted; what it is about is left out."""


class _Reader:
    """Walks the nodes of one file, in which every value knows its line."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[Problem] = []

    def _note(self, node: yaml.Node | int, what: str, mend: str) -> None:
        line = node if isinstance(node, int) else node.start_mark.line + 1
        self.problems.append(Problem(self._file, line, what, mend))

    def _fail(self, node: yaml.Node | int, what: str, mend: str) -> _Broken:
        self._note(node, what, mend)
        return _Broken()

    # --- the parts of a file ----------------------------------------------------------------------------------------

    def file(self, path: Path) -> list[Scenario]:
        try:
            return self._file_node(yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=LOADER))
        except _Broken:
            pass
        except FileNotFoundError:
            self._note(1, "there is no such file", "check the path")
        except OSError as error:
            self._note(1, f"the file cannot be read: {error.strerror}", "check its permissions")
        except UnicodeDecodeError as error:
            self._note(1, f"byte {error.start} is not UTF-8", "save the file as UTF-8")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._note(mark.line + 1 if mark else 1, f"this is not YAML: {error.problem}", _yaml_hint(error))
        except yaml.YAMLError as error:
            self._note(1, f"this is not YAML: {' '.join(str(error).split())}", "save the file as plain text")
        return []

    def _file_node(self, node: yaml.Node | None) -> list[Scenario]:
        if node is None:
            raise self._fail(1, "the file is empty", "write a list of scenarios under 'scenarios:'")
        keys = self._mapping(node, FILE_KEYS, "a file", required=("scenarios",))
        suite = self._optional(keys, "suite", self._text, "")
        return [
            replace(scenario, suite=suite, file=self._file)
            for scenario in self._each(keys["scenarios"], "scenarios", self._scenario)
        ]

    def _scenario(self, node: yaml.Node) -> Scenario:
        keys = self._mapping(node, SCENARIO_KEYS, "a scenario", required=("id", "sessions"))
        sittings = tuple(self._each(keys["sessions"], "sessions", self._sitting))
        scenario = Scenario(
            self._id(keys["id"]),
            self._optional(keys, "tags", self._texts, ()),
            sittings,
            line=node.start_mark.line + 1,
        )
        whole = not isinstance(keys["sessions"], yaml.SequenceNode) or len(sittings) == len(keys["sessions"].value)
        if whole and not any(step.checks for sitting in sittings for step in sitting.steps):
            self._note(node, f"nothing of {scenario.id} is checked", "give one of its turns a check, such as 'expect:'")
        return scenario

    def _sitting(self, node: yaml.Node) -> Sitting:
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.MappingNode):
            return Sitting(tuple(self._each(node, "a session", self._step)), line=line)
        keys = self._mapping(node, SITTING_KEYS, "a session", required=("turns",))
        return Sitting(
            tuple(self._each(keys["turns"], "turns", self._step)),
            self._optional(keys, "date", self._date, None),
            self._optional(keys, "end", self._end, False),
            line,
        )

    def _step(self, node: yaml.Node) -> Step:
        if isinstance(node, yaml.ScalarNode):
            return Step(say=self._message(node))
        keys = self._mapping(node, TURN_KEYS, "a turn")
        kinds = [kind for kind in KINDS if kind in keys]
        if len(kinds) != 1:
            found = f"has {' and '.join(kinds)}" if kinds else "says nothing"
            raise self._fail(node, f"this turn {found}", f"give it one of {_listed(KINDS)}")
        kind, value = kinds[0], keys[kinds[0]]
        if kind != "say":
            for name in [name for name in keys if name in CHECK_KEYS]:
                self._note(keys[name], f"{name} checks a reply, but nothing is said", "move it to a turn with 'say:'")
        if kind == "say":
            return Step(say=self._message(value), checks=self._checks(keys))
        if kind == "document":
            parts = self._mapping(value, ("title", "text"), "a document", required=("title", "text"))
            return Step(document=Document(self._text(parts["title"]), self._text(parts["text"])))
        if kind == "filler_tokens":
            return Step(filler_tokens=self._whole(value, 1, MAX_FILLER))
        return Step(filler_windows=self._windows(value))

    def _checks(self, keys: Mapping[str, yaml.Node]) -> Checks:
        return Checks(
            expect=self._optional(keys, "expect", self._phrases, ()),
            expect_any=self._optional(keys, "expect_any", self._phrases, ()),
            reject=self._optional(keys, "reject", self._phrases, ()),
            abstain=self._optional(keys, "abstain", self._flag, None),
            stores=self._optional(keys, "stores", lambda node: self._whole(node, 0, 1000), None),
            sql=self._optional(keys, "sql", self._sql, None),
        )

    def _sql(self, node: yaml.Node) -> SqlCheck:
        keys = self._mapping(node, ("query", "rows"), "sql", required=("query", "rows"))
        query, rows = self._text(keys["query"]), keys["rows"]
        if isinstance(rows, yaml.ScalarNode):
            return SqlCheck(query, self._whole(rows, 0, 500))
        return SqlCheck(query, tuple(self._each(rows, "rows", self._row, empty=True)))

    def _row(self, node: yaml.Node) -> tuple[Cell, ...]:
        return tuple(self._each(node, "a row", self._cell))

    # --- values -----------------------------------------------------------------------------------------------------

    def _cell(self, node: yaml.Node) -> Cell:
        value = self._scalar(node, "a cell").value
        kind = node.tag.removeprefix(_TAG)
        if kind == "null":
            return None
        if kind == "bool":
            return int(value.lower() in ("true", "yes", "on"))
        if kind == "int" and re.fullmatch(r"-?(?:0|[1-9]\d*)", value):
            return int(value)
        if kind == "float" and re.fullmatch(r"-?(?:0|[1-9]\d*)\.\d+", value):
            return float(value)
        return str(value)

    def _id(self, node: yaml.Node) -> str:
        text = self._text(node)
        if len(text) > MAX_ID or not text.isprintable() or "#" in text:
            raise self._fail(
                node, "this id cannot be used", f"write at most {MAX_ID} characters in one line, without #"
            )
        return text

    def _message(self, node: yaml.Node) -> str:
        text = self._text(node)
        try:
            return checked_message(text)
        except InputError as error:
            raise self._fail(node, error.message, error.hint) from None

    def _text(self, node: yaml.Node) -> str:
        scalar = self._scalar(node, "a text")
        text = "" if scalar.tag == f"{_TAG}null" else str(scalar.value)
        if not text.strip():
            raise self._fail(node, "the text is empty", "write something, or leave the line out")
        return text

    def _texts(self, node: yaml.Node) -> tuple[str, ...]:
        """One text, or a list of them."""
        if isinstance(node, yaml.ScalarNode):
            return (self._text(node),)
        if isinstance(node, yaml.MappingNode):
            raise self._fail(node, "a mapping stands where a text should", "write a text or a list of texts")
        return tuple(self._each(node, "the list", self._text))

    def _phrases(self, node: yaml.Node) -> tuple[str, ...]:
        """Texts to look for."""
        texts = self._texts(node)
        for text in texts:
            if not folded(text):
                raise self._fail(node, f"{text!r} has neither letter nor digit", "write the words to look for")
        return texts

    def _flag(self, node: yaml.Node) -> bool:
        scalar = self._scalar(node, "true or false")
        if scalar.tag != f"{_TAG}bool":
            raise self._fail(node, f"{scalar.value!r} is not true or false", "write true")
        return bool(scalar.value.lower() in ("true", "yes", "on"))

    def _whole(self, node: yaml.Node, least: int, most: int) -> int:
        scalar = self._scalar(node, "a number")
        number = int(float(scalar.value)) if self._is_number(scalar) and WHOLE.fullmatch(scalar.value) else least - 1
        if not least <= number <= most:
            raise self._fail(node, f"{scalar.value!r} cannot be used", f"write a whole number from {least} to {most}")
        return number

    def _windows(self, node: yaml.Node) -> float:
        scalar = self._scalar(node, "a number")
        try:
            windows = float(scalar.value) if self._is_number(scalar) else 0.0
        except ValueError:
            windows = 0.0
        if not 0 < windows <= 1000:
            raise self._fail(node, f"{scalar.value!r} cannot be used", "write a number of windows, up to 1000")
        return windows

    def _date(self, node: yaml.Node) -> datetime:
        value = self._scalar(node, "a date").value
        try:
            moment = datetime.fromisoformat(value) if DATE.fullmatch(value) else None
        except ValueError:  # 31 February
            moment = None
        if moment is None:
            raise self._fail(node, f"{value!r} is not a date", "write it as 2026-03-02 or 2026-03-02T09:00")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _end(self, node: yaml.Node) -> bool:
        value = self._scalar(node, "a word").value
        if value not in ENDS:
            raise self._fail(node, f"a session cannot end with {value!r}", f"write {_listed(ENDS)}")
        return bool(value == "kill")

    # --- shapes -----------------------------------------------------------------------------------------------------

    @staticmethod
    def _is_number(node: yaml.ScalarNode) -> bool:
        return bool(node.tag in (f"{_TAG}int", f"{_TAG}float"))

    def _scalar(self, node: yaml.Node, wanted: str) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            found = "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"
            raise self._fail(node, f"{found} stands where {wanted} should", f"write {wanted}")
        return node

    def _mapping(
        self, node: yaml.Node, allowed: Sequence[str], name: str, required: Sequence[str] = ()
    ) -> dict[str, yaml.Node]:
        """The known keys of a mapping; unknown, repeated and missing ones are noted."""
        if not isinstance(node, yaml.MappingNode):
            raise self._fail(node, f"{name} is not a mapping", f"give it one of the keys {_listed(allowed)}")
        keys: dict[str, yaml.Node] = {}
        for key, value in node.value:
            word = str(key.value) if isinstance(key, yaml.ScalarNode) else "a list"
            if word not in allowed:
                near = difflib.get_close_matches(word, allowed, 1)
                mend = f"did you mean {near[0]}?" if near else f"its keys are {_listed(allowed)}"
                self._note(key, f"{name} has no key {word!r}", mend)
            elif word in keys:
                self._note(key, f"{word} is there twice", "keep one of them")
            else:
                keys[word] = value
        missing = [word for word in required if word not in keys]
        if missing:
            raise self._fail(
                node, f"{name} lacks {_listed(missing)}", f"add {_listed([f'{word}:' for word in missing])}"
            )
        return keys

    def _each(self, node: yaml.Node, name: str, read: Callable[[yaml.Node], T], *, empty: bool = False) -> list[T]:
        """What `read` makes of the items of a list; those that are broken are noted and left out."""
        if not isinstance(node, yaml.SequenceNode):
            raise self._fail(node, f"{name} is not a list", "write a list: [...] or lines that begin with '- '")
        if not node.value and not empty:
            raise self._fail(node, f"{name} is empty", "write something into it, or leave it out")
        found = []
        for item in node.value:
            try:
                found.append(read(item))
            except _Broken:
                continue
        return found

    def _optional(
        self, keys: Mapping[str, yaml.Node], name: str, read: Callable[[yaml.Node], T], otherwise: Any
    ) -> Any:
        """The value of a key that may be left out; a broken one is noted, and reading goes on."""
        if name not in keys:
            return otherwise
        try:
            return read(keys[name])
        except _Broken:
            return otherwise


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _yaml_hint(error: yaml.MarkedYAMLError) -> str:
    """What is mostly the matter when YAML cannot be read."""
    problem = str(error.problem)
    if "\\t" in problem or "tab" in problem:
        return "indent with spaces, not tabs"
    if "mapping values are not allowed" in problem or "expected ',' or" in problem or "block end" in problem:
        return "put texts with a colon, comma or bracket in them in quotes"
    return "check quotes, brackets and indentation of this line and the one before"
