"""The pictures of the README are what the application looks like now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.pictures import ACTS, make, same

FOLDER = Path(__file__).parent.parent.parent / "docs" / "pictures"


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    return make()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ACTS)
def test_the_picture_is_current(drawn: dict[str, str], name: str) -> None:
    kept = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert same(kept, drawn[name]), f"draw it again: python -m tui.pictures {FOLDER.relative_to(Path.cwd())}"


def test_a_picture_that_shows_other_words_or_colours_is_not_the_same() -> None:
    svg = '<style>.a { fill: #102030 }</style><text class="a">looked for&#160;boiler · 12 ms</text>'
    assert same(svg, svg.replace("12", "340"))
    assert not same(svg, svg.replace("boiler", "garage"))
    assert not same(svg, svg.replace("#102030", "#405060"))
