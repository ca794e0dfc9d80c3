# `make demo` and `make test` need Python 3.11+ and make, nothing else: they make .venv themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
WORKERS ?= 4

.PHONY: demo test soak lint types bench completions clean

demo: $(STAMP)
	@$(BIN)/nexaflow demo

test: $(STAMP)
	$(BIN)/pytest -n $(WORKERS) -m "not soak"

soak: $(STAMP)
	$(BIN)/pytest -m soak --timeout 3600

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m benchmarks $(ARGS)

# The generated files that tests hold against the code.
generated: $(STAMP)
	$(BIN)/python -m nexaflow_cli.cli.generate

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "NexaFlow needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) …"
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --upgrade "pip>=25.1"
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --editable . --group dev
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
