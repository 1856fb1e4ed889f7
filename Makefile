# Each target is one line; `make` lists them.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help run test up down status serve watch refresh backfill dbt env psql trace replay export emulator demo bench lint docs migration

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

.venv/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed; this is " + sys.version.split()[0] + ". Set PYTHON=/path/to/python3.11")'
	@rm -f $@; echo "Installing into .venv (a minute or two, once) ..."
	@$(PYTHON) -m venv .venv && { $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --no-deps --require-hashes \
	  -r requirements.lock 2>&1 && touch $@; } | awk -v all="$$(grep -c '^[a-z].*==' requirements.lock)" "$$WHAT_PIP_SAYS"; test -e $@

# what pip says, in a line per 40 packages; whatever else it says is shown as it is
define WHAT_PIP_SAYS
/^(Collecting|Processing)/ { if (++n % 40 == 0) printf "  %d of %d packages downloaded\n", n, all; fflush(); next }
/^Installing collected/ { print "  all downloaded; unpacking takes about a minute"; fflush(); next }
/^(Successfully|Looking|Ignoring|Requirement|WARNING: (Location|Running))|^ *(Downloading|Using|Obtaining|Preparing|Installing|Getting)/ { next }
NF { print; fflush() }
endef
export WHAT_PIP_SAYS

run: .venv/.installed ## install what is missing, start the database, refresh once, say how things stand
	@$(BIN)/python -m flows.refresh

test: .venv/.installed ## all tests, against the embedded PostgreSQL and TEST_DATABASE_URL if it is set
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

up: .venv/.installed ## the whole stack: database, Prefect server with the deployments, a worker, the service
	@$(BIN)/python -m flows.stack up

down: .venv/.installed ## stop what was started
	@$(BIN)/python -m flows.stack down

status: .venv/.installed ## what runs, and where
	@$(BIN)/python -m flows.stack status

serve: .venv/.installed ## the service alone, in the foreground
	@$(BIN)/python -m service

watch: .venv/.installed ## is every dataset as fresh as it should be? exit 1 if not
	@$(BIN)/python -m flows.watch

refresh: run ## the same as run

backfill: .venv/.installed ## past days: make backfill FROM=2024-01-01 TO=2024-12-31 [DATASETS="a,b"] [FORCE=1]
	@$(BIN)/python -m flows.backfill --from "$(FROM)" --to "$(TO)" $(if $(DATASETS),--datasets "$(DATASETS)") $(if $(FORCE),--force) $(if $(NEWEST_FIRST),--newest-first)

dbt: .venv/.installed ## dbt with the right addresses: make dbt ARGS="run -s regions"
	@eval "$$($(BIN)/python -m warehouse env)" && cd dbt_project && ../$(BIN)/dbt $(or $(ARGS),run)

env: .venv/.installed ## shell lines for psql, dbt and others: eval "$(make -s env)" [ROLE=reader|service|loader|owner]
	@$(BIN)/python -m warehouse env $(if $(ROLE),--role $(ROLE))

psql: .venv/.installed ## psql that only reads; more with ROLE=transformer|service|loader|owner
	@$(BIN)/python -m warehouse psql $(if $(ROLE),--role $(ROLE))

trace: .venv/.installed ## where a value came from: make trace TABLE=carbon_intensity_regional KEY="13 2024-01-01T00:00Z"
	@$(BIN)/python -m warehouse.trace "$(TABLE)" $(KEY)

replay: .venv/.installed ## what decisions would have saved: make replay [FROM=.. TO=.. FORECASTS=live|archive|simulated]
	@$(BIN)/python -m flows.replay $(if $(FROM),--from "$(FROM)") $(if $(TO),--to "$(TO)") $(if $(FORECASTS),--forecasts "$(FORECASTS)")

export: .venv/.installed ## Parquet files, one per table and month: make export [FROM=2024-01 TO=2024-12] [TABLES="a,b"]
	@$(BIN)/python -m flows.export --from "$(FROM)" --to "$(TO)" $(if $(TABLES),--tables "$(TABLES)")

migration: .venv/.installed ## a new migration of schemas app and ops: make migration NAME=add_region_to_assets
	@$(BIN)/python -m warehouse.new_migration "$(NAME)"

emulator: .venv/.installed ## the upstreams on this machine, for tests and demos: make emulator PORT=8099 [RECORDED_DIR=...]
	@$(BIN)/python -m tests.emulator --port $(or $(PORT),8099) $(if $(RECORDED_DIR),--recorded $(RECORDED_DIR))

demo: .venv/.installed ## the upstreams' emulator, the stack and the pages, until Ctrl-C: make demo [RECORDED_DIR=...]
	@$(BIN)/python -m tests.emulator.demo $(if $(RECORDED_DIR),--recorded $(RECORDED_DIR))

bench: .venv/.installed ## measure against the floor and against what a user would do instead
	@$(BIN)/python -m benchmarks

lint: .venv/.installed ## ruff, mypy, sqlfluff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/sqlfluff lint -q dbt_project/models dbt_project/functions

docs: .venv/.installed ## dbt's page on tables and columns: opens at /docs/dbt of the service, or as .data/dbt_docs/index.html
	@$(BIN)/python -m flows.dbt_docs
