# Everything from a bare Linux x86-64 with Python 3.11 and make. `make` alone lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run stop up down test test-services test-compose soak check pictures bench lock clean
MAKEFLAGS += --no-print-directory

UV := .uv/bin/uv
BIN := .venv/bin
STAMP := .venv/.millrace-ready
TESTS ?= tests
# In model/ the other two put PostgreSQL 18 in Spark's place.
ON_SERVERS := $(addprefix tests/integration/,test_lease.py test_databases.py test_promotions.py test_lineage.py \
  test_lineage_events.py test_validate.py materialize pages \
  $(addprefix model/test_,due.py join_kept.py predict.py promote.py))
# Every documented example runs.
EXAMPLES := $(shell grep -rl "^ *>>> " pipelines models plugins --include=*.py)
export UV_PYTHON_DOWNLOADS := never

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## set up, start everything, load history, run the whole chain (FOLLOW=1: stay attached)
	@$(BIN)/millrace run $(if $(FOLLOW),--follow)

stop: ## stop every server; state stays
	@if [ -x $(BIN)/millrace ]; then $(BIN)/millrace stop; fi

test: setup ## all tests that need no server of others (TESTS=path: only those)
	@$(BIN)/pytest --ignore tests/compose $(TESTS)

test-services: setup ## what touches PostgreSQL or Redis, on Debian's own servers
	@MILLRACE_TEST_SERVERS=$(if $(MILLRACE_TEST_POSTGRES),,debian) $(BIN)/pytest $(ON_SERVERS)

test-compose: setup ## the containers: built, started, killed and restored
	@tests/compose/base_images.sh
	@$(BIN)/pytest tests/compose

up: ## the same in containers: build, start, run the whole chain there
	@scripts/compose.sh up -d --build
	@scripts/compose.sh exec -T airflow-scheduler millrace run

down: ## stop the containers; state stays
	@scripts/compose.sh down

soak: setup ## the long random tests
	@MILLRACE_TEST_SEEDS=$${MILLRACE_TEST_SEEDS:-200} $(BIN)/pytest --ignore tests/compose tests

check: setup ## format, lint, types, contracts, fast tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q --doctest-modules $(EXAMPLES) tests/unit tests/contract tests/dags

pictures: setup ## take the pictures of the docs, on the platform that is up
	@MILLRACE_TEST_PICTURES=docs/images $(BIN)/pytest -q -k pictures tests/integration/with_airflow

bench: setup ## measure (GOAL=name: only that one)
	@PYTHONPATH=plugins $(BIN)/python -m benchmarks $(GOAL)

lock: | $(UV) ## resolve pyproject.toml into requirements.lock again
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --extra dev \
	  --no-emit-index-url pyproject.toml -o requirements.lock

clean: ## stop, then remove all local state
	@if [ -x $(BIN)/millrace ]; then $(BIN)/millrace clean; else rm -rf .millrace; fi

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml | $(UV)
	@scripts/setup.sh packages $(UV) .venv
	@scripts/setup.sh project $(UV) .venv
	@touch $@

$(UV):
	@scripts/setup.sh uv
