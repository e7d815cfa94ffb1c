"""How replies and expectations are compared: on whole words, codes and numbers."""

from __future__ import annotations

import re
import unicodedata

_SAME = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "⁄": "/"})
# What joins two parts into one token: an apostrophe between letters, most punctuation beside a digit.
_JOINT = r"(?:(?<=[^\W\d_])'(?=[^\W\d_])|(?<=\d)[-.,:/_+*&'#@](?=[^\W_])|(?<=[^\W_])[-.,:/_+*&'#@](?=\d))"
_TOKEN = re.compile(rf"[£$€]?(?:(?<![^\W_])-(?=\d))?[^\W_]+(?:{_JOINT}[^\W_]+)*%?")

# What may follow a number without being a part of it: ordinals, units, am and pm. Not k: 40k is not 40.
_UNIT = (
    r"(?:st|nd|rd|th|am|pm|h|hrs?|mins?|m|s|secs?|mg|g|kg|ml|cl|l|mm|cm|km|mi|miles?|ft|in|lbs?|oz|stone|mph|kmh|kwh?|w"
    r"|gb|mb|tb|p|c|f|x|yo|days?|weeks?|months?|years?)(?![^\W_])"
)
_PLURAL = r"(?:'?s|es)"
_DERIVED = r"(?:'?s|es|e|e?d|e?rs?|ings?|ists?|ly)"
_CALENDAR = {
    short: f"{short}(?:{rest})?"
    for short, rest in (
        ("jan", "uary"), ("feb", "ruary"), ("mar", "ch"), ("apr", "il"), ("jun", "e"), ("jul", "y"), ("aug", "ust"),
        ("sep", "t(?:ember)?"), ("oct", "ober"), ("nov", "ember"), ("dec", "ember"), ("mon", "day"),
        ("tue", "s(?:day)?"), ("wed", "nesday"), ("thu", "r(?:s(?:day)?)?"), ("fri", "day"), ("sat", "urday"),
        ("sun", "day"),
    )
}  # fmt: skip


def folded(text: str) -> str:
    """Lower case without accents; punctuation goes unless it is inside a code, a number or a contraction."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.translate(_SAME)).casefold())
    plain = "".join(character for character in plain.translate(_SAME) if not unicodedata.combining(character))
    return " ".join(match.group() for match in _TOKEN.finditer(plain))


def occurs(wanted: str, text: str) -> bool:
    """Whether `wanted` stands in `text` as whole tokens: 40 in "40 people" and "the 40th", not in 140, 40.5 or 10:40.

    A word may stand there as a plural or with a possessive; one given in lower case also as "welder" for "weld".
    Months and weekdays may be short or long. False where `wanted` has neither letter nor digit.
    """
    words = folded(wanted)
    return bool(words) and re.search(_pattern(words, wanted), f" {folded(text)} ") is not None


def _pattern(words: str, wanted: str) -> str:
    before = r"(?<![^\W_])"
    if words[0].isdigit():  # not the end of a larger number or code, and not a negative one
        before += r"(?<!\d[-.,:/_+*&'#@])(?<!\s-)(?<![£$€]-)"
    after = r"(?![^\W_])"
    *_, last = tokens = words.split(" ")
    if words[-1].isdigit():
        after = rf"(?![-.,:/_+*&'#@]\d)(?:{after}|(?={_UNIT}))"
    elif last.isalpha() and len(last) >= 3:
        lower = wanted.split()[-1][:1].islower() and len(last) >= 4
        after = f"{_DERIVED if lower else _PLURAL}?{after}"
    return before + " ".join(map(_token, tokens)) + after


def _token(token: str) -> str:
    """What a token is found as: February and Sept as Feb and September, everything else as it is."""
    named = _CALENDAR.get(token[:3])
    return named if named is not None and re.fullmatch(named, token) else re.escape(token)
