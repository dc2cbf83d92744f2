# Targets for people and CI. Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := constraints.txt
# uv installs in seconds where pip takes minutes; pip is used where uv cannot be had.
INSTALL = if $(BIN)/python -m uv --version >/dev/null 2>&1; then $(BIN)/python -m uv pip install -q --python $(BIN)/python -c $(CONSTRAINTS) $(1); else $(BIN)/python -m pip install -q -c $(CONSTRAINTS) $(1); fi

# Test files are dealt to so many processes. Each starts a Neo4j of its own; one that is named can serve one alone.
WORKERS ?= $(if $(NEO4J_TEST_URI),1,2)

.PHONY: demo lint check test soak bench record guard plots clean

demo: $(VENV)/.installed
# Fetched here, as part of the installation, where Java and Maven are: the demo itself opens no socket off loopback.
	-$(BIN)/python -c "from kgrisk.neo4j_local import assemble, missing; missing() or assemble()"
	$(BIN)/kgrisk demo

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --no-cache .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m "not neo4j and not slow and not real"

# Lint and types first, then every test once: quick, slow, on both stores and on the real files where they are.
test: lint
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --durations=15

# A hundred kills instead of twenty, on both stores, sixty inside native writes, and ten of Neo4j's own process;
# and tens of filings from nothing to scores, twice. KGRISK_FAULT_SEED draws others.
soak: $(VENV)/.installed-dev
	KGRISK_KILLS=100 $(BIN)/python -m pytest -q -s tests/test_faults.py tests/test_faults_native.py tests/test_faults_neo4j.py tests/test_scaling_filings.py

# Every figure measured anew beside the committed record, hours in all and with nothing else running, and each room held
# against its committed run; `make -k bench` goes on after a room that fails or got worse. What lies in BENCH is not
# measured again by `bench-scale`: remove it to begin anew.
BENCH := build/bench
ROOMS ?= stores scaling risk serving ingest learning
bench: $(addprefix bench-,scale $(ROOMS))

bench-scale: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.scale --home $(BENCH)/home --out $(BENCH)/scale.json

# `ingest`, `learning` and the real filings of `scaling` read KGRISK_REAL_DATA; `serving` is asked by wrk (Debian package).
bench-%: $(VENV)/.installed-dev
	KGRISK_SCALE_RECORD=$$(ls $(BENCH)/scale.json 2>/dev/null) $(BIN)/python -m benchmarks.$* --out $(BENCH)/$*.json
	$(BIN)/python -m benchmarks.guard $* $(BENCH)/$*.json

# What `make bench` found becomes the record, and plots and tables are made of it.
record: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.record $(BENCH)

# Quick figures measured anew and held against the run that is committed, by ratios to peers and shares, never by
# seconds; before whatever touches a kernel is handed in. GUARDED names other modules of benchmarks/risk.
GUARDED ?= clearing memory query sweep
guard: $(VENV)/.installed-dev
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && \
	$(BIN)/python -m benchmarks.risk $(GUARDED) --out "$$fresh/risk.json" && \
	$(BIN)/python -m benchmarks.guard risk "$$fresh/risk.json"

plots: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.plots
	$(BIN)/python -m benchmarks.pages

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kgrisk needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q uv || true

$(VENV)/.installed: pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(call INSTALL,-e ".[all]")
	touch $@

$(VENV)/.installed-dev: pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(call INSTALL,-e ".[all$(,)dev]")
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) demo-home demo-report.html .pytest_cache .mypy_cache .ruff_cache

, := ,
