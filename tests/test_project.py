"""The rules of the house that a machine can check; ruff and mypy run in `make check`."""

from __future__ import annotations

import ast
import re
import resource
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import memagent
from memagent.memory.records import FactDraft
from memagent.memory.store import MemoryStore

ROOT = Path(__file__).parent.parent
MAX_FILE = 400
MAX_FUNCTION = 60
HEAVY = {"torch", "transformers", "chromadb", "numpy", "onnxruntime", "tokenizers", "alembic", "textual"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


DISTRIBUTIONS = {"textual_serve": "textual-serve", "yaml": "pyyaml"}  # where the module has another name


def declared_libraries() -> list[str]:
    """Requirements of the program and of all its extras."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    return [*PROJECT["project"]["dependencies"], *(item for items in extras for item in items)]


def sources() -> Iterator[Path]:
    for folder in ("memagent", "tui", "migrations", "tests"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_every_file_fits_in_a_head() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert len(sizes) > 50
    assert {name: size for name, size in sizes.items() if size > MAX_FILE} == {}


def test_every_function_fits_on_a_screen() -> None:
    long = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None:
                size = node.end_lineno - node.lineno + 1
                if size > MAX_FUNCTION:
                    long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = size
    assert long == {}


def test_every_module_begins_with_what_it_owns_and_the_future() -> None:
    lacking = []
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
        if tree.body and not (ast.get_docstring(tree) and (futures or len(tree.body) == 1)):
            lacking.append(str(path.relative_to(ROOT)))
    assert lacking == []


def test_every_package_is_in_the_wheel() -> None:
    def packages(folder: str) -> set[str]:
        return {".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob(f"{folder}/**/__init__.py")}

    expected = packages("memagent") | packages("tui") | {f"memagent.{name}" for name in packages("migrations")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == expected


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["project"]["version"] == memagent.__version__
    assert f"[{memagent.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_dependency_is_pinned() -> None:
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    assert {re.split(r"[\[<>=]", item)[0].lower() for item in declared_libraries()} - pinned == set()


def test_every_library_that_is_imported_is_declared() -> None:
    imported = set()
    for path in [path for folder in ("memagent", "tui", "migrations") for path in (ROOT / folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    imported -= {*sys.stdlib_module_names, "memagent", "tui"}
    declared = {re.split(r"[\[<>=]", item)[0].lower() for item in declared_libraries()}
    assert {DISTRIBUTIONS.get(name, name) for name in imported} - declared == set()


def test_the_layers_are_kept() -> None:
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def imported_by(arguments: list[str]) -> set[str]:
    """Which heavy libraries the process has imported when a command has ended."""
    code = (
        "import sys, memagent.cli\n"
        "try:\n    memagent.cli.main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('\\nheavy:', *sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.splitlines()[-1].split()[1:])


@pytest.fixture
def small_store(home: Path) -> None:
    home.mkdir()
    with MemoryStore.open(f"sqlite:///{home / 'memory.db'}") as store:
        store.add_fact(FactDraft("boiler", "serviced by", "Hartnell"), asked_by="user")


READING = [
    ["sql", "select count(*) from current_facts"],
    ["memories", "list"],
    ["memories", "why", "1"],
    ["sessions", "list"],
    ["config", "show"],
    ["--help"],
]


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_reading_commands_load_nothing_heavy(small_store: None, arguments: list[str]) -> None:
    assert imported_by(arguments) == set()


@pytest.mark.parametrize("arguments", READING[:2], ids=" ".join)
def test_reading_commands_start_and_end_within_600_ms(small_store: None, arguments: list[str]) -> None:
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "memagent", *arguments], cwd=ROOT, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    # Nothing in it waits, so processor time is what it takes; wall time depends on what else the machine is doing.
    assert min(seconds() for _ in range(5)) <= 0.6


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys, memagent, memagent.config, memagent.conversation; print(*({HEAVY!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
