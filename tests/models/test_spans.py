"""Where a value begins and ends in the words that were said."""

from __future__ import annotations

import pytest

from memagent.models.spans import whole_words


@pytest.mark.parametrize(
    ("text", "found", "whole"),
    [
        ("Nora's wedding", "s wedding", "wedding"),
        ("Nora’s wedding", "s wedding", "wedding"),
        ("the boiler room", "oiler roo", "boiler room"),
        ("at (14:05, or so)", "(14:05,", "14:05"),
        ("it is Nora's", "s", "s"),
        ("s wedding", "s wedding", "s wedding"),
        ("Finally, Mr Abbas will come", "Mr", "Mr Abbas"),
        ("ask Dr. O'Leary, please", "Dr.", "Dr. O'Leary"),
        ("the dr said no", "dr", "dr"),
        ("half a dozen is 2.20 now", "20", "2.20"),
        ("half a dozen is 2.20 now", "2", "2.20"),
        ("there are 3. Then I left", "3", "3"),
    ],
)
def test_a_span_is_grown_to_whole_words_and_trimmed(text: str, found: str, whole: str) -> None:
    start = text.index(found) if found != "s" else len(text) - 1
    first, last = whole_words(text, start, start + len(found))
    assert text[first:last] == whole
