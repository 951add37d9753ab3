# `make run` and `make test` are all that a newcomer needs; both make the virtual environment themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: run test quick check bench pictures catalogue lock help
.DEFAULT_GOAL := help

help: ## Say what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## /make \1\t/'

run: $(VENV)/sandbox ## Start Patchbell: on Discord with a token, in the sandbox without one
	@exec $(BIN)/python -m scripts.run

test: $(VENV)/test ## Install what the tests need, then check style, types and every test
	@scripts/install-test-tools
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --require-tools

quick: $(VENV)/test ## The tests that take less than a minute together: none that is slow, or starts a browser or a PostgreSQL
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m 'not slow and not chromium and not postgresql'

check: $(VENV)/test ## Style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright

bench: $(VENV)/test ## Measure, as ratios in one run
	@$(BIN)/python -m benchmarks

pictures: $(VENV)/test ## Take the README's pictures anew, from the sandbox
	@$(BIN)/python -m scripts.take_pictures

catalogue: $(VENV)/test ## Gather every sentence that people read, for translators
	@$(BIN)/python -m scripts.catalogue

lock: ## Renew the hash-locked requirements from pyproject.toml
	@$(PYTHON) -m venv .make/lock && .make/lock/bin/pip install --quiet uv
	@scripts/lock .make/lock/bin/uv

$(BIN)/python:
	@$(PYTHON) -m venv $(VENV)

$(VENV)/sandbox: requirements/sandbox.txt | $(BIN)/python
	@echo "Installing what Patchbell needs (once)…"
	@$(INSTALL) -r requirements/sandbox.txt
	@touch $@

$(VENV)/test: requirements/test.txt | $(BIN)/python
	@echo "Installing what the tests need (once)…"
	@$(INSTALL) -r requirements/test.txt
	@touch $@ $(VENV)/sandbox
