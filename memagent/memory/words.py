"""From what a person typed to a full-text query that is safe and cheap.

Everything typed is data: only letters and digits survive, each word is quoted, so no operator of FTS5 or of a tsquery
can be spelled by accident (`what's`, `C++`, `NEAR(`, `"`). Function words are dropped, because an OR with them ranks
most of the table (55 ms at 100,000 rows on SQLite 3.40); what else is frequent in one store is for
`memagent.memory.retrieval` to drop.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

MAX_CHARACTERS = 4000  # of a query text; a person's question is far shorter
MAX_TERMS = 24
PREFIX = "*"  # at the end of a term: any word that begins so

_WORD = re.compile(r"[^\W_]+")

_FUNCTION_WORDS = (
    "a about above after again against all also am an and any anyone anything are aren as at be because been before "
    "being below between both but by can cannot could couldn d did didn do does doesn doing don done down during each "
    "else ever every few for from further get got had hadn has hasn have haven having he her here hers herself him "
    "himself his how i if in into is isn it its itself just ll m ma me mine more most much my myself no nor not now o "
    "of off on once only or other our ours ourselves out over own please re s same shall she should shouldn so some "
    "someone something such t than that the their theirs them themselves then there these they this those through to "
    "too under until up upon us ve very was wasn we were weren what whatever when whenever where which while who "
    "whoever whom whose why will with won would wouldn yes you your yours yourself yourselves again recall remember "
    "remind say said tell told"
)
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())


def words(text: str) -> list[str]:
    """Lower-case words of `text` in order, letters and digits only.

    At most the first `MAX_CHARACTERS` characters are read.
    """
    return _WORD.findall(unicodedata.normalize("NFC", text[:MAX_CHARACTERS]).lower())


def content_words(text: str, limit: int = MAX_TERMS) -> list[str]:
    """Distinct words that carry meaning, in order.

    Where there are none, the function words themselves ("who", "The Who").
    """
    found = list(dict.fromkeys(words(text)))
    return ([word for word in found if word not in STOP_WORDS] or found)[:limit]


def any_of(terms: Iterable[str]) -> str:
    """The FTS5 query that matches rows holding any of `terms` (from `content_words`); empty for no terms."""
    return " OR ".join(map(_quoted, terms))


def all_of(terms: Iterable[str]) -> str:
    """The FTS5 query that matches rows holding all of `terms`; empty for no terms."""
    return " AND ".join(map(_quoted, terms))


def _quoted(term: str) -> str:
    return f'"{term[:-1]}"*' if term.endswith(PREFIX) else f'"{term}"'


def tsquery_any_of(terms: Sequence[str]) -> str:
    """The same as `any_of` for PostgreSQL's `to_tsquery`."""
    return " | ".join(f"'{term[:-1]}':*" if term.endswith(PREFIX) else f"'{term}'" for term in terms)


def tsquery_all_of(terms: Sequence[str]) -> str:
    """The same as `all_of` for PostgreSQL's `to_tsquery`."""
    return " & ".join(f"'{term[:-1]}':*" if term.endswith(PREFIX) else f"'{term}'" for term in terms)


def fts_query(text: str) -> str:
    """The FTS5 query for a text as typed: any of its content words. Empty when it holds no word; never invalid."""
    return any_of(content_words(text))
