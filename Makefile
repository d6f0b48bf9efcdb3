# `make help` lists the commands. Everything they create is in .venv, .demo, .up and .cluster, beside this file.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench

export PYTHONPATH := $(CURDIR)/plugins:$(CURDIR)/include
# If this were set, each Airflow process would compile hundreds of modules again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo up cluster test test-fast drills cluster-drills browser databases lint bench docs pictures walk schema lock clean

help:
	@echo "Run it"
	@echo "  make demo            play one game day through the real scheduler (DEMO_DATE, DEMO_GAMES, DEMO_SEED, DEMO_FAULT)"
	@echo "  make up              run the same stack by the wall clock"
	@echo "  make cluster         play the day on the services of docker-compose.yaml, without containers"
	@echo "Test it"
	@echo "  make lint            check style and types with ruff and mypy"
	@echo "  make test-fast       run the unit tests: under a minute"
	@echo "  make test            run the unit, integration and Airflow tests, as before a commit: under 6 minutes"
	@echo "  make drills          run the long tests: kills, outages, whole days"
	@echo "  make cluster-drills  run every fault of the distributed form: about 15 minutes"
	@echo "  make bench           measure, and write a report into docs/orchestration/bench (BENCH_PARTS, BENCH_RUNS)"
	@echo "  make walk            measure how fast two faults are explained, with and without the page of the day: about 6 minutes"
	@echo "Generate files"
	@echo "  make docs            write the generated pages: 03-bigquery-schemas, 05-cost, 12-alerts, 15-seeded-faults"
	@echo "  make pictures        take the screenshots of the page of the day for the documentation"
	@echo "  make schema          write config/workflows.schema.json from the models"
	@echo "  make lock            compile the requirements*.lock files (UPGRADE=1 takes the newest versions)"
	@echo "  make clean           remove the virtual environments, the demo folders and the caches"

demo: $(VENV)/.runtime
	@exec $(BIN)/python -m sandbox demo

up: $(VENV)/.runtime
	@exec $(BIN)/python -m sandbox up

cluster: $(VENV)/.distributed databases
	@exec $(BIN)/python -m sandbox cluster

# Each worker has its own stand-ins and Airflow, so all tests of a file run on one worker. Tests often wait for an
# Airflow, so two cores have work for three workers.
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

# The tests of the page of the day need a browser. Without one they are skipped, and say how to install it.
browser:
	@command -v chromium || command -v chromium-browser || command -v google-chrome || { [ "$$(id -u)" = 0 ] && command -v apt-get && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >/dev/null || \
	  echo "make: Chromium is not installed. The tests of the page of the day are skipped. As root: apt-get install chromium"

# Only the programs are used. The services that Debian installs with them need not run.
databases:
	@{ command -v redis-server && { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; }; } >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && \
	  command -v apt-get && apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql redis-server; } >/dev/null || \
	  echo "make: PostgreSQL or Redis is not installed. Tests that need them are skipped. As root: apt-get install postgresql redis-server"

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# BENCH_PARTS: only these parts of the report (building,engine,audit,calls,day,forms).
# BENCH_RUNS: how often each part is measured, 3 by default.
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
	@command -v $(PYTHON) >/dev/null || { echo "make: '$(PYTHON)' was not found. Install Python 3.11 or newer, or name one: make demo PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $$($(PYTHON) --version) is too old. Python 3.11 or newer is needed. Name another one: make demo PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "make: $(PYTHON) cannot create a virtual environment. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || { rm -rf $(VENV); echo "make: uv $(UV_VERSION) could not be downloaded. Check the network and the package index, then run the same command again." >&2; exit 1; }
	@touch $@

$(VENV)/.runtime: $(VENV)/.uv requirements.lock requirements-sandbox.lock
	@echo "Installing the locked dependencies (about 1.7 GB, once) ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock -r requirements-sandbox.lock || { echo "make: the locked dependencies could not be installed. The line above names the package. Run the same command again. Downloads are kept." >&2; exit 1; }
	@$(BIN)/python -c 'import duckdb_extensions; duckdb_extensions.import_extension("spatial")' >/dev/null
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock || { echo "make: the test tools could not be installed. The line above names the package. Run the same command again." >&2; exit 1; }
	@touch $@

$(VENV)/.distributed: $(VENV)/.runtime requirements-distributed.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-distributed.lock || { echo "make: the packages of the distributed form could not be installed. The line above names the package. Run the same command again." >&2; exit 1; }
	@touch $@

# The DAG builders that `make bench` compares ours with. They have an environment of their own, which also sees .venv.
# So they cannot change what .venv runs.
$(BENCH)/.done: $(VENV)/.dev requirements-bench.txt
	@rm -rf $(BENCH) && $(BIN)/python -m venv --without-pip $(BENCH)
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > \
	  "$$($(BENCH)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/beside.pth"
	@$(BIN)/uv pip install --quiet --python $(BENCH)/bin/python --no-deps --require-hashes -r requirements-bench.txt
	@touch $@

# ---- locking: versions and hashes only, no index address and no path ----------------------------
# First one resolution over all four lists, so that the lists agree. Then one lock file for each list. A locked version
# stays if it still fits. `make lock UPGRADE=1` takes the newest version of everything.
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
