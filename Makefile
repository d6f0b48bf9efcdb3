# The two commands of the README: make demo, make test. Everything lives in .venv, .demo, .up and .cluster, beside this file.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench

export PYTHONPATH := $(CURDIR)/plugins:$(CURDIR)/include
# Where it is set, each process of each Airflow compiles hundreds of modules anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo up cluster test test-fast drills cluster-drills browser databases lint bench docs pictures walk schema lock clean

help:
	@echo "make demo   one game day through the real scheduler (DEMO_DATE, DEMO_GAMES, DEMO_SEED, DEMO_FAULT)"
	@echo "make up     the same stack against the wall clock"
	@echo "make cluster  the same day on what docker-compose.yaml starts, without containers: Celery, PostgreSQL, Redis"
	@echo "make test-fast  the tests that start no service: under a minute"
	@echo "make test   what a developer needs before a commit: unit, integration, a real Airflow"
	@echo "make drills the long tests: kills, outages, whole days"
	@echo "make cluster-drills  every fault of the distributed form, one after the other: about 15 minutes"
	@echo "make lint   ruff and mypy"
	@echo "make bench  measure into docs/orchestration/bench (BENCH_PARTS, BENCH_RUNS); what a call costs in Airflow"
	@echo "make docs   write the pages that are made from the code: 03-bigquery-schemas.md, 05-cost.md, 12-alerts.md"
	@echo "make pictures   take the pictures of the page of the day for the documentation"
	@echo "make walk   how soon one is at the cause of two faults, with the page of the day and without: about 6 minutes"
	@echo "make schema write config/workflows.schema.json from the models"
	@echo "make lock   compile the requirements files again"

demo: $(VENV)/.runtime
	@exec $(BIN)/python -m sandbox demo

up: $(VENV)/.runtime
	@exec $(BIN)/python -m sandbox up

cluster: $(VENV)/.distributed databases
	@exec $(BIN)/python -m sandbox cluster

# Side by side, a file of tests on one worker: each worker has stand-ins and an Airflow of its own. On two cores three
# workers fill the time in which others wait for an Airflow.
test drills: WORKERS ?= 3
WORKERS ?= 2
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-fast: $(VENV)/.dev
	@$(PYTEST) tests/unit $(PYTEST_ARGS)

test: $(VENV)/.dev
	@$(PYTEST) -m "not drill" $(PYTEST_ARGS)

drills: $(VENV)/.dev $(VENV)/.distributed browser databases
	@EFFORT=4 $(PYTEST) -m "drill or fuzz" $(PYTEST_ARGS)

cluster-drills: $(VENV)/.dev $(VENV)/.distributed databases
	@CLUSTER_DRILLS=all $(BIN)/python -m pytest -m drill tests/system/test_cluster.py $(PYTEST_ARGS)

# The page of the day is tried in a real browser. Where there is none and it cannot be installed, those tests say how.
browser:
	@command -v chromium || command -v chromium-browser || command -v google-chrome || { [ "$$(id -u)" = 0 ] && command -v apt-get && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >/dev/null || \
	  echo "make: no Chromium; the page's tests are left out (as root: apt-get install chromium)"

# Only their programs are used; the services that Debian sets up need not run.
databases:
	@{ command -v redis-server && { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; }; } >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && \
	  command -v apt-get && apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql redis-server; } >/dev/null || \
	  echo "make: no PostgreSQL or Redis; what needs them is left out (as root: apt-get install postgresql redis-server)"

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# BENCH_PARTS: only these (building,engine,audit,calls,day,forms) of the report; BENCH_RUNS: how often each is measured (3).
bench: $(VENV)/.dev $(VENV)/.distributed $(BENCH)/.done databases
	@$(BIN)/python bench/report.py

docs: $(VENV)/.dev
	@$(BIN)/python docs/generate/schemas.py
	@$(BIN)/python docs/generate/cost.py
	@$(BIN)/python docs/generate/alerts.py
	@$(BIN)/python docs/generate/faults.py

pictures: $(VENV)/.dev browser
	@$(BIN)/python docs/generate/pictures.py

walk: $(VENV)/.dev browser
	@$(BIN)/python bench/walk.py

schema: $(VENV)/.runtime
	@$(BIN)/python -m orchestration schema > config/workflows.schema.json

# ---- installing -------------------------------------------------------------------------------
$(VENV)/.uv:
	@command -v $(PYTHON) >/dev/null || { echo "make: no '$(PYTHON)' found. Install Python 3.11 or newer, or name one: make demo PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $$($(PYTHON) --version) is too old: 3.11 or newer is needed. Name another: make demo PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "make: $(PYTHON) cannot create a virtual environment (on Debian: apt-get install python3-venv)." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || { rm -rf $(VENV); echo "make: uv $(UV_VERSION) could not be downloaded. Check the network and the package index, then run the same command again." >&2; exit 1; }
	@touch $@

$(VENV)/.runtime: $(VENV)/.uv requirements.lock requirements-sandbox.lock
	@echo "Installing the locked dependencies (about 1.7 GB, once) ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock -r requirements-sandbox.lock || { echo "make: the locked dependencies could not be installed (the line above says which). Run the same command again: what was downloaded is kept." >&2; exit 1; }
	@$(BIN)/python -c 'import duckdb_extensions; duckdb_extensions.import_extension("spatial")' >/dev/null
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock || { echo "make: the test tools could not be installed (the line above says which). Run the same command again." >&2; exit 1; }
	@touch $@

$(VENV)/.distributed: $(VENV)/.runtime requirements-distributed.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-distributed.lock || { echo "make: the packages of the distributed form could not be installed (the line above says which). Run the same command again." >&2; exit 1; }
	@touch $@

# What building is compared with, beside everything that is in .venv: nothing of it can change what is run.
$(BENCH)/.done: $(VENV)/.dev requirements-bench.txt
	@rm -rf $(BENCH) && $(BIN)/python -m venv --without-pip $(BENCH)
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > \
	  "$$($(BENCH)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/beside.pth"
	@$(BIN)/uv pip install --quiet --python $(BENCH)/bin/python --no-deps --require-hashes -r requirements-bench.txt
	@touch $@

# ---- locking: versions and hashes only, no index address and no path ----------------------------
# One resolution over all four lists first, so that the lists agree; then one lock file for each. What is locked stays as
# it is where it still fits; `make lock UPGRADE=1` takes the newest of everything.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock"
lock: $(VENV)/.uv
	@together=$$(mktemp) && trap 'rm -f $$together' EXIT && \
	{ [ -n "$(UPGRADE)" ] || sed -nE 's/^([A-Za-z0-9_.-]+==[^ ]+( ;.*)?) \\$$/\1/p' requirements*.lock | sort -u > $$together; } && \
	$(COMPILE) requirements.txt requirements-sandbox.txt requirements-dev.txt requirements-distributed.txt --no-header -o $$together && \
	for list in requirements requirements-sandbox requirements-dev requirements-distributed; do \
	  $(COMPILE) --generate-hashes -c $$together $$list.txt -o $$list.lock || exit 1; \
	done

clean:
	rm -rf .venv .venv-bench .demo .up .cluster .pytest_cache .mypy_cache .ruff_cache .hypothesis
