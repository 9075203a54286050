# What can be done with this project. `make` alone lists it.

VENV := .venv
BIN := $(VENV)/bin
PROJECTS := pyproject.toml rules/pyproject.toml sandbox/pyproject.toml client/pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup run test check dev lint format types arrows house openapi lock bench bench-large chaos clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.runtime ## Install what Postroom needs to run, into .venv

run: setup ## Run the demo: Postroom and a sandbox of GOV.UK Notify (ARGS="--help" for more)
	@exec $(BIN)/postroom demo $(ARGS)

test: dev ## Run every test; brings PostgreSQL and Chromium first (ARGS="-k inbox" for some)
	@tools/bring
	@$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

check: ## Run exactly what CI runs: lint, types, arrows, house rules, OpenAPI file, tests
	@exec .ci/run

lint: dev ## Look for faults and for lines that are not formatted
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: dev ## Format the code, and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: dev ## Check the types
	@$(BIN)/mypy

arrows: dev ## Check who imports whom
	@$(BIN)/lint-imports --no-logo

house: dev ## Check the rules of the house
	@$(BIN)/pytest -q tests/house

openapi: dev ## Check that docs/openapi.json says what the API does, and the TypeScript client's types what that says
	@if [ -f src/postroom/interfaces/api/openapi.py ]; then \
		$(BIN)/python -m postroom.interfaces.api.openapi --check docs/openapi.json; \
	fi
	@$(BIN)/python tools/client-types --check

lock: ## Resolve the dependencies anew into the two lock files (needs uv)
	@tools/lock

bench: dev ## Measure, beside the floor that the figures are read against (ARGS="accept --seconds 5")
	@exec $(BIN)/python -m bench $(ARGS)

bench-large: dev ## The same with 10 million rows and 100,000 deliveries: half an hour, 30 GB of disk
	@exec $(BIN)/python -m bench $(ARGS) --large

chaos: dev ## The fire test: kill, pause and spoil everything, and count (ARGS="--seed 7 --minutes 10")
	@exec $(BIN)/python -m chaos $(ARGS)

clean: ## Remove .venv, caches and what the demo kept
	rm -rf $(VENV) client-ts/node_modules data dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

dev: $(VENV)/.dev

$(VENV)/.runtime: requirements.lock $(PROJECTS)
	@tools/setup requirements.lock
	@touch $@

# The tools' lock holds the other one too, so this serves both.
$(VENV)/.dev: requirements.lock requirements-dev.lock $(PROJECTS)
	@tools/setup requirements-dev.lock
	@touch $(VENV)/.runtime $@
