# make demo    the main job, end to end, in a temporary home
# make test    everything that must be green before a change lands; MEMAGENT_LONG_TESTS=1 kills and writes for longer
# make check   ruff, mypy and the import contracts
# make bench   latency and size of the store beside raw libraries and other memories; BENCH='--full --json FILE'
# PYTHON=python3.13 make test   with another interpreter (3.11 or newer)

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip install --quiet --constraint constraints.txt

.PHONY: setup demo test check bench clean

setup: $(VENV)/.dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "memagent needs Python 3.11 or newer: PYTHON=python3.12 make ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	@touch $@

# The tests of checkpoints and servers need torch and openai; the program and the demo do not.
$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[dev,local,openai]'
	@touch $@ $(VENV)/.runtime

demo: $(VENV)/.runtime
	$(VENV)/bin/memagent demo

check: $(VENV)/.dev
	$(VENV)/bin/ruff check memagent tui migrations tests
	$(VENV)/bin/ruff format --check memagent tui migrations tests
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

test: check
	$(VENV)/bin/python -m pytest

bench: $(VENV)/.runtime
	$(VENV)/bin/python -m memagent.evals.bench $(BENCH)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
