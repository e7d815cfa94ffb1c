"""What is built from this tree works where this tree is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel has been unpacked, as an installer does it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("memagent", "migrations", "tui"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(source / "dist"),
        str(source),
    ]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (source / "dist").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(target)
    return target


@pytest.mark.slow
def test_everything_in_the_packages_is_in_the_wheel(installed: Path) -> None:
    folders = {ROOT / "memagent": "memagent", ROOT / "tui": "tui", ROOT / "migrations": "memagent/migrations"}
    files = {
        f"{target}/{path.relative_to(folder)}"
        for folder, target in folders.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(files) > 250
    assert {name for name in files if not (installed / name).is_file()} == set()


@pytest.mark.slow
def test_an_installed_wheel_answers_in_a_new_process(installed: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "memagent", *arguments]
        result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout

    where = subprocess.run(
        [sys.executable, "-c", "import memagent, memagent.migrations; print(memagent.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(installed))
    run("ask", "the boiler gets its service from a company called Hartnell")
    assert "Hartnell" in run("ask", "--new", "who looks after the boiler?")
    assert "Hartnell" in run("memories", "list")
    run("eval", "run", "suite", "--check")


@pytest.mark.slow
def test_an_installed_wheel_has_the_terminal_interface_with_its_styles(installed: Path, tmp_path: Path) -> None:
    code = """
import asyncio, tui.app
from memagent.config import load_settings
async def main():
    app = tui.app.MemagentApp(load_settings(home='home', store_url='sqlite:///memory.db'))
    async with app.run_test() as pilot:
        for key in ('f3', 'f4', 'f6', 'f2'):
            await pilot.press(key)
    app.close()
    print(tui.app.__file__)
asyncio.run(main())
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])}
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(str(installed))
