"""Check before speaking: names, numbers and dates of a reply must occur in what was recalled or said.

A cheap lexical check, on purpose: it cannot be argued with. It looks at the kinds of words that small models invent
and that do harm when wrong; ordinary words are free.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

NUMBER = re.compile(r"\d[\d.,:/-]*\d|\d")
WORD = re.compile(r"[^\W\d_][\w'’-]*")
SENTENCE_START = re.compile(r"(?:^|[.!?:;]\s+|\n\s*|[\"“(]\s*)$")
ALONE = re.compile(r"\s*(?:[.!?\n]|$)")
# Words that stand alone as a sentence, or begin what follows a colon; any other capital there is a name.
_ORDINARY = (
    "a absolutely actually agreed all also always an and any as at awesome both but bye certainly cool correct deleted "
    "done each either erased every exactly excellent fine for forgotten from gladly good goodbye got great he hello "
    "her here hey hi his how i if in indeed is it its let maybe my never nice no none noted nothing now of okay on one "
    "only or our perfect perhaps please pleasure probably really remembered right same saved she so some sometimes "
    "sorry stored sure thanks that the their then there these they this those to today tomorrow understood unclear "
    "unknown updated very we welcome well what when where which who why with wonderful yes yesterday you you'd you'll "
    "you're you've your yours yourself"
)
ORDINARY = frozenset(_ORDINARY.split())
FREE = frozenset({"I", "I'm", "I've", "I'll", "I'd", "OK", "Ok", "SQL"})


def plain(text: str) -> str:
    """Lower case, without accents, with straight quotes."""
    decomposed = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


def unsupported(reply: str, evidence: Iterable[str]) -> list[str]:
    """Names and numbers of `reply` that occur nowhere in `evidence`, in order of appearance."""
    told = "\n".join(evidence)
    words = {bare(plain(word)) for word in WORD.findall(told)}
    numbers = {digits(number) for number in NUMBER.findall(told)}
    missing = []
    for found in named(reply):
        known = digits(found) in numbers if found[0].isdigit() else bare(plain(found)) in words
        if not known:
            missing.append(found)
    return missing


def named(reply: str) -> list[str]:
    """The numbers, then the names of a reply, each kind in order of appearance."""
    names = [
        match.group()
        for match in WORD.finditer(reply)
        if match.group()[0].isupper() and match.group() not in FREE and not _begins(reply, match)
    ]
    return [*NUMBER.findall(reply), *names]


def _begins(reply: str, match: re.Match[str]) -> bool:
    """Whether a word has its capital from its place, as the first of a sentence.

    A word that is the whole sentence ("Hamburg."), or comes after a colon ("it is: Hamburg"), has it from being a name
    unless it is one of the ORDINARY ones.
    """
    before = reply[: match.start()]
    if not SENTENCE_START.search(before):
        return False
    telling = before.rstrip().endswith(":") or ALONE.match(reply, match.end()) is not None
    return not telling or plain(match.group()) in ORDINARY


def bare(word: str) -> str:
    """A plain word without its possessive ending and closing quotes."""
    return word.rstrip("'-").removesuffix("'s")


def digits(number: str) -> str:
    """A number without grouping and trailing punctuation."""
    return number.strip(".,:/-").replace(",", "")
