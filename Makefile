# `make try` is the two-minute way in. `make check test` is what CI runs.
PYTHON ?= python3
UV ?= uv
BIN := .venv/bin
# An environment is stamped with the lock it was made from: another lock makes another one, the same lock costs nothing.
RUN_ENV := .venv/.run-$(shell cksum < requirements.lock | tr -d ' ')
DEV_ENV := .venv/.dev-$(shell cat requirements.lock requirements-dev.lock | cksum | tr -d ' ')
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes

LOCK_OPTIONS := --quiet --no-config --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header

.PHONY: try test check format bench transcript lock clean

try: $(RUN_ENV) ## open Rapport in the terminal, with sample deals and a short tour
	@$(BIN)/python -m bot try

test: $(DEV_ENV) ## run all tests
	@$(BIN)/python -m pytest -n 2

check: $(DEV_ENV) ## lint, format, types, and who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(DEV_ENV) ## put the code into form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(DEV_ENV) ## measure, and print the figures
	@$(BIN)/python -m bench

transcript: $(DEV_ENV) ## write the tour, as the program prints it, into the README
	@$(BIN)/python -m tests.transcript

lock: ## pin the newest versions that fit, with their hashes (needs uv)
	$(UV) pip compile --upgrade $(LOCK_OPTIONS) --output-file requirements.lock pyproject.toml
	$(UV) pip compile $(LOCK_OPTIONS) --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

clean: ## remove what was made; data stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN_ENV):
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Rapport needs Python 3.11 or newer.")'
	@echo "Installing Rapport into .venv (once; about a minute) ..." >&2
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) -r requirements.lock
	@touch $@

$(DEV_ENV): $(RUN_ENV)
	@echo "Adding the development tools ..." >&2
	@rm -f .venv/.dev-*
	@$(PIP) -r requirements-dev.lock
	@touch $@
