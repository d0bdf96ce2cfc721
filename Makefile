# Every target does its own set-up; python3 (3.11 or later) and make suffice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run-$(shell cat requirements/run.txt pyproject.toml package-lock.json tools/assets.py | cksum | cut -d' ' -f1)
DEV := $(VENV)/.dev-$(shell cat requirements/dev.txt pyproject.toml package-lock.json tools/assets.py | cksum | cut -d' ' -f1)
NAME ?= trade

MEASUREMENTS := trade pages ledger basket market comparing
PROOFS := faces faults mutants month
# Every process would compile every changed module again, and every test worker every test, where this is set.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: up demo test check bench prove docs guide requirements chromium stop clean

up: $(RUN)
	@$(BIN)/huika up

demo: $(RUN)
	@$(BIN)/huika demo

test: check chromium
	@$(BIN)/pytest -n 3 --dist loadgroup -q -m "not long" --ignore=tests/architecture  # which check has just run; three on two cores: much of it waits

check: $(DEV)
	@$(BIN)/ruff format --check -q src tests bench
	@$(BIN)/ruff check -q src tests bench
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@HUIKA_SETTING=demo DJANGO_SETTINGS_MODULE=huika.config.settings $(BIN)/python -W ignore -m django makemigrations --check --dry-run
	@$(BIN)/pytest -q -p no:cacheprovider tests/architecture

bench: $(DEV) $(if $(filter pages,$(NAME)),chromium)
	@test -f bench/$(NAME).py || { echo "no such measurement: $(NAME); there are: $(MEASUREMENTS)" >&2; exit 2; }
	@$(BIN)/python -m bench.$(NAME)

prove: $(DEV) $(if $(filter faces,$(NAME)),chromium)
	@test -f bench/prove_$(NAME).py || { echo "no such proof: $(NAME); there are: $(PROOFS)" >&2; exit 2; }
	@$(BIN)/python -m bench.prove_$(NAME)

# The browser tests' Chromium: found, or installed where that is allowed.
chromium:
	@sh tools/chromium.sh >/dev/null

docs: $(DEV)
	@$(BIN)/python tools/architecture.py

# The guides' pictures: the stories that take them, then those files.
guide: $(DEV)
	@$(BIN)/pytest -q tests/faces/stories
	@$(BIN)/python tools/guide_shots.py

# Pins with hashes from the ranges in pyproject.toml.
requirements: $(DEV)
	@$(BIN)/uv pip compile -q --universal pyproject.toml --generate-hashes --no-emit-index-url --no-header -o requirements/run.txt
	@$(BIN)/uv pip compile -q --universal pyproject.toml --extra dev --generate-hashes --no-emit-index-url --no-header -c requirements/run.txt -o requirements/dev.txt

# Stop this checkout's embedded PostgreSQL.
stop: $(RUN)
	@$(BIN)/python -c "from huika.kit import postgres; from pathlib import Path; postgres.stop_embedded(Path('.'))"

clean: stop
	rm -rf $(VENV) var

$(RUN):
	@sh tools/setup.sh $(PYTHON) $(VENV) requirements/run.txt
	@touch $@

$(DEV):
	@sh tools/setup.sh $(PYTHON) $(VENV) requirements/dev.txt
	@touch $@ $(RUN)
