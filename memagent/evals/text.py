"""How replies and expectations are compared."""

from __future__ import annotations

import re
import unicodedata


def folded(text: str) -> str:
    """Lower case without accents; punctuation goes unless it stands between letters or digits."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace("–", "-"))
    plain = "".join(character for character in plain if not unicodedata.combining(character)).casefold()
    kept = re.sub(r"(?<![^\W_])[^\w\s£$€]+|[^\w\s%]+(?![^\W_])", " ", plain)
    return " ".join(kept.split())
