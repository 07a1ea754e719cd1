# Every task of the repository. `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
ARGS ?=
WORKERS ?= 2
BIN := .venv/bin
PY := $(BIN)/python
# A Python that was asked for replaces another one in .venv; the default takes what is there.
CHOSEN := $(if $(filter command environment,$(origin PYTHON)),--this-python)
FIND_PYTHON = command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON). revgraph needs Python 3.11, 3.12 or 3.13."; exit 1; }
SET_UP = $(FIND_PYTHON); "$(PYTHON)" scripts/set_up.py $(CHOSEN)

# Tools that want a home directory get one of ours where there is none.
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/.cache/home
endif
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export npm_config_cache := $(CURDIR)/.cache/npm
export npm_config_update_notifier := false
export npm_config_fund := false

.PHONY: help setup setup-dev run test check format schema lock graphiql bench torture bench-webhooks bench-hostile bench-db clean
.NOTPARALLEL:

help: ## List every target
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  make test ARGS='tests/unit -k money'   runs some tests; PYTHON=python3.12 make setup   picks a Python"

setup: ## Create .venv with what the server needs (Python 3.11 to 3.13)
	@$(SET_UP) runtime

setup-dev: ## Add what tests and checks need
	@$(SET_UP) dev

run: setup ## Start the server on SQLite with a sample catalogue and a demo account
	@$(BIN)/revgraph serve --demo $(ARGS)

test: setup-dev ## Run the tests on both databases; fail under 95 % of lines of app/
	@"$(PY)" -m pytest -n $(WORKERS) --dist worksteal \
	    $(if $(strip $(ARGS)),,--cov=app --cov-report=term-missing:skip-covered --cov-fail-under=95) $(ARGS)

check: setup-dev ## Lint, types, import contracts, stale schema, Dockerfile, rules of the tree
	@"$(PY)" scripts/check.py $(ARGS)

format: setup-dev ## Format the Python code and apply the linter's safe fixes
	@"$(PY)" -m ruff check --fix --quiet . || true
	@"$(PY)" -m ruff format .

schema: setup ## Write schema.graphql from the code
	@$(BIN)/revgraph schema > .schema.new && mv .schema.new schema.graphql

lock: ## Resolve the dependencies again and write requirements/*.lock
	@$(FIND_PYTHON); "$(PYTHON)" scripts/lock.py $(ARGS)

graphiql: setup-dev ## Build the GraphiQL page that the server hands out
	@"$(PY)" scripts/build_graphiql.py

bench: setup-dev ## Measure revgraph beside its peers; ARGS=--quick tries it out
	@"$(PY)" -m bench $(ARGS)

torture: setup-dev ## Kill the server 200 times on each database, then tell the stories in every order: hours
	@"$(PY)" -m tests.torture $(ARGS)
	@REVGRAPH_TORTURE=full "$(PY)" -m pytest -n $(WORKERS) --timeout 7200 tests/integration/test_stories.py tests/integration/test_subscription_stories.py

bench-webhooks: setup-dev ## Measure how many webhook events are taken in
	@"$(PY)" -m bench.webhooks $(ARGS)

bench-hostile: setup-dev ## Measure for how long a hostile document holds the event loop
	@"$(PY)" -m bench.hostile $(ARGS)

bench-db: setup ## Make the large database used for measuring
	@$(BIN)/revgraph bench-database $(ARGS)

clean: ## Remove what was built and installed; var/ (your data) stays
	@rm -rf .venv .cache .coverage .coverage.* htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache \
	    .import_linter_cache build dist *.egg-info graphiql/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
