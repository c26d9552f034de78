# `make` alone says what there is. Everything is set up in .venv of this checkout.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# The distribution's own build where there is one: it is often a quarter faster than one compiled by hand.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3.11) python3)
VENV := .venv
READY := $(VENV)/.ready
SOURCES := contracts/src chassis/src services/*/src deploy/local/src bench
TESTS := contracts/tests chassis/tests $(wildcard services/*/tests) deploy/local/tests tests conftest.py
JOBS ?= 2
PAGES := services/portal-gateway/pages
SCRIPTS := services/portal-gateway/src/portal/static/build/pages.js
ENGINE ?= docker
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
IMAGE ?= docker.io/orderloom/orderloom:$(VERSION)
SOURCE ?= $(or $(shell git remote get-url origin 2>/dev/null),unknown)
PINS := --quiet --no-emit-workspace --no-header --no-annotate
export UV_PROJECT_ENVIRONMENT := $(VENV)

.PHONY: help assets words demo up down status shots test test-kafka security audit chaos check bench bench-growth bench-backlog bench-streams bench-pages soak bench-order bench-floor contracts settings fmt migration image sbom secrets pins k8s k8s-check ops-check dashboards alert-check recovery-check rotation-check

help: ## Say what can be made
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(READY): pyproject.toml */pyproject.toml */*/pyproject.toml
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(VENV)/bin/uv sync --quiet --inexact --compile-bytecode
	rm -f uv.lock
	$(MAKE) --no-print-directory assets
	touch $@

assets: $(SCRIPTS) ## Build what pages load from npm packages (with the machine's npm, or one from PyPI)

$(SCRIPTS): $(wildcard $(PAGES)/src/*.ts) $(PAGES)/icons.mjs $(PAGES)/package.json $(PAGES)/package-lock.json
	$(VENV)/bin/python $(PAGES)/build.py

words: $(READY) ## Bring the catalogues of the pages' words up to date
	$(VENV)/bin/python $(PAGES)/../catalogues.py

demo: $(READY) ## Take the example orders through their whole life and leave the portal running (ARGS="--exit")
	$(VENV)/bin/orderloom demo $(ARGS)

up: $(READY) ## Start the whole stack on this machine
	$(VENV)/bin/orderloom up $(ARGS)

down: $(READY) ## Stop it (ARGS="--wipe" removes its data)
	$(VENV)/bin/orderloom down $(ARGS)

status: $(READY) ## Say how it is
	$(VENV)/bin/orderloom status $(ARGS)

shots: $(READY) ## Take a picture of every page of a running stack (ARGS="--data DIR --out DIR --width 390 --only order")
	PYTHONPATH=tests $(VENV)/bin/python tests/shots.py $(ARGS)

test: $(READY) ## Run every test
	$(VENV)/bin/pytest -n $(JOBS) --dist loadgroup $(ARGS)

test-kafka: $(READY) ## Run what touches the bus on Apache Kafka (needs Java 17 and Maven)
	ORDERLOOM_TEST_BROKER=apache $(VENV)/bin/pytest -n $(JOBS) --dist loadgroup chassis/tests tests/kafka tests/e2e \
		deploy/local/tests/test_republish.py deploy/local/tests/test_parts.py $(ARGS)

chaos: $(READY) ## Let faults happen while orders flow, and count what has to hold (SEED=1 MINUTES=3 BROKER=apache)
	$(VENV)/bin/python -m chaos --seed $(or $(SEED),1) --minutes $(or $(MINUTES),3) --broker $(or $(BROKER),embedded) $(ARGS)

security: $(READY) ## Run what tries to break in: the table of rights, attacks, fuzzing, secrets
	$(VENV)/bin/pytest tests/security $(ARGS)

audit: $(READY) ## Look for known vulnerabilities of what is installed (AUDIT_STRICT=1 fails where nobody can tell)
	$(VENV)/bin/python .ci/audit.py

check: $(READY) ## Lint, types, import rules, generated files
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy $(SOURCES)
	$(VENV)/bin/mypy chaos
	MYPYPATH=deploy $(VENV)/bin/mypy -p checks -p observe
	@for tests in $(TESTS); do $(VENV)/bin/mypy $$tests || exit 1; done
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python -m contracts.generate --check
	$(VENV)/bin/python -m orderloom.kubernetes --check
	PYTHONPATH=deploy $(VENV)/bin/python -m observe.generate --check --prometheus-rule deploy/k8s/components/monitoring/alerts.yaml
	$(VENV)/bin/python $(PAGES)/../catalogues.py --check
	$(VENV)/bin/python $(PAGES)/build.py --check
	$(VENV)/bin/python -m orderloom.settings_page --check

settings: $(READY) ## Generate docs/settings.md again
	$(VENV)/bin/python -m orderloom.settings_page

ops-check: $(READY) ## Look whether one trace reaches every service, through a real collector (COLLECTOR=otelcol ARGS="--picture docs/trace.svg")
	PYTHONPATH=deploy $(VENV)/bin/python -m checks.traces $(if $(COLLECTOR),--collector $(COLLECTOR)) $(ARGS)

dashboards: $(READY) ## Write deploy/observe/dashboards again from their source
	PYTHONPATH=deploy $(VENV)/bin/python -m observe.generate

alert-check: $(READY) ## Look whether alerts fire over stalled consumers, in a real Prometheus (PROMETHEUS=/path/to/prometheus)
	PYTHONPATH=deploy $(VENV)/bin/python -m checks.alert --prometheus $(or $(PROMETHEUS),prometheus) $(ARGS)

recovery-check: $(READY) ## Restore databases to an instant, one and all, and look what becomes of it (ARGS="--json FILE")
	PYTHONPATH=deploy $(VENV)/bin/python -m checks.recovery $(ARGS)

rotation-check: $(READY) ## Change the signing key of a running stack: nobody is signed out (ARGS="--json FILE")
	PYTHONPATH=deploy $(VENV)/bin/python -m checks.rotation $(ARGS)

bench: $(READY) ## Measure how fast it is, against what, and write bench/results (ARGS="S3 S4")
	$(VENV)/bin/python -m bench $(ARGS)

bench-growth: $(READY) ## Measure lists and searches with a thousand and with a million orders (ARGS="--orders 100000")
	$(VENV)/bin/python -m bench.growth $(ARGS)

bench-backlog: $(READY) ## Measure a million facts in an outbox, read and replayed, and a slow consumer (ARGS="--facts 100000")
	$(VENV)/bin/python -m bench.backlog $(ARGS)

bench-streams: $(READY) ## Measure 500 open pages on one gateway process (ARGS="--streams 100")
	$(VENV)/bin/python -m bench.streams $(ARGS)

bench-pages: $(READY) ## Measure how long every page takes with 8 people at once
	$(VENV)/bin/python -m bench.pages $(ARGS)

soak: $(READY) ## Half an hour of orders at 70 % of the top speed: memory at start, middle and end (MINUTES=30)
	$(VENV)/bin/python -m bench.soak --minutes $(or $(MINUTES),30)

bench-floor: $(READY) ## Measure what an order would cost with the same libraries and nothing of ours
	$(VENV)/bin/python -m bench.floor $(ARGS)

bench-order: $(READY) ## Measure what an order costs in CPU time, in short (ARGS="--seconds 60")
	$(VENV)/bin/python -m bench.order_to_everything $(ARGS)

contracts: $(READY) ## Generate schemas, docs/events.md and docs/asyncapi.json again
	$(VENV)/bin/python -m contracts.generate

k8s: $(READY) ## Generate those manifests of Kubernetes again that follow from the contracts
	$(VENV)/bin/python -m orderloom.kubernetes

k8s-check: $(READY) ## Check the manifests against schemas and a server (KUBECTL="kubectl" KUBECONFORM="kubeconform -strict")
	$(VENV)/bin/python -m bench.ops_kubernetes manifests --kubectl "$(or $(KUBECTL),kubectl)" --kubeconform "$(or $(KUBECONFORM),kubeconform -strict)"

fmt: $(READY) ## Format and sort
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

image: ## Build the image of all services (ENGINE=podman, IMAGE=name:tag, BUILD_ARGS="--build-arg …")
	$(ENGINE) build --tag $(IMAGE) --build-arg VERSION=$(VERSION) --build-arg REVISION=$(shell git rev-parse HEAD) \
		--build-arg SOURCE=$(SOURCE) $(BUILD_ARGS) .

sbom: ## Print what is in the image (CycloneDX)
	@$(ENGINE) run --rm $(IMAGE) json.tool /usr/share/orderloom/sbom.cdx.json

secrets: $(READY) ## Make the passwords and keys of a deployment in .secrets, those that are missing
	$(VENV)/bin/orderloom secrets .secrets $(ARGS)

pins: $(READY) ## Write again, from pyproject's versions, what the image installs
	$(VENV)/bin/uv export $(PINS) --package orderloom --no-dev --output-file deploy/image/requirements.txt
	$(VENV)/bin/uv export $(PINS) --only-group image --output-file deploy/image/tools.txt
	rm -f uv.lock

migration: $(READY) ## Write the next migration of a service (SERVICE=order MESSAGE="what it does")
	$(VENV)/bin/python -m orderloom.revision $(SERVICE) services/$(or $(FOLDER),$(SERVICE))/migrations "$(MESSAGE)"
