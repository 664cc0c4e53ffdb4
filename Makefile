# Everything lives in .venv; each target sets up what it needs and does its job.
# `make demo` and `make test` are the two commands of the README.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test lint types layers bench chaos lock clean

demo: $(VENV)/.ready
	@$(BIN)/offhook demo

test: lint types layers
	$(BIN)/python -m pytest -n 3 --dist worksteal

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready-dev
	$(BIN)/mypy

layers: $(VENV)/.ready-dev
	$(BIN)/lint-imports

bench: $(VENV)/.ready-dev
	$(BIN)/python -m bench

chaos: $(VENV)/.ready-dev
	$(BIN)/python -m bench.chaos

# The lock files carry names, versions and hashes, never the address of a registry.
lock: $(VENV)/.ready-dev
	$(PIP) install -q uv
	$(BIN)/uv pip compile -q $(UPGRADE) --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 pyproject.toml requirements/build.in -o requirements/run.lock
	$(BIN)/uv pip compile -q $(UPGRADE) --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --python-version 3.11 pyproject.toml requirements/build.in --extra dev -o requirements/dev.lock

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "offhook needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: requirements/run.lock pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) (once, about a minute) ..."
	@$(PIP) install -q --require-hashes -r requirements/run.lock
	@$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.ready-dev: requirements/dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) with the tools for tests (once, about a minute) ..."
	@$(PIP) install -q --require-hashes -r requirements/dev.lock
	@$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf $(VENV)
