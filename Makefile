# Countersign. `make help` lists what there is; every target is one thing.
PY     ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
             $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN    := .venv/bin
STAMP  := .venv/.lock-sha256
WANT   := $(shell cat requirements/dev.txt requirements/boot.txt | sha256sum | cut -c1-64)
BENCH  := .venv-bench
BENCHED := $(shell sha256sum < requirements/bench.txt | cut -c1-64)
LOCK   := $(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --strip-extras --python-version 3.11
T      ?=
ARGS   ?=

# Tests and the sandbox start many processes of ours: none of them shall compile our code anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run demo test check examples prove bank failover mutation bench screenshots reset setup venv benchvenv lock format
.DEFAULT_GOAL := help

help:  ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

run: setup  ## Start the whole sandbox and print its addresses and sign-ins
	@$(BIN)/python -m config.sandbox run

demo: setup  ## Tell the stories of a provider's bad week to a running sandbox
	@$(BIN)/python -m config.sandbox demo

test: setup  ## Run the whole suite on the embedded servers (or DATABASE_URL / REDIS_URL)
	@$(BIN)/python -m config.sandbox test $(ARGS)

check: setup  ## Format, lint, types, import contracts, SQL style, migrations, then the suite
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy .
	$(BIN)/sqlfluff lint -q --processes 2 */sql
	! grep -n '://' requirements/*.txt
	$(BIN)/python -m config.sandbox migrations
	@$(BIN)/python -m config.sandbox test $(ARGS)

examples: setup  ## Play the documents' examples and write down anew what they say
	@$(BIN)/python -m config.sandbox examples

prove: setup  ## Run one test's full form: make prove T=T09
	@$(BIN)/python -m config.sandbox prove $(T)

bank: setup  ## Run the bank under crashes for a minute each, behind the commands and behind HTTP
	@$(BIN)/python -m config.sandbox bank

failover: setup  ## Kill the leading database twenty times and lose nothing; without waiting, lose
	@$(BIN)/python -m config.sandbox failover

mutation: setup  ## Plant each known bug in a private copy of the tree: tests must find it (ARGS="P2 P8")
	@$(BIN)/python -m tests.mutation $(ARGS)

bench: setup benchvenv  ## Run the benchmarks and print their tables
	@$(BIN)/python -m config.sandbox bench $(ARGS)

screenshots: setup  ## Take pictures of a running sandbox's pages for docs/screenshots
	@$(BIN)/python -m config.sandbox screenshots

reset:  ## Throw the sandbox's state away
	@rm -rf .sandbox

format: setup  ## Format the code
	$(BIN)/ruff format . && $(BIN)/ruff check --fix -q .

setup:
	@test -n "$(PY)" || { echo "Python 3.11 or newer is needed"; exit 1; }
	@test "$$(cat $(STAMP) 2>/dev/null)" = "$(WANT)" || $(MAKE) --no-print-directory venv

venv:
	@rm -rf .venv
	@$(PY) -m venv .venv 2>/dev/null || { rm -rf .venv; $(PY) -m venv --without-pip .venv; }
	@$(PY) -m pip --python .venv/bin/python install -q --disable-pip-version-check --require-hashes -r requirements/boot.txt
	@$(BIN)/uv pip sync -q --require-hashes --python .venv/bin/python requirements/dev.txt requirements/boot.txt
	@$(BIN)/python -m compileall -q -j 2 .venv/lib || true
	@echo $(WANT) > $(STAMP)

benchvenv:
	@test "$$(cat $(BENCH)/.lock-sha256 2>/dev/null)" = "$(BENCHED)" || { rm -rf $(BENCH) && $(PY) -m venv --without-pip $(BENCH) \
		&& $(BIN)/uv pip sync -q --require-hashes --build-constraints requirements/bench.txt --python $(BENCH)/bin/python requirements/bench.txt \
		&& echo $(BENCHED) > $(BENCH)/.lock-sha256; }

lock: setup  ## Compile the hash-pinned locks again
	$(LOCK) requirements/boot.in -o requirements/boot.txt
	$(LOCK) requirements/run.in -o requirements/run.txt
	$(LOCK) requirements/dev.in -o requirements/dev.txt
	$(LOCK) requirements/bench.in -o requirements/bench.txt
