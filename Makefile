# make run      set everything up, load the demo once, serve http://127.0.0.1:8000
# make test     set everything up, run the whole suite and the linters
# make lint     ruff, djade, missing migrations
# make format   let ruff and djade rewrite the code
# make lock     renew requirements*.txt from pyproject.toml (UPGRADE=--upgrade also takes newer versions)
#
# PYTHON=python3.13 chooses the interpreter for .venv, PORT=8001 the port, ARGS="tests/units -x" what pytest gets.

SHELL := /bin/sh
export PYTHONUTF8 := 1

USABLE := import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c '$(USABLE)' >/dev/null 2>&1 && { echo $$python; break; }; done)
PY := .venv/bin/python
PORT ?= 8000
ARGS ?=
UPGRADE ?=

PIP := $(PY) -m pip install --quiet --no-input --disable-pip-version-check --require-hashes
PYTEST := $(PY) -m pytest -q
TEMPLATES := find templates -name '*.html' -print0

# $(call install,requirements file,stamp): the stamp is a copy of what was installed last.
install = cmp -s $(1) .venv/$(2) || { echo "Installing $(1) …"; $(PIP) -r $(1) && cp $(1) .venv/$(2); }

# $(call suite,more marks): on all cores, then by themselves the tests that need the machine for themselves.
# Exit 5 is “no test selected”, as when ARGS names one file.
suite = run() { "$$@" || [ $$? -eq 5 ]; }; \
	run $(PYTEST) -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder -m "not alone$(1)" $(ARGS) && \
	run $(PYTEST) -m "alone$(1)" $(ARGS)

.PHONY: help run test lint format lock venv venv-run venv-dev
help:
	@sed -n 's/^# make/make/p' Makefile

run: venv-run
	@DEBUG=true $(PY) manage.py migrate --verbosity 0
	@DEBUG=true $(PY) manage.py demo
	@echo "http://127.0.0.1:$(PORT)  (Ctrl-C: dừng / stop)"
	@DEBUG=true $(PY) manage.py runserver 127.0.0.1:$(PORT)

test: venv-dev
	@echo "== SQLite: the whole suite"
	@export DATABASE_URL=sqlite://:memory:; $(call suite)
	@if [ -n "$$TEST_POSTGRESQL_URL" ]; then \
		echo "== PostgreSQL: the suite without the browser"; \
		export DATABASE_URL="$$TEST_POSTGRESQL_URL"; $(call suite, and not browser); \
	elif [ "$$CI" = true ]; then \
		echo "CI=true needs TEST_POSTGRESQL_URL (see .ci/run)."; exit 1; \
	fi
	@$(MAKE) --no-print-directory lint
	@[ -n "$$TEST_POSTGRESQL_URL" ] || \
		echo "SKIPPED: the PostgreSQL run. Set TEST_POSTGRESQL_URL, or use: bash .ci/run"

lint: venv-dev
	@echo "== Lint"
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check .
	@$(TEMPLATES) | xargs -0 -r .venv/bin/djade --check --target-version 5.2
	@DJANGO_SETTINGS_MODULE=tests.settings $(PY) manage.py makemigrations --check --dry-run --verbosity 1

format: venv-dev
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .
	@$(TEMPLATES) | xargs -0 -r .venv/bin/djade --target-version 5.2

venv-run: venv
	@$(call install,requirements.txt,.run-stamp)

venv-dev: venv
	@$(call install,requirements-dev.txt,.test-stamp)

venv:
	@$(PY) -c 'import pip' >/dev/null 2>&1 || { \
		if [ -n "$(PYTHON)" ] && $(PYTHON) -c '$(USABLE)' >/dev/null 2>&1; then \
			echo "Creating .venv with $$($(PYTHON) --version) …"; \
			$(PYTHON) -m venv --clear .venv; \
		else \
			echo "Cần Python 3.11 trở lên, có venv và ensurepip. Trên Debian/Ubuntu: sudo apt install python3 python3-venv"; \
			echo "Python 3.11 or later with venv and ensurepip is needed. On Debian/Ubuntu: sudo apt install python3 python3-venv"; \
			echo "Đang có / found: $$($(or $(PYTHON),python3) --version 2>&1 || true)"; \
			echo "Chọn bản khác / choose another: make run PYTHON=/path/to/python3"; \
			exit 1; \
		fi; }

# uv comes from a throw-away environment: it is a tool of the maintainer, not a dependency.
LOCK := UV_CUSTOM_COMPILE_COMMAND="make lock" $$dir/bin/uv pip compile --quiet --universal --generate-hashes \
	--no-emit-index-url --python-version 3.11 $(UPGRADE)
lock:
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	$(PYTHON) -m venv $$dir; $$dir/bin/pip install --quiet --disable-pip-version-check uv; \
	$(LOCK) --extra postgresql pyproject.toml -o requirements.txt; \
	$(LOCK) --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
