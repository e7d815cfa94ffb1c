"""Whether a sentence looks back or ahead at the time it names.

The nearest hint in the same clause decides, then the nearest in the same sentence. A preposition that points one way
(`since` back; `until`, `by`, `for` ahead) is stronger than any verb.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import Literal

Direction = Literal["past", "future"]

_PAST = (
    r"was|were|wasn'?t|weren'?t|had|hadn'?t|did|didn'?t|went|came|saw|met|told|said|took|gave|made|found|left|lost|"
    r"bought|sold|paid|ate|drank|slept|woke|wrote|sent|spoke|drove|flew|rode|ran|won|began|broke|brought|built|caught|"
    r"chose|fell|felt|forgot|grew|heard|held|kept|knew|learnt|led|lent|let|rang|sang|sat|spent|stood|swam|taught|"
    r"(?<!'ve )(?<!have )(?<!haven't )(?<!has )(?<!hasn't )(?<!'s )"  # "I've got my test this Friday" is the present
    r"got(?!\s+(?:my|our|his|her|their|an?|the)\b[^.,;!?]{0,40}?\bin\s+(?:\w+\s+){1,3}?(?:hour|day|week|fortnight|month|year)s?\b)|"
    r"thought|understood|wore|became|been|born|gone|done|seen|last time|ago|previously|earlier|used to"
)
_NOT_PAST = (
    r"need|feed|seed|speed|bed|red|wed|shed|indeed|exceed|proceed|succeed|hundred|sacred|naked|weed|breed|bleed|"
    r"tired|excited|worried|interested|scared|supposed|booked|scheduled|planned|invited|called|named|based|expected|"
    r"allowed|married|retired|bored|pleased|united|limited|ted|fred|ahmed|mohammed|alfred|jared|embed|infrared"
)
_PARTICIPLE = r"[a-z]{2,}(?:ed|en|wn|one|ught|ung|pt)"
_FUTURE = (
    rf"(?:will|won'?t|shall|should|must|can|may|might|(?:i|it|s?he|we|they|you)'?ll|"
    rf"(?:(?:has|have|needs?|going|got|ought|wants?)\s+|(?<!had ))to)\s+"
    rf"(?:not\s+|all\s+|both\s+|also\s+)?(?:be|get)\s+{_PARTICIPLE}|"
    rf"(?:(?:am|is|are|i'?m|it's|he's|she's|we'?re|they'?re)\s+)?(?<!was )(?<!were )(?:being|gets?|getting)\s+"
    rf"{_PARTICIPLE}|"
    r"will|won'?t|shall|going to|gonna|about to|plan|plans|planning|remind|reminder|remember to|don'?t forget|due|"
    r"deadline|let'?s|should|must|needs? to|have to|has to|got to|gotta|wants? to|would like|hope to|hoping|upcoming|"
    r"appointment|booked|scheduled|invited|expecting|can you|could you|shan'?t|ought to|"
    r"(?<!was )(?<!were )(?<!been )(?:coming|arriving)|"  # "got the electrician coming this Thursday"
    r"(?:am|is|are|i'?m|we'?re|they'?re|you'?re|he's|she's|it's)\s+(?:not\s+|all\s+|both\s+)?[a-z]{2,}ing|"
    r"(?:i|we|you|he|she|it|they|that|there)'?ll"
)
_HINTS = re.compile(
    rf"\b(?:(?P<future>{_FUTURE})|(?P<past>{_PAST}|(?!(?:{_NOT_PAST})\b)[a-z]{{2,}}ed))\b", re.IGNORECASE
)
_SENTENCES = re.compile(r"[.!?;\n](?=\s|$)|\n")
_CLAUSES = re.compile(r",|\b(?:and|but|then|so|because|while|though|although|which)\b", re.IGNORECASE)
_BEFORE = re.compile(
    r"\b(?:(?P<past>since|ever since|back in)|(?P<future>until|till|by|for|due|(?:moved|changed|pushed|shifted|"
    r"rescheduled|postponed|back|forward)\b[\w\s']{0,20}?\bto))"
    r"\s+(?:the\s+)?$",
    re.IGNORECASE,
)


class Tense:
    """The hints of one text; `direction(start, end)` reads them around an expression."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("’", "'")

    @cached_property
    def _hints(self) -> list[tuple[int, Direction]]:
        return [(match.start(), "future" if match["future"] else "past") for match in _HINTS.finditer(self._text)]

    @cached_property
    def _sentences(self) -> list[int]:
        return [match.start() for match in _SENTENCES.finditer(self._text)]

    @cached_property
    def _clauses(self) -> list[int]:
        return sorted([*self._sentences, *(match.start() for match in _CLAUSES.finditer(self._text))])

    def direction(self, start: int, end: int) -> Direction | None:
        """`past`, `future`, or None where the words do not tell."""
        before = _BEFORE.search(self._text, max(0, start - 44), start)
        if before:
            return "past" if before["past"] else "future"
        for bounds in (self._clauses, self._sentences):
            at = bisect_right(bounds, start)
            low = bounds[at - 1] if at else -1
            at = bisect_right(bounds, end - 1)
            high = bounds[at] if at < len(bounds) else len(self._text)
            hint = self._nearest(low, high, start, end)
            if hint:
                return hint
        return None

    def _nearest(self, low: int, high: int, start: int, end: int) -> Direction | None:
        first = bisect_right(self._hints, (low, "past"))
        best: tuple[int, Direction] | None = None
        for position, direction in self._hints[first:]:
            if position >= high:
                break
            if start <= position < end:
                continue
            distance = start - position if position < start else position - end
            if best is None or distance < best[0]:
                best = (distance, direction)
        return best[1] if best else None
