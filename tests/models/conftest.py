"""What several tests of the specialists share."""

from __future__ import annotations

import pytest

from memagent.models.understanding import Understanding
from tests.models.asking import Asker


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return Understanding()


@pytest.fixture
def ask(understanding: Understanding) -> Asker:
    return Asker(understanding)
