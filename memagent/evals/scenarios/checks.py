"""What the checks of a turn mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from memagent.evals.scenarios.format import Cell, Checks
from memagent.evals.text import occurs

Sql = Callable[[str], Iterable[Sequence[object]]]

_OFTEN = r"(?:really |honestly |simply |just |still |currently |actually |yet |ever |seem to |be able to |quite )*"
_NOT = r"(?:don't|do not|didn't|did not|doesn't|does not|can't|cannot|can not|couldn't|could not|haven't|have not)"
_NOTHING_OF = r"(?:idea|clue|record|records|memory|information|info|note|notes|knowledge|details?|mention|data|trace)"
_DECLINES = re.compile(
    "|".join(
        (
            rf"\bi {_NOT} {_OFTEN}(?:know|remember|recall|find|say|tell|answer|determine|confirm|been told|heard)\b",
            rf"\b(?:i|we) {_NOT} {_OFTEN}(?:have|got|had) {_OFTEN}(?:any |a |that |the |enough |such )*{_NOTHING_OF}\b",
            r"\b(?:don't|do not) know\b(?=[^a-z]*$)",
            rf"\b(?:(?:i|we)(?:'ve| have| had| found| find| see| hold| keep)|there(?:'s| is| are| was))(?: got)? no "
            rf"(?:\w+ )?{_NOTHING_OF}\b",
            rf"^no (?:\w+ )?{_NOTHING_OF}\b",
            r"\bi(?:'m| am) (?:sorry,? )?(?:not (?:\w+ )?(?:sure|certain|aware|able)|unaware|unsure|unable)\b",
            r"\bi (?:wasn't|was not|was never|haven't been|have not been|(?:have|'ve) never been) (?:told|given)\b",
            r"\byou(?:'ve| have|'d)? (?:haven't|have not|hadn't|didn't|did not|never|not)(?: yet| ever| actually)? "
            r"(?:told|tell|said|say|mention(?:ed)?|shared?|given?|gave|specif\w+|stated?|provided?|explained)\b",
            r"\b(?:isn't|is not|wasn't|not|nothing|nowhere|none)\b[^.!?]{0,40}\bin (?:my |the |our |any )?"
            r"(?:memory|memories|notes?|records?|history|conversations?|documents?)\b",
            r"\b(?:i|my memory) (?:have|has|hold|holds|contain|contains|know|find|found|remember|recall) nothing\b",
            r"\bnothing (?:like that|in memory|is known|about (?:that|this|it)|has been said|was said|is stored)\b",
            r"\b(?:that|it|this|which)(?:'s| is| was| has been)? (?:unknown|(?:not|never)(?: been)? "
            r"(?:known|mentioned|told|said|stated|specified|provided|recorded|stored))\b",
            r"^(?:unknown|not (?:said|known|told|mentioned|stated|specified))\b",
            r"\bmy memory (?:doesn't|does not|has no)\b",
        )
    )
)
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|«[^»]*»")
# What takes a refusal back: "I'm not sure, but I think it's Whitby"; "you didn't say when, but you told me on Monday".
_ANSWERS_ALL_THE_SAME = re.compile(
    r"\bbut (?:you (?:told|said to) me on|i (?:think|guess|believe|suppose|suspect|would|'d)|it(?:'s| is| was)"
    r"|(?:he|she|they)(?:'s|'re| is| are| was| were)|probably|perhaps|maybe|most likely|my guess)\b"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def failed_checks(checks: Checks, reply: str, stored: int, sql: Sql) -> tuple[str, ...]:
    """The names of the checks that do not hold; `stored` facts were written, `sql` runs a query.

    A reply without words holds none that looks at the reply: silence is not discretion. Raises what `sql` raises.
    """
    found = [any(occurs(word, reply) for word in choice) for choice in checks.wanted]
    silent = not reply.strip()
    failed = {
        "expect": bool(checks.expect) and not all(found[: len(checks.expect)]),
        "expect_any": bool(checks.expect_any) and not found[-1],
        "reject": bool(checks.reject) and (silent or any(occurs(word, reply) for word in checks.reject)),
        "abstain": checks.abstain is not None and (silent or declines(reply) != checks.abstain),
        "stores": checks.stores is not None and stored != checks.stores,
        "sql": checks.sql is not None and not _same_rows(checks.sql.rows, sql(checks.sql.query)),
    }
    return tuple(name for name, fails in failed.items() if fails)


def declines(reply: str) -> bool:
    """Whether a reply declines to know: in its own words, not in a quotation, and does not answer all the same."""
    plain = _QUOTED.sub(" ", reply.casefold().replace("’", "'").replace("‘", "'"))
    return any(
        _DECLINES.search(sentence.strip()) and not _ANSWERS_ALL_THE_SAME.search(sentence)
        for sentence in _SENTENCE.split(plain)
    )


def _same_rows(wanted: tuple[tuple[Cell, ...], ...] | int, rows: Iterable[Sequence[object]]) -> bool:
    found = [tuple(row) for row in rows]
    if isinstance(wanted, int):
        return len(found) == wanted
    return len(found) == len(wanted) and all(
        len(row) == len(cells) and all(map(_same_cell, cells, row)) for cells, row in zip(wanted, found, strict=True)
    )


def _same_cell(wanted: Cell, found: object) -> bool:
    """Numbers as numbers, everything else as text: what YAML takes for a number may be kept as a text."""
    if wanted is None or found is None:
        return wanted is found
    if isinstance(wanted, int | float) and isinstance(found, int | float):
        return wanted == found
    return str(wanted) == str(found)
