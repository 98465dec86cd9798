# Everything a user or a developer does starts here: `make help`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
# The port of the local cloud; empty means that of last time, or 4566.
PORT ?=
# Where chunks are indexed: sqlite (a file) or opensearch (a real node); empty means as last time, or sqlite.
VECTORS ?=
# A Redis that counts requests, such as redis://127.0.0.1:6379; empty means a table does.
CACHE ?=
# How many processes run the tests side by side; 0 runs them in one.
WORKERS ?= 2
BIN := .venv/bin
LOCAL := $(BIN)/python -m localstack

# What a user types reaches the programs through the environment, never through a shell's quoting.
export PORT VECTORS CACHE Q FILE

.PHONY: help setup run stop clean distclean ask drop token address status logs docs lint check test bench evaluate synth openapi lock

help: ## list what there is
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: ## install all that Tessera needs, inside this folder (needs only Python 3.11 or newer)
	@command -v $(PYTHON) > /dev/null || { echo "✗ There is no $(PYTHON) here." >&2; echo "  → Install Python 3.11 or newer, or name it: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) localstack/install.py

run: setup ## start the local cloud, add sample documents, ask three questions (VECTORS=opensearch: on a real node)
	@$(LOCAL) run

stop: ## end the local cloud and keep its data
	@if [ -x $(BIN)/python ]; then $(LOCAL) stop; else echo "Nothing is set up, so nothing runs."; fi

clean: ## end the local cloud and remove its data
	@if [ -x $(BIN)/python ]; then $(LOCAL) clean; else rm -rf .tessera/local; fi
	@rm -rf cdk.out build

distclean: clean ## remove all that set-up installed, too
	@rm -rf .venv node_modules .tessera .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

ask: setup ## ask the sample knowledge base: make ask Q="How long is the notice period?"
	@$(LOCAL) ask

drop: setup ## add a document to it: make drop FILE=path/to/document.pdf
	@$(LOCAL) drop

token: setup ## print an access token of the local API: signs in, and prints nothing else
	@$(LOCAL) token

address: setup ## print where the local API answers
	@$(LOCAL) address

status: setup ## show what runs, and every document
	@$(LOCAL) status

logs: setup ## show what the functions logged
	@$(LOCAL) logs

docs: setup ## write the generated pages and the OpenAPI file
	@$(BIN)/python -m shared.composition.write_docs
	@$(BIN)/python -m tests.unit.identity.libraries

lint: setup
	@$(BIN)/ruff format --check --quiet . || { echo "  → $(BIN)/ruff format ." >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@contracts=$$($(BIN)/lint-imports 2>&1) || { echo "$$contracts"; exit 1; }
	@$(BIN)/mypy --no-error-summary shared functions infra_cdk localstack tests

check: lint ## the fast gate: format, lint, types, import contracts, unit and architecture tests
	@$(BIN)/pytest -q -m "not slow and not real_server" tests/unit tests/architecture

test: lint ## everything: also contracts, template, real servers and the local cloud
	@$(BIN)/pytest -q -n $(WORKERS) --dist loadscope --no-loadscope-reorder tests

bench: setup ## ratios against the raw parts, written to docs/benchmarks.md
	@$(BIN)/python -m tests.benchmarks

evaluate: setup ## measure quality: make evaluate ARGS="retrieval --set DIR" (or documents, answers, tune; --help tells more)
	@$(BIN)/python -m tests.evaluation.$(or $(ARGS),retrieval --help)

synth: setup ## write the CloudFormation templates of every environment
	@$(BIN)/python -m infra_cdk.synth

openapi: docs ## the same

COMPILE := ../.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links

lock: ## compile requirements/*.lock and package-lock.json again (hashes, no addresses)
	@cd requirements; $(COMPILE) -c constraints.in dev.in -o dev.lock
	@cd requirements; for group in api relational search ingest infra local; do $(COMPILE) -c constraints.in -c dev.lock $$group.in -o $$group.lock; done
	@cd requirements; $(COMPILE) bootstrap.in -o bootstrap.lock; $(COMPILE) --no-deps model.in -o model.lock
	@$(LOCAL) lock

.DEFAULT:
	@echo "✗ There is no target \"$@\"." >&2; echo "  → make help" >&2; exit 2
