# On a fresh machine with Python 3.11 or newer, `make run` installs and starts the mock, `make check` installs the judge and
# judges a deployment, and `make test` installs and runs the tests. CONTRIBUTING.md lists all targets.
PYTHON ?= python3
BIN := .venv/bin
LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -q

PYTEST = $(BIN)/pytest --timeout 900 -n auto --dist worksteal

PRISM ?= prism
BASE_URL ?= http://localhost:3123
API_KEY ?= env:ARKLOW_API_KEY
ORG ?= 1

PLATFORMS := x86_64-pc-windows-msvc aarch64-apple-darwin x86_64-apple-darwin \
	x86_64-manylinux_2_28 aarch64-manylinux_2_28
PYTHONS := 3.11 3.12 3.13

.PHONY: run check spec-status install test test-slow coverage planted-defects lint format spec docs lock wheel test-wheel platforms fuzz corpus mutants hand-over nightly bench clean

run: install  ## serve the mock; flags as ARGS="--auto-define"
	@exec $(BIN)/arklow-mock $(ARGS)

check: .venv/judge  ## judge a deployment: BASE_URL=… API_KEY=env:NAME ORG=…, other flags as ARGS="--strict"
	@$(BIN)/arklow-contracts check --base-url "$(BASE_URL)" --api-key "$(API_KEY)" --org "$(ORG)" $(ARGS)

spec-status: .venv/judge  ## say what changed in the vendor's pages: SPEC_DIR=…
	@$(BIN)/arklow-contracts spec status $(if $(SPEC_DIR),--spec-dir "$(SPEC_DIR)")

install: .venv/mock

test: .venv/dev  ## run the fast tests, which are the same under any load; other flags of pytest as ARGS="-x"
	$(PYTEST) -m "not slow" $(ARGS)

test-slow: .venv/dev  ## run the tests that need real processes, sockets, Node and Chromium
	$(PYTEST) -m slow $(ARGS)

coverage: .venv/dev  ## say which share of lines and branches the fast tests run, by package
	rm -rf build/coverage && mkdir -p build/coverage
	$(BIN)/coverage run $(PYTEST) -m "not slow" $(ARGS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage json -q -o build/coverage/report.json
	$(BIN)/python -m tests.coverage_by_package build/coverage/report.json

planted-defects: .venv/dev  ## plant 40 defects, one at a time, and say which of them the fast tests catch: half an hour
	$(BIN)/python -m tests.planted_defects --seed 1 --count 40 $(ARGS)

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python spec/build.py --check
	$(BIN)/python docs/make.py --check

format: .venv/dev
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

spec: .venv/dev  ## join the published pages and apply our overlays
	$(BIN)/python spec/build.py

docs: .venv/dev  ## write the pages that are made from the program: flags, life of an action, behaviours
	$(BIN)/python docs/make.py

fuzz: .venv/dev  ## run Schemathesis and the judge against the mock, three seeds each; and stock Connexion beside it
	$(BIN)/pytest tests/end_to_end/test_schemathesis.py tests/end_to_end/test_judge_on_the_mock.py \
		tests/twins --seeds 3 --examples 100

corpus: .venv/dev  ## compare the mock's answers with the recorded ones
	$(BIN)/python -m tests.corpus replay

mutants: .venv/dev  ## judge every mutant and every conforming variant: some minutes for each core; ARGS="S15 H001"
	$(BIN)/python -m tests.matrix $(ARGS)

hand-over: .venv/dev  ## hand over each finding of each mutant: replay, generated test, curl lines; ARGS="S15 --modes prefix"
	$(BIN)/python -m tests.hand_over $(ARGS)

nightly: coverage mutants fuzz planted-defects  ## what takes too long for every change

bench: .venv/dev  ## measure; needs wrk, and PRISM=path of Prism's command; figures go into benchmarks/README.md
	$(BIN)/python -m benchmarks.ingress_cpu
	$(BIN)/python -m benchmarks.stall
	$(BIN)/python -m benchmarks.day
	$(BIN)/python -m benchmarks.world
	$(BIN)/python -m benchmarks.isolation
	$(BIN)/python -m benchmarks.provisioning
	$(BIN)/python -m benchmarks.deliveries
	$(BIN)/python -m benchmarks.linear
	$(BIN)/python -m benchmarks.judging
	$(BIN)/python -m benchmarks.team_tests
	$(BIN)/python -m benchmarks.cold_start --prism $(PRISM)

lock: .venv/dev  ## pin the newest versions that pyproject.toml allows
	$(BIN)/pip install -q uv
	$(LOCK) --upgrade --extra mock --extra build -o requirements.lock
	$(LOCK) --upgrade --extra judge --extra build -c requirements.lock -o requirements-judge.lock
	$(LOCK) --upgrade --extra dev -c requirements.lock -c requirements-judge.lock -o requirements-dev.lock

wheel: .venv/dev  ## build one wheel for both programs, in dist/
	rm -rf dist
	$(BIN)/pip wheel -q --no-deps --no-build-isolation -w dist .

test-wheel: wheel  ## run the tests on what the wheel installs
	rm -rf build/wheel
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --target build/wheel dist/*.whl
	PYTHONPATH=build/wheel $(BIN)/pytest -p tests.installed --timeout 120 -n 3 --dist worksteal

platforms: .venv/dev  ## check that each extra resolves to wheels alone, for each system and Python
	$(BIN)/pip install -q uv
	@for extra in mock judge; do for python in $(PYTHONS); do for platform in $(PLATFORMS); do \
		$(BIN)/uv pip compile pyproject.toml -q -o /dev/null --only-binary :all: --extra $$extra \
			--python-version $$python --python-platform $$platform \
			&& echo "$$extra $$python $$platform: wheels alone" || exit 1; \
	done; done; done

clean:
	rm -rf .venv

.venv/mock: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q arklow_local mock_server
	@touch $@

.venv/judge: requirements-judge.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-judge.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: requirements-dev.lock .venv/mock
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
