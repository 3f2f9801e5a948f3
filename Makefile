# `make train` and `make test` install what they need into .venv, with hashes checked, and do the job.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.PHONY: help train test lint types tests test-faults test-node browser bench fuzz format lock clean

help:
	@echo "make train   train on the sample data, publish, promote, predict, list"
	@echo "make test    lint, types and tests"
	@echo "make test-faults  strike the registry at each system call, and storm it; minutes"
	@echo "make browser  look at the report in Chromium, if there is one"
	@echo "make test-node   types and tests of examples/fastify (needs node 20 or later, and npm)"
	@echo "make bench   measure against scikit-learn and fastText; DATA=folder of data sets"
	@echo "make fuzz    throw broken input at every reader; SECONDS=60 each, where atheris is there"
	@echo "make format  format the code"
	@echo "make lock    lock the dependencies anew (needs uv)"
	@echo "make clean   remove .venv and caches (never models/)"

train: .venv/installed
	$(BIN)/textclf train
	$(BIN)/textclf predict "this is great" "waste of money, broke after two days" "the parcel comes on Tuesday"
	$(BIN)/textclf versions list

test: lint types tests

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: .venv/installed-dev
	$(BIN)/mypy

tests: .venv/installed-dev
	$(BIN)/python -m pytest -n auto

# writers, rounds, readers, kills
test-faults: .venv/installed-dev
	$(BIN)/python tests/helpers/fault_injection_strace.py
	$(BIN)/python tests/helpers/stress.py 20 6 4 80

browser: .venv/installed-dev
	$(BIN)/python -m pytest tests/browser.py

test-node: examples/fastify/node_modules/installed
	cd examples/fastify && npm test

bench: .venv/installed-bench
	$(BIN)/python -m benchmarks $(if $(DATA),--data $(DATA)) $(BENCH)

fuzz: .venv/installed-fuzz
	$(BIN)/python tests/helpers/fuzz.py $(or $(SECONDS),60) $(FUZZ)

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		pyproject.toml --group build -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		pyproject.toml --group build --group bench -c requirements.lock -o requirements-bench.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		pyproject.toml --group fuzz -c requirements.lock -o requirements-fuzz.lock

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf examples/fastify/node_modules examples/fastify/dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "textclf needs Python 3.11 or later: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python requirements.lock pyproject.toml
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

# fastText is built from source: without a C++ compiler the rest is measured all the same
.venv/installed-bench: .venv/installed requirements-bench.lock
	$(PIP) --require-hashes -r requirements-bench.lock || echo "fastText cannot be built here"
	@touch $@

# there are no wheels of atheris for every system: make fuzz says so and goes on
.venv/installed-fuzz: .venv/installed-dev requirements-fuzz.lock
	$(PIP) --require-hashes -r requirements-fuzz.lock || echo "atheris cannot be installed here"
	@touch $@

# npm checks what it installs against the hashes of package-lock.json
examples/fastify/node_modules/installed: examples/fastify/package.json examples/fastify/package-lock.json
	cd examples/fastify && npm ci
	@touch $@
