# Everything from a bare Linux x86-64 with Python 3.11 and make. `make` alone lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run stop up down test test-all soak lint check pictures bench lock clean
MAKEFLAGS += --no-print-directory

UV := .uv/bin/uv
BIN := .venv/bin
STAMP := .venv/.millrace-ready
export UV_PYTHON_DOWNLOADS := never

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## set up, start everything, run the whole chain (CASE=name: that case; FOLLOW=1: stay)
	@$(BIN)/millrace run $(CASE) $(if $(FOLLOW),--follow)

stop: ## stop every server; state stays
	@if [ -x $(BIN)/millrace ]; then $(BIN)/millrace stop; fi

test: setup ## the tiers fast, servers, chain, orchestration (TESTS=path: only those)
ifdef TESTS
	@$(BIN)/pytest $(TESTS)
else
	@$(BIN)/python -m tests.tiers fast servers chain orchestration
endif

test-all: setup ## those, and platform, homes, services, compose (one tier alone: make test-NAME)
	@$(BIN)/python -m tests.tiers all

test-%: setup
	@$(BIN)/python -m tests.tiers $*

up: ## the same in containers: build, start, run the whole chain there (CASE=name: that case)
	@MILLRACE_CASES="$(CASE)" scripts/compose.sh up -d --build
	@scripts/compose.sh exec -T airflow-scheduler millrace run $(CASE)

down: ## stop the containers; state stays
	@scripts/compose.sh down

soak: setup ## the long random tests
	@MILLRACE_TEST_SEEDS=$${MILLRACE_TEST_SEEDS:-200} $(BIN)/python -m tests.tiers fast

lint: setup ## format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@PYTHONPATH=plugins:. $(BIN)/lint-imports

check: lint test-fast ## those, and the fast tests

pictures: setup ## take the pictures of the docs, on the platform that is up
	@MILLRACE_TEST_PICTURES=docs/images $(BIN)/pytest -q -k pictures tests/platform

bench: setup ## measure (GOAL=name: only that one)
	@PYTHONPATH=plugins $(BIN)/python -m benchmarks $(GOAL)

lock: | $(UV) ## resolve pyproject.toml into requirements.lock again
	@$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --extra dev \
	  --no-emit-index-url pyproject.toml -o requirements.lock

clean: ## stop, then remove all local state
	@if [ -x $(BIN)/millrace ]; then $(BIN)/millrace clean; else rm -rf .millrace; fi

setup: $(STAMP) # with what CASE needs beyond it
	@$(if $(CASE),scripts/setup.sh case $(UV) .venv $(CASE),:)

$(STAMP): requirements.lock pyproject.toml | $(UV)
	@scripts/setup.sh packages $(UV) .venv
	@scripts/setup.sh project $(UV) .venv
	@touch $@

$(UV):
	@scripts/setup.sh uv
