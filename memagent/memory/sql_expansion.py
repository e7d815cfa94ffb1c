"""How far the common table expressions of a query multiply when SQLite compiles it.

SQLite copies a CTE into every place that names it before it asks an authorizer or a progress handler anything, so
that a chain of n CTEs that each name the one before twice costs 2^n (0.3 s at 16, minutes at 25) and cannot be stopped.
"""

from __future__ import annotations

import re

MOST = 20_000  # copies: about 60 ms

_TOKENS = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|$)|(?P<name>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[^\W\d][\w$]*|[\w$]+)|
    (?P<sign>[^\s])""",
    re.VERBOSE | re.DOTALL,
)


def expansion(sql: str) -> float:
    """An upper bound of the number of copies; 1 for a query without CTEs."""
    tokens = [(match["name"] or match["sign"]).lower() for match in _TOKENS.finditer(sql) if match.lastgroup]
    names = [token[1:-1] if token[0] in "'\"`[" and len(token) > 1 else token for token in tokens]
    defined: dict[str, int] = {}
    for at, name in enumerate(names):
        if _defines(tokens, at):
            defined[name] = defined.get(name, 0) + 1
    bound = 1.0
    for name, times in defined.items():
        mentions = sum(
            1
            for at, other in enumerate(names)
            if other == name and not (at + 1 < len(tokens) and tokens[at + 1] == ".")
        )
        uses = mentions - times
        # Of all ways to spread the uses over the definitions, the one with the largest product.
        bound *= max([1.0, *((uses / used) ** used for used in range(1, min(times, 60) + 1))])
        if bound > MOST:
            break
    return bound


def _defines(tokens: list[str], at: int) -> bool:
    """Whether `name [(columns)] as [not] [materialized] (` begins at this token."""
    following = at + 1
    if following < len(tokens) and tokens[following] == "(":
        try:
            following = tokens.index(")", following) + 1
        except ValueError:
            return False
    if following >= len(tokens) or tokens[following] != "as":
        return False
    following += 1
    while following < len(tokens) and tokens[following] in ("not", "materialized"):
        following += 1
    return following < len(tokens) and tokens[following] == "("
