# Everything lives in .venv; each target sets up what it needs and does its job.
# `make demo` and `make test` are the two commands of the README.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

# Python keeps what it has compiled, even where the environment says no: tests start it often.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint types layers compiled bench chaos lock clean

demo: $(VENV)/.ready
	@$(BIN)/offhook demo

# More workers than processors: much of a phone call is waiting.
test: $(VENV)/.ready-dev
	@$(MAKE) --no-print-directory -j2 types compiled lint layers
	$(BIN)/python -m pytest -n 5 --dist worksteal

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready-dev
	$(BIN)/mypy

layers: $(VENV)/.ready-dev
	$(BIN)/lint-imports

# Once, while mypy has the other processor, instead of once in each worker.
compiled: $(VENV)/.ready-dev
	-@$(BIN)/python -m pytest --collect-only -q >/dev/null

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
