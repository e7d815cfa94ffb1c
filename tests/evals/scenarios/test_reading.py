"""Scenario files: what they mean, everything that is wrong with them at its line, and the schema that says the same."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from memagent import evals
from memagent.errors import InputError
from memagent.evals.scenarios.format import Checks, Document, Scenario, SqlCheck, Step
from memagent.evals.scenarios.reading import SCHEMA, load_scenarios, read_scenarios

ROOT = Path(__file__).parents[3]
DEV = sorted((Path(evals.__file__).parent / "dev").glob("scenarios*.yaml"))
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


class CoreLoader(yaml.SafeLoader):
    """YAML as editors read it (1.2): dates are texts."""


CoreLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def written(folder: Path, text: str, name: str = "suite.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def steps(folder: Path, turns: str) -> tuple[Step, ...]:
    """The turns of a scenario with one session."""
    (scenario,) = load_scenarios([written(folder, f"scenarios: [{{id: one, sessions: [{turns}]}}]")])
    return scenario.sittings[0].steps


def test_dates_filler_and_both_kinds_of_session(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        suite: small
        scenarios:
          - id: one
            tags: [single, far]
            sessions:
              - ["hello", {say: "who?", expect: Ana}]
              - date: 2026-03-02T09:00
                turns: [{filler_tokens: 600}, {filler_windows: 1.5}, {document: {title: T, text: "a b"}}, "bye"]
              - {date: "2026-03-02 09:00:30+01:00", turns: [x], end: kill}
              - {date: 2026-03-02, turns: [x], end: exit}
        """,
    )
    (scenario,) = load_scenarios([file])
    assert (scenario.id, scenario.tags, scenario.suite, scenario.line) == ("one", ("single", "far"), "small", 4)
    first, second, third, fourth = scenario.sittings
    assert first.date is None and first.steps == (Step("hello"), Step("who?", checks=Checks(expect=("Ana",))))
    assert second.date == datetime(2026, 3, 2, 9, tzinfo=UTC)
    filler, windows, document, bye = second.steps
    assert filler.filler_tokens == 600 and windows.filler_windows == 1.5 and bye.say == "bye"
    assert document.document == Document("T", "a b")
    assert third.date == datetime(2026, 3, 2, 9, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert third.killed and not fourth.killed and fourth.date == datetime(2026, 3, 2, tzinfo=UTC)


def test_texts_are_taken_as_they_are_written(tmp_path: Path) -> None:
    texts = "[5.10, 14:05, 0471, 2026-03-12, yes, 1_000, 1e3, ~x]"
    (step,) = steps(tmp_path, f"[{{say: no, expect: {texts}, expect_any: 40, reject: [a, 'b c']}}]")
    assert step.say == "no"
    assert step.checks.expect == ("5.10", "14:05", "0471", "2026-03-12", "yes", "1_000", "1e3", "~x")
    assert step.checks.expect_any == ("40",) and step.checks.reject == ("a", "b c")


def test_rows_keep_their_types(tmp_path: Path) -> None:
    rows = "[[1, -2, 1.5, text, '3', ~, true, 0471, 2026-03-12]]"
    first, second = steps(
        tmp_path, f"[{{say: a, sql: {{query: q, rows: {rows}}}}}, {{say: b, sql: {{query: q, rows: 0}}}}]"
    )
    assert first.checks.sql == SqlCheck("q", ((1, -2, 1.5, "text", "3", None, 1, "0471", "2026-03-12"),))
    assert second.checks.sql == SqlCheck("q", 0)


def test_the_development_scenarios_are_sound() -> None:
    scenarios, problems = read_scenarios(DEV)
    assert len(scenarios) > 120 and problems == []
    assert all(scenario.tags for scenario in scenarios)


ONE = "scenarios:\n  - id: one\n    sessions:\n      - "

BROKEN = [
    ("", 1, "the file is empty"),
    ("a: [}", 1, "this is not YAML"),
    ("a: 1\nb: c: d", 2, "this is not YAML"),
    ("a:\n\t- b", 2, "this is not YAML"),
    ("- 1", 1, "a file is not a mapping"),
    ("suite: x", 1, "a file lacks scenarios"),
    ("scenarios: 3", 1, "scenarios is not a list"),
    ("scenarios: []", 1, "scenarios is empty"),
    ("scenarios:\n  - 7", 2, "a scenario is not a mapping"),
    ("scenarios:\n  - sessions: [[{say: a, stores: 0}]]", 2, "a scenario lacks id"),
    ("scenarios:\n  - id: one", 2, "a scenario lacks sessions"),
    ("scenarios:\n  - id: a#b\n    sessions: [[{say: a, stores: 0}]]", 2, "this id cannot be used"),
    ("scenarios:\n  - id:\n    sessions: [[{say: a, stores: 0}]]", 2, "the text is empty"),
    ("scenarios:\n  - id: one\n    tgas: [a]\n    sessions: [[{say: a, stores: 0}]]", 3, "did you mean tags?"),
    ("scenarios:\n  - id: one\n    id: two\n    sessions: [[{say: a, stores: 0}]]", 3, "id is there twice"),
    ("scenarios:\n  - id: one\n    sessions: [[hello]]", 2, "nothing of one is checked"),
    ("suites: a\nscenarios: [{id: one, sessions: [[{say: a, stores: 0}]]}]", 1, "did you mean suite?"),
    (ONE + "[{say: hi, expct: x}]", 4, "did you mean expect?"),
    (ONE + "[{say: hi, stores: 0},\n         {expect: x}]", 5, "this turn says nothing"),
    (ONE + "[{say: hi, stores: 0, filler_tokens: 3}]", 4, "this turn has say and filler_tokens"),
    (ONE + "[{filler_tokens: many}, {say: a, stores: 0}]", 4, "'many' cannot be used"),
    (ONE + "[{filler_tokens: 0}, {say: a, stores: 0}]", 4, "'0' cannot be used"),
    (ONE + "[{filler_tokens: 3, stores: 0}, {say: a, stores: 0}]", 4, "stores checks a reply"),
    (ONE + "[{filler_windows: -1}, {say: a, stores: 0}]", 4, "'-1' cannot be used"),
    (ONE + "[{say: hi, stores: -1}]", 4, "'-1' cannot be used"),
    (ONE + "[{say: hi, stores: 1.5}]", 4, "'1.5' cannot be used"),
    (ONE + "[{say: hi, abstain: maybe}]", 4, "'maybe' is not true or false"),
    (ONE + "[{say: hi, expect: []}]", 4, "the list is empty"),
    (ONE + "[{say: hi, expect: '?'}]", 4, "'?' has neither letter nor digit"),
    (ONE + "[{say: hi, expect: [a, [b]]}]", 4, "a list stands where a text should"),
    (ONE + "[{say: hi, expect: {a: b}}]", 4, "a mapping stands where a text should"),
    (ONE + "[{say: hi, sql: select 1}]", 4, "sql is not a mapping"),
    (ONE + "[{say: hi, sql: {query: q}}]", 4, "sql lacks rows"),
    (ONE + "[{say: hi, sql: {query: q, rows: [1]}}]", 4, "a row is not a list"),
    (ONE + "[{say: '  ', stores: 0}]", 4, "the text is empty"),
    (ONE + "[{say: , stores: 0}]", 4, "the text is empty"),
    (ONE + "[{document: {title: a}}, {say: a, stores: 0}]", 4, "a document lacks text"),
    (ONE + "[[a], {say: a, stores: 0}]", 4, "a turn is not a mapping"),
    (ONE + "{date: someday, turns: [{say: a, stores: 0}]}", 4, "'someday' is not a date"),
    (ONE + "{date: 2026-02-31, turns: [{say: a, stores: 0}]}", 4, "'2026-02-31' is not a date"),
    (ONE + "{date: 2026-03-02}", 4, "a session lacks turns"),
    (ONE + "{turns: [{say: a, stores: 0}], end: crash}", 4, "a session cannot end with 'crash'"),
    (ONE + "3", 4, "a session is not a list"),
    (ONE + "[]", 4, "a session is empty"),
]


@pytest.mark.parametrize(("text", "line", "what"), BROKEN, ids=[what for _, _, what in BROKEN])
def test_a_broken_file_is_named_with_the_line_and_how_to_mend_it(
    tmp_path: Path, text: str, line: int, what: str
) -> None:
    file = written(tmp_path, text)
    _, problems = read_scenarios([file])
    shown = [str(problem) for problem in problems]
    assert any(entry.startswith(f"{file}:{line}: ") and what in entry for entry in shown), shown
    assert all(problem.mend for problem in problems)
    with pytest.raises(InputError) as error:
        load_scenarios([file])
    assert error.value.hint


def test_all_problems_are_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = (
        ONE + "[{say: a, expct: b}]\n  - id: two\n    sessions:\n      - [{say: a, stores: no}]\n      - {turns: 3}\n"
    )
    found = [problem.line for problem in read_scenarios([written(tmp_path, text)])[1]]
    assert found == sorted(found) and {4, 7, 8} <= set(found)


def test_an_id_is_unique_among_all_files(tmp_path: Path) -> None:
    text = ONE + "[{say: a, stores: 0}]\n"
    files = [written(tmp_path, text, "a.yaml"), written(tmp_path, text, "b.yaml")]
    (problem,) = read_scenarios(files)[1]
    assert str(problem) == f"{files[1]}:2: the id one is taken ({files[0]}:2); choose another id"


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"a: \xff\xfe\x00")
    _, problems = read_scenarios([tmp_path / "none.yaml", binary, tmp_path])
    shown = "\n".join(map(str, problems))
    assert "none.yaml:1: there is no such file" in shown and "is not UTF-8" in shown and "cannot be read" in shown
    with pytest.raises(InputError, match="no such file .3 problems in all."):
        load_scenarios([tmp_path / "none.yaml", binary, tmp_path])


# --- the schema ---


def test_the_schema_accepts_the_scenarios_that_are_shipped() -> None:
    VALIDATOR.check_schema(VALIDATOR.schema)
    for file in DEV:
        data = yaml.load(file.read_text(encoding="utf-8"), Loader=CoreLoader)
        assert list(VALIDATOR.iter_errors(data)) == []


def test_what_the_documentation_shows_is_valid(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        assert read_scenarios([written(tmp_path, example)])[1] == []
        assert list(VALIDATOR.iter_errors(yaml.load(example, Loader=CoreLoader))) == []


NOT_IN_A_SCHEMA = ("nothing of", "neither letter nor digit", "'2026-02-31'", "is there twice", "not YAML")


@pytest.mark.parametrize(("text", "line", "what"), BROKEN, ids=[what for _, _, what in BROKEN])
def test_the_schema_refuses_what_the_reader_refuses(text: str, line: int, what: str) -> None:
    if any(rule in what for rule in NOT_IN_A_SCHEMA):
        return  # rules beyond the shape of the data
    assert list(VALIDATOR.iter_errors(yaml.load(text, Loader=CoreLoader)))


WORDS = st.text(alphabet="ab 1", min_size=1).filter(str.strip)
TEXT = st.one_of(WORDS, st.integers(-9, 99), st.booleans())
JUNK = st.one_of(st.none(), st.just(""), st.just([]), st.just({}), st.just(-1), st.just(1.5), st.just([[]]), TEXT)


def objects(required: dict[str, Any], optional: dict[str, Any]) -> Any:
    """Objects with such keys, some of them with a wrong value, a key too many or one too few."""
    right = st.fixed_dictionaries(required, optional=optional)
    wrong = st.builds(
        lambda data, key, value: data | {key: value}, right, st.sampled_from([*required, *optional]), JUNK
    )
    more = st.builds(lambda data, value: data | {"other": value}, right, JUNK)
    less = st.builds(lambda data, key: {k: v for k, v in data.items() if k != key}, right, st.sampled_from([*required]))
    return st.one_of(right, right, right, wrong, more, less)


TEXTS = st.one_of(TEXT, st.lists(TEXT, min_size=1, max_size=2))
ROWS = st.one_of(st.integers(0, 9), st.lists(st.lists(st.one_of(TEXT, st.none()), min_size=1, max_size=2), max_size=2))
CHECKS = {
    **{name: TEXTS for name in ("expect", "expect_any", "reject")},
    "abstain": st.booleans(),
    "stores": st.integers(0, 3),
    "sql": objects({"query": TEXT, "rows": ROWS}, {}),
}
TURN = st.one_of(
    TEXT,
    objects({"say": TEXT}, CHECKS),
    objects({"filler_tokens": st.integers(1, 9)}, {}),
    objects({"filler_windows": st.floats(0.5, 9)}, {}),
    objects({"document": objects({"title": TEXT, "text": TEXT}, {})}, {}),
)
TURNS = st.lists(TURN, min_size=1, max_size=3)
DATES = st.sampled_from(["2026-03-02", "2026-03-02T09:00", "2026-03-02 09:00Z", "2026-3-2", "soon", "2026-03-02T9:00"])
SESSION = st.one_of(TURNS, objects({"turns": TURNS}, {"date": DATES, "end": st.sampled_from(["exit", "kill", "x"])}))
CHECKED = st.just([{"say": "a", "stores": 0}])
SCENARIO = objects(
    {"id": st.just("one"), "sessions": st.builds(lambda a, b: [a, *b], CHECKED, st.lists(SESSION, max_size=2))},
    {"tags": TEXTS},
)
FILE = objects({"scenarios": st.lists(SCENARIO, min_size=1, max_size=1)}, {"suite": TEXT})


@pytest.mark.slow
@settings(max_examples=300)
@given(FILE)
def test_reader_and_schema_agree(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    file = tmp_path_factory.getbasetemp() / "agree.yaml"
    file.write_text(json.dumps(data), encoding="utf-8")
    problems = [problem for problem in read_scenarios([file])[1] if "is checked" not in problem.what]
    refused = list(VALIDATOR.iter_errors(data))
    assert bool(problems) == bool(refused), (list(map(str, problems)), [error.message for error in refused])


def test_what_is_read_knows_where_it_is_from(tmp_path: Path) -> None:
    file = written(tmp_path, ONE + "[{say: a, stores: 0}]")
    (scenario,) = load_scenarios([file])
    assert isinstance(scenario, Scenario) and (scenario.file, scenario.line) == (str(file), 2)
