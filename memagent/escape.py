"""Text from memory, models, documents and people, made harmless for a screen: what could steer it is written out."""

from __future__ import annotations

import re

# Control characters (escape sequences start with one), bidirectional overrides, invisible spaces, line separators, tag
# characters and halves of surrogate pairs. The joiners U+200C and U+200D stay: Persian, Hindi and emoji need them.
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: object) -> str:
    """The text with everything that could steer or deceive a terminal written out; line breaks and tabs are kept."""
    return UNSAFE.sub(_escape, str(text).replace("\r\n", "\n"))


def one_line(text: object) -> str:
    """`visible` on a single line, for table cells and headings."""
    return visible(str(text).replace("\r\n", "\n").replace("\n", " ⏎ ").replace("\t", " "))
