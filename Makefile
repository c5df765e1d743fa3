# On a fresh machine with Python 3.11 or newer: `make run` starts the mock, `make test` runs the tests.
PYTHON ?= python3
BIN := .venv/bin
LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -q

PRISM ?= prism

.PHONY: run install test lint format spec lock fuzz bench clean

run: install  ## serve; pass flags as ARGS="--auto-define"
	@exec $(BIN)/arklow-mock $(ARGS)

install: .venv/mock

test: .venv/dev
	$(BIN)/pytest

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python spec/build.py --check

format: .venv/dev
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

spec: .venv/dev  ## join the published pages and lay the overlays over them
	$(BIN)/python spec/build.py

fuzz: .venv/dev  ## stock Schemathesis against the mock, three seeds
	$(BIN)/pytest tests/end_to_end/test_schemathesis.py --seeds 3

bench: .venv/dev  ## needs wrk, and PRISM=path of Prism's command; figures in benchmarks/README.md
	$(BIN)/python -m benchmarks.ingress_cpu
	$(BIN)/python -m benchmarks.stall
	$(BIN)/python -m benchmarks.cold_start --prism $(PRISM)

lock: .venv/dev  ## pin the newest versions that pyproject.toml allows
	$(BIN)/pip install -q uv
	$(LOCK) --upgrade --extra mock --extra build -o requirements.lock
	$(LOCK) --upgrade --extra dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf .venv

.venv/mock: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q mock_server
	@touch $@

.venv/dev: requirements-dev.lock .venv/mock
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
