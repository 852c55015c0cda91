# Everything a person or a machine does with this project. `make help` lists it.
# On a fresh machine, Python 3.11+ and make are enough: every target sets up what it needs.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
WORKERS := 2
BENCHMARKS := $(patsubst tests/benchmarks/%.py,bench-%,$(shell grep -l '__main__' tests/benchmarks/*.py 2>/dev/null))

export PYTHON

.PHONY: help setup demo up down status test check lint contracts proofs load faults bench picture $(BENCHMARKS) clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

setup: ## Install everything into this folder (.uv, .venv)
	@./deploy/setup.sh

demo: setup ## Start everything, send a lot of cards through, show the month, let a small city live; Ctrl-C ends it
	@$(BIN)/madoguchi demo

up: setup ## Start everything and return
	@$(BIN)/madoguchi up

down: setup ## Stop what `up` started; the data stays
	@$(BIN)/madoguchi down

status: setup ## Show every process and what waits
	@$(BIN)/madoguchi status

# All tests read the deploy files too, so of `check` the rest comes first.
test: lint contracts ## Checks, then all tests, in WORKERS=2 processes with a broker and a database each
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile

check: lint contracts ## Style, types, walls, contracts, deploy files
	@$(BIN)/pytest --quiet tests/deploy/files

lint: setup ## Style, types and walls
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

contracts: setup ## Do the written contracts say what the code says?
	$(BIN)/madoguchi contracts check

proofs: setup ## The proofs at full size
	@MADOGUCHI_PROOF_SIZE=full $(BIN)/pytest -m proof

load: setup ## 100,000 holds and bookings on few seats while a replica is killed again and again
	@MADOGUCHI_PROOF_SIZE=full $(BIN)/pytest tests/load

faults: setup ## Kill relays, consumers, broker and database under load
	@MADOGUCHI_PROOF_SIZE=full $(BIN)/pytest tests/faults

bench: $(BENCHMARKS) ## Every benchmark; tables here, figures in build/bench/*.json

picture: setup ## Beside a running demo (MADOGUCHI_PORT_OFFSET as there): docs/dashboard.png anew
	@$(BIN)/python -m tests.support.pictures

$(BENCHMARKS): bench-%: setup
	@$(BIN)/python -m tests.benchmarks.$*

clean: ## Remove what tools left behind; data, packages and figures stay
	@rm -rf dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './.venv/*' -not -path './.uv/*' -prune -exec rm -rf {} +
