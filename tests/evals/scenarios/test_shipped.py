"""The words that stand for the shipped scenarios."""

from __future__ import annotations

from pathlib import Path

import pytest

from memagent.errors import InputError
from memagent.evals.scenarios.shipped import FOLDER, scenario_files


def test_words_stand_for_the_shipped_files_among_the_paths_of_others() -> None:
    own, elsewhere = Path("mine.yaml"), Path("tests/suite/lists")
    assert scenario_files([own, elsewhere]) == [own, elsewhere]
    assert scenario_files([Path("suite/lists"), own]) == [FOLDER / "lists.yaml", own]
    assert scenario_files([Path("suite")]) == sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", ["suite/list", "suite/lists.yaml", "suite/lists/lists", "suite/" + "x" * 300])
def test_a_name_that_is_not_there_is_answered_with_those_that_are(path: str) -> None:
    with pytest.raises(InputError, match="there is no suite/") as error:
        scenario_files([Path(path)])
    assert all(f"suite/{file.stem}" in error.value.hint for file in FOLDER.glob("*.yaml"))


def test_a_file_of_the_person_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("suite").mkdir()
    Path("suite/lists").touch()
    assert scenario_files([Path("suite/lists")]) == [Path("suite/lists")]
    assert scenario_files([Path("suite/dates")]) == [FOLDER / "dates.yaml"]
