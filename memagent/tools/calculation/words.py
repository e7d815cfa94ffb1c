"""Spoken numbers and operators to symbols: "twelve times eleven" to "12 * 11", "half of 90" to "(1/2) of 90"."""

from __future__ import annotations

import re
from fractions import Fraction

_SMALL = {
    word: value
    for value, word in enumerate(
        (
            *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
            *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
        )
    )
}
_TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fourty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "quarter": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "hundredth": 100,
}
_GLYPHS = {
    "×": "*",
    "·": "*",
    "∙": "*",
    "÷": "/",
    "−": "-",
    "–": "-",
    "—": "-",
    "²": "^2",
    "³": "^3",
    "√": " sqrt ",
    "π": " pi ",
    "½": "(1/2)",
    "¼": "(1/4)",
    "¾": "(3/4)",
    "⅓": "(1/3)",
    "⅔": "(2/3)",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "\u00a0": " ",
}
_SPOKEN = (
    (r"\bper\s?cent(?:age)?\b|\bpct\b|\bpercents\b", "%"),
    (r"\bto the power(?: of)?\b|\braised to(?: the)?(?: power(?: of)?)?\b", "^"),
    (r"\b(?:multiplied by|times|multiply by)\b", "*"),
    (r"\b(?:divided by|divide by|over)\b", "/"),
    (r"\b(?:take away|minus|less|subtract)\b", "-"),
    (r"\bplus\b", "+"),
    (r"\b(?:modulo|modulus|mod)\b", " mod "),
    (r"\bcube root(?: of)?\b|\bcbrt(?: of)?\b", " cbrt "),
    (r"\bsquare root(?: of)?\b|\bsqrt(?: of)?\b|\broot of\b", " sqrt "),
    (r"\bsquared\b", "^2"),
    (r"\bcubed\b", "^3"),
    (r"\bfactorial of\b", " factorial "),
    (r"(?<=[\d)])\s*x\s*(?=[\d(-])", "*"),
    (r"\btwice\b|\bdouble\b", "2 *"),
    (r"\b(?:triple|thrice)\b", "3 *"),
)
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*|[^a-z]+")


def plain(text: str) -> str:
    """Lower case, with one spelling for each sign; the superscripts of m² and km² stay with their unit."""
    text = text.lower().strip()
    text = re.sub(r"\b(mm|cm|m|km|ft|in|yd|mi)([²³])", lambda match: match[1] + {"²": "2", "³": "3"}[match[2]], text)
    return re.sub(r"\s+", " ", "".join(_GLYPHS.get(sign, sign) for sign in text)).strip()


def to_symbols(text: str) -> str:
    """`plain` text with number words and spoken operators replaced."""
    text = re.sub(r"(\d+)\s?'\s?(\d+(?:\.\d+)?)\s?(?:\"|''|$)", r"\1 feet \2 inches", text)
    text = re.sub(r"(\d+)\s?(?:\"|'')(?!\w)", r"\1 inches", text)
    text = re.sub(r"(\d[\d,]*(?:\.\d+)?) (hundred|thousand|million|billion|trillion|dozen)\b", _multiple, text)
    text = number_words(text)
    text = re.sub(r"\b(\d+) (third|quarter|fifth|sixth|seventh|eighth|ninth|tenth|hundredth)s\b", _fraction, text)
    text = re.sub(r"(\d[\d,]*(?:\.\d+)?)k\b(?! (?:in|to|as)\b)", r"(\1*1000)", text)
    for pattern, symbol in _SPOKEN:
        text = re.sub(pattern, symbol, text)
    return text


def _fraction(match: re.Match[str]) -> str:
    return f"({match[1]}/{_PARTS[match[2]]})"


def _multiple(match: re.Match[str]) -> str:
    return f"({match[1]}*{_SCALES.get(match[2], 12 if match[2] == 'dozen' else 100)})"


def number_words(text: str) -> str:
    """Spoken numbers to digits or bracketed fractions; other words stay."""
    tokens = [token for token in _WORD.findall(text) if token]
    words: list[str] = []
    for token in tokens:
        if (
            token[0].isalpha()
            and "-" in token
            and all(part in _SMALL or part in _TENS or _part(part) for part in token.split("-"))
        ):
            words += [piece for part in token.split("-") for piece in (part, " ")][:-1]
        else:
            words.append(token)
    out: list[str] = []
    at = 0
    while at < len(words):
        value, following = _read(words, at)
        if value is None:
            out.append(words[at])
            at += 1
        else:
            out.append(str(value) if value.denominator == 1 else f"({value.numerator}/{value.denominator})")
            at = following
    return "".join(out)


def _read(words: list[str], at: int) -> tuple[Fraction | None, int]:
    """The number that starts at a word, and where it ends."""
    word = words[at]
    if word in ("a", "an"):
        following = _next(words, at)
        if following is None or words[following] == "second":
            return None, at
        if words[following] in ("hundred", "dozen", *_SCALES) or _part(words[following]):
            return _scaled(words, following, Fraction(1))
        return None, at
    if word == "dozen":
        return Fraction(12), at + 1
    if word in ("half", "halves"):
        return _half(words, at)
    value, end = _cardinal(words, at)
    return (None, at) if value is None else _continued(words, end - 1, Fraction(value))


def _cardinal(words: list[str], at: int) -> tuple[int | None, int]:
    """`one hundred and five thousand and two`, and where it ends."""
    total, current, seen, end = 0, 0, False, at
    index: int | None = at
    while index is not None:
        word = words[index]
        if word == "and" and seen and current % 100 == 0:
            index = _next(words, index)
            if index is None or not (words[index] in _SMALL or words[index] in _TENS):
                break
            continue
        step = _step(word, current, seen)
        if step is None:
            break
        current = step
        if word in _SCALES:
            total, current = total + current, 0
        seen, end = True, index + 1
        index = _next(words, index)
    return (total + current, end) if seen else (None, at)


def _step(word: str, current: int, seen: bool) -> int | None:
    """`current` with one more word of a number, or None when the word does not go on with it."""
    if word in _SMALL and not (seen and (current % 10 or (current % 100 and _SMALL[word] > 9))):
        return current + _SMALL[word]
    if word in _TENS and not (seen and current % 100):
        return current + _TENS[word]
    if word == "hundred" and seen and 0 < current < 100:
        return current * 100
    if word in _SCALES and seen and current:
        return current * _SCALES[word]
    return None


def _scaled(words: list[str], at: int, value: Fraction) -> tuple[Fraction, int]:
    """`a dozen`, `a hundred`, `a third`: the value times what stands at a position."""
    word = words[at]
    if word == "dozen":
        return value * 12, at + 1
    if word in _SCALES or word == "hundred":
        return _more(words, at, value * _SCALES.get(word, 100))
    return value / _part(word), at + 1


def _continued(words: list[str], at: int, value: Fraction) -> tuple[Fraction, int]:
    """The value that ends at a position, with `dozen`, `point five`, `thirds` or `and a half` behind it."""
    following = _next(words, at)
    if following is None:
        return value, at + 1
    if words[following] == "dozen":
        return value * 12, following + 1
    if words[following] == "point":
        return _decimals(words, following, value)
    part = _part(words[following])
    if part and value != 0 and (words[following].endswith("s") or value == 1):
        return value / part, following + 1
    return _more(words, at, value)


def _more(words: list[str], at: int, value: Fraction) -> tuple[Fraction, int]:
    """`value`, with the "and a half" (or quarter) that may follow."""
    follow = "".join(words[at + 1 : at + 7])
    match = re.match(r"\s+and (?:a|one) (half|quarter)\b", follow)
    if match:
        return value + Fraction(1, _part(match[1])), at + 7
    return value, at + 1


def _decimals(words: list[str], at: int, value: Fraction) -> tuple[Fraction, int]:
    digits = ""
    index = _next(words, at)
    end = at
    while index is not None and words[index] in _SMALL and _SMALL[words[index]] < 10:
        digits += str(_SMALL[words[index]])
        end = index
        index = _next(words, index)
    return (value + Fraction(int(digits), 10 ** len(digits)), end + 1) if digits else (value, at)


def _half(words: list[str], at: int) -> tuple[Fraction | None, int]:
    nxt = _next(words, at)
    if nxt is not None and words[nxt] in ("a", "an"):
        after = _next(words, nxt)
        if after is not None and words[after] in ("dozen", "hundred", *_SCALES):
            return Fraction(_SCALES.get(words[after], 100 if words[after] == "hundred" else 12), 2), after + 1
        return Fraction(1, 2), nxt + 1
    return Fraction(1, 2), at + 1


def _part(word: str) -> int:
    return _PARTS.get(word, _PARTS.get(word.removesuffix("s"), 0))


def _next(words: list[str], at: int) -> int | None:
    """The index of the next word, when only a space is between."""
    if at + 2 < len(words) and words[at + 1] == " ":
        return at + 2
    return None
