# The things anyone does: make demo, make test, make check, make bench.
# The rest serves those who build and compare: build, golden, vectors, race, services.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
SHARED := $(or $(STOA_SHARED),../shared)
VECTORS ?= $(SHARED)/golden/vectors
PAIRS ?= $(SHARED)/golden/pairs
ONLY ?=

.PHONY: help tools demo build web test check lint fuzz bench golden vectors race services browser

help:
	@sed -n '1,2p' $(MAKEFILE_LIST) | sed 's/^# //'

# A missing tool is named in the first line printed.
need = command -v $(1) >/dev/null || { echo "make: $(1) is missing: $(2)"; exit 1; }
tools:
	@$(call need,cargo,install Rust 1.95 or newer)
	@$(call need,node,install Node.js 20 or newer)
	@$(call need,python3,install Python 3.11 or newer)

## Builds everything, sets up a site with a course and people, runs it and prints where to go.
demo: build
	@exec bin/stoa demo

## The release binary at bin/stoa, whatever the target folder.
build: tools web
	cargo build --release --locked --quiet -p stoa -p stoa-vectors
	@mkdir -p bin
	@for name in stoa stoa-vectors; do \
	  cmp -s $(TARGET)/release/$$name bin/$$name || cp $(TARGET)/release/$$name bin/$$name.new && \
	  { [ ! -e bin/$$name.new ] || mv bin/$$name.new bin/$$name; }; done

## Pages' scripts and styles, from web/ into web/dist.
WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)
web: tools web/dist/manifest.json
web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
web/dist/manifest.json: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run --silent build

## All tests. Embedded stores alone unless `make services` was run and its variables are set.
test: web
	cargo test --workspace --locked --quiet

## What must be clean before a change is handed in.
check: web lint fuzz
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

lint: web/node_modules/.package-lock.json
	cd web && npm run --silent lint

## Parsers against random and mutated input, for a bounded number of rounds.
fuzz:
	cargo test --workspace --locked --quiet --test fuzz_bounded

## Load and micro benchmarks: ratios within one run.
bench: build
	python3 benches/bench.py --stoa bin/stoa

## Recorded cases of pure functions. VECTORS=dir ONLY=unit,…
vectors: build
	python3 $(SHARED)/golden/vectors/check.py --command bin/stoa-vectors $(if $(ONLY),--only $(ONLY)) $(VECTORS)

## Recorded requests of the real platform. PAIRS=dir ONLY=group,…
golden: build
	python3 tests/golden/run.py --stoa bin/stoa --shared $(SHARED) --pairs $(PAIRS) $(if $(ONLY),--only $(ONLY))

## Publishes by one process against readers of another.
ROUNDS ?= 10000
race: build
	python3 tests/race/race.py --stoa bin/stoa --rounds $(ROUNDS)

## Installs and starts MariaDB and Redis for developers (Debian packages, loopback, own folder) and prints their addresses.
services:
	@command -v mariadbd >/dev/null && command -v redis-server >/dev/null || \
	  $$([ "$$(id -u)" = 0 ] || echo sudo) sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends mariadb-server redis-server'
	@bash tests/services.sh start

## The pages in headless Chromium.
browser: build
	bash tests/browser/run.sh
