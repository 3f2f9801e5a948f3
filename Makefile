# `make train` and `make test` install what they need into .venv, with hashes checked.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

# worksteal: a worker without tests left takes some from the worker with the most left
PYTEST := pytest -n auto --dist worksteal
MLFLOW_TESTS := pytest -q --noconftest tests/mlflow_server.py tests/hub_card.py
KERNELS := $(shell grep -rlE --include='*.py' '^@(compiled|inlined)' textclf)

.PHONY: help train test lint types tests coverage test-faults test-thorough test-node azurite browser bench generated \
	mlflow-test fuzz format lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

train: .venv/installed ## train on the sample data, publish, promote, predict, list
	$(BIN)/textclf train
	$(BIN)/textclf predict "this is great" "waste of money, broke after two days" "the parcel comes on Tuesday"
	$(BIN)/textclf versions list

test: .venv/installed-dev ## lint, types and tests, in parallel
	@$(MAKE) --no-print-directory --jobs 3 lint types tests

lint: .venv/installed-dev ## style, format and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: .venv/installed-dev ## mypy
	$(BIN)/mypy

tests: .venv/compiled ## only the tests
	$(BIN)/python -m $(PYTEST)

coverage: .venv/compiled ## the tests with line and branch coverage, of subprocesses too, and of mlflow-test if it is installed
	$(BIN)/coverage erase
	$(BIN)/coverage run -m $(PYTEST)
	$(if $(wildcard .venv-mlflow/installed),.venv-mlflow/bin/python -m coverage run -m $(MLFLOW_TESTS))
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered

test-faults: .venv/compiled ## fault injection at each file event and system call of the registry; a stress test
	$(BIN)/python -m $(PYTEST) -m faults
	$(BIN)/python tests/helpers/fault_injection_strace.py
	$(BIN)/python tests/helpers/stress.py --writers 20 --rounds 6 --readers 4 --kills 80

test-thorough: .venv/compiled ## all tests, with several times as many random cases; meant to run every night
	$(BIN)/python -m $(PYTEST) -m "" --hypothesis-profile=thorough

browser: .venv/installed-dev ## test the report and the pages of serve in Chromium, if it is installed
	$(BIN)/python -m pytest tests/browser.py

test-node: examples/fastify/node_modules/installed ## types and tests of examples/fastify (needs npm and node 20 or later)
	cd examples/fastify && npm test

azurite: tests/servers/node_modules/installed ## the server of Azure Blob Storage for the tests, 360 MB (needs npm)

bench: .venv/installed-bench ## compare with scikit-learn and fastText; DATA=folder of data sets
	$(BIN)/python -m benchmarks $(if $(DATA),--data $(DATA)) $(BENCH)

mlflow-test: .venv-mlflow/installed ## versions in a real MLflow, and model cards as the Hub reads them; in an environment of its own
	.venv-mlflow/bin/python -m $(MLFLOW_TESTS)

fuzz: .venv/installed-fuzz ## damaged input for every reader; SECONDS=60 for each, if atheris can be installed
	$(BIN)/python tests/helpers/fuzz.py $(or $(SECONDS),60) $(FUZZ)

format: .venv/installed-dev ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generated: .venv/installed-dev ## write the help snapshots, the schemas and the reference of options again
	UPDATE_DOCS=1 .venv/bin/python -m pytest -q tests/cli/test_help.py tests/cli/test_schemas.py \
		"tests/test_docs.py::test_the_document_shows_what_its_commands_print[docs/cli.md]"

lock: ## update the lock files of the dependencies (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		pyproject.toml --group build -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		pyproject.toml --group build --group bench -c requirements.lock -o requirements-bench.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		pyproject.toml --group fuzz -c requirements.lock -o requirements-fuzz.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		pyproject.toml --group build --group mlflow -c requirements.lock -o requirements-mlflow.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		--group build --group serve -c requirements-dev.lock -o requirements-serve.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet \
		--group build --group serve-slim -c requirements-dev.lock -o requirements-serve-slim.lock

clean: ## remove .venv and caches (never models/)
	rm -rf .venv .venv-mlflow .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf examples/fastify/node_modules examples/fastify/dist tests/servers/node_modules

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "textclf needs Python 3.11 or later: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python requirements.lock pyproject.toml
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# with all that .venv/installed has; Python compiles what is imported of it, pip would compile all
.venv/installed-dev: .venv/bin/python requirements-dev.lock pyproject.toml
	$(PIP) --no-compile --require-hashes -r requirements-dev.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch .venv/installed $@

# compile once, or every pytest worker would compile the same functions
.venv/compiled: .venv/installed-dev $(KERNELS)
	$(BIN)/textclf warmup --quiet
	@touch $@

# fastText is built from source; without a C++ compiler, everything else is still measured
.venv/installed-bench: .venv/installed requirements-bench.lock
	$(PIP) --require-hashes -r requirements-bench.lock || echo "fastText cannot be built here"
	@touch $@

# atheris has no wheels for some systems; make fuzz then says so and continues
.venv/installed-fuzz: .venv/installed-dev requirements-fuzz.lock
	$(PIP) --require-hashes -r requirements-fuzz.lock || echo "atheris cannot be installed here"
	@touch $@

.venv-mlflow/installed: requirements-mlflow.lock
	$(PYTHON) -m venv .venv-mlflow
	.venv-mlflow/bin/python -m pip install --quiet --require-hashes -r requirements-mlflow.lock
	.venv-mlflow/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

tests/servers/node_modules/installed: tests/servers/package.json tests/servers/package-lock.json
	cd tests/servers && npm ci
	@touch $@

# npm checks what it installs against the hashes of package-lock.json
examples/fastify/node_modules/installed: examples/fastify/package.json examples/fastify/package-lock.json
	cd examples/fastify && npm ci
	@touch $@
