# Nextbest needs make and Python 3.11 or later. Everything else goes into .venv.

# The first Python that is new enough and can make a virtual environment; `make PYTHON=... setup` overrides it.
FIT := import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c '$(FIT)' 2>/dev/null && echo $$p && break; done)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := features models training serving demo
PEERS := .venv-peers
SIZE ?= full
# Processes that share the tests, whole files each. A second thread of linear algebra in each would
# only wait in circles for the others: it made some tests take four times as long.
WORKERS ?= 2
ALONE := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
REPEATS ?= 5
BUDGET ?= 60
TABLES ?= telco bank caravan journey company
STATE = $(or $(NEXTBEST_HOME),.nextbest)

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-company test test-deep mutants check serve mlflow bench bench-features bench-quality bench-gate bench-serving fuzz soak clean

help:   ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP)   ## install everything, pinned, into .venv (again only when a pin changed)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or later with venv was found. Install one" \
		"(Debian: apt-get install python3.11-venv) or name it: make PYTHON=/path/to/python setup" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --upgrade pip setuptools
	$(BIN)/python -m pip install --quiet -c constraints.txt --build-constraint constraints.txt \
		-e '.[demo,lignum,postgres,redis,spark]' --group dev
	@$(BIN)/python -c 'import lightgbm' || { echo "LightGBM needs the OpenMP library:" \
		"apt-get install libgomp1, or brew install libomp" >&2; exit 2; }
	@touch $@

demo: setup   ## real purchases to four models, an API and a list of whom to contact next
	@$(BIN)/python -m demo $(ARGS)

demo-company: setup   ## the same on a simulated company, and how far from the best possible it is
	@$(BIN)/python -m demo --company $(ARGS)

test: setup   ## every test and docstring example, with branch coverage
	$(ALONE) $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term:skip-covered $(ARGS)

test-deep: setup   ## ten times as many made-up customers offline and online, and for longer
	NEXTBEST_DEEP=1 $(BIN)/python -m pytest tests/contracts/test_parity.py $(ARGS)

mutants: setup   ## mistakes planted in the kernel, each of which the tests must catch
	$(BIN)/python -m benchmarks.mutants

check: setup   ## style, types and layering
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

serve: setup   ## the API and its pages on http://127.0.0.1:8000
	$(BIN)/python -m serving $(ARGS)

mlflow: setup   ## runs and registry on http://127.0.0.1:5000
	$(BIN)/mlflow server --host 127.0.0.1 --port 5000 \
		--backend-store-uri sqlite:///$(STATE)/mlflow.db \
		--artifacts-destination $(STATE)/mlartifacts

bench: setup   ## how fast the kernel and one score are on this machine
	$(BIN)/python -m benchmarks $(ARGS)

bench-features: setup $(PEERS)/tables/.installed $(PEERS)/featuretools/.installed   ## features against pandas, Polars and DuckDB (SIZE=small: minutes)
	@$(BIN)/python -m benchmarks.features --environments $(PEERS) --size $(SIZE) $(ARGS)

bench-quality: setup $(PEERS)/quality/.installed   ## models against FLAML, LightGBM, CatBoost and scikit-learn (hours; REPEATS=1 BUDGET=10: less)
	@$(BIN)/python -m benchmarks.quality --environments $(PEERS) --repeats $(REPEATS) --budget $(BUDGET) \
		--tables $(TABLES) $(ARGS)

bench-gate: setup   ## how often the gate decides rightly, over 200 simulated retrainings of each kind
	@$(BIN)/python -m benchmarks.gate $(ARGS)

fuzz: setup   ## 10,000 generated and 10,000 broken requests: no failure, no customer data in an error or a log line
	$(BIN)/python -m benchmarks.fuzz $(ARGS)

bench-serving: setup $(PEERS)/serving/.installed   ## scores a second beside an empty endpoint, the usual tutorial, MLflow, BentoML and LitServe
	@$(BIN)/python -m benchmarks.serving $(ARGS)

soak: setup   ## whether memory grows, or anything fails, in twenty minutes at half of the most requests
	@$(BIN)/python -m benchmarks.soak $(ARGS)

# Other libraries have environments of their own, away from the product's.
$(PEERS)/serving/.installed: benchmarks/serving/peers/serving.txt
	$(INSTALL_PEERS)

$(PEERS)/quality/.installed: benchmarks/quality/peers/quality.txt
	$(INSTALL_PEERS)

$(PEERS)/%/.installed: benchmarks/features/peers/%.txt
	$(INSTALL_PEERS)

define INSTALL_PEERS
$(PYTHON) -m venv $(@D)
$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
@touch $@
endef

clean:   ## remove .venv, caches and builds; your data and models in .nextbest stay
	rm -rf $(VENV) $(PEERS) build dist *.egg-info .coverage .coverage.* htmlcov .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find $(PACKAGES) benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} +
