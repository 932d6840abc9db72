# The commands that a contributor needs; `make` lists them. They use .venv where `make setup` has
# created it, the active environment otherwise.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

DBT := .venv-dbt

.DEFAULT_GOAL := help
.PHONY: help setup dbt fast test lint format types schemas docs bench lock

help:  # list the commands
	@sed -n 's/^\([a-z]*\):  # /\1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

setup:  # create the development environment in .venv, with the versions that CI uses
	python3 -m venv .venv
	.venv/bin/pip install -e ".[dev]" -c requirements-dev.lock

dbt:  # create the environment of the dbt example in .venv-dbt, so that its tests run
	python3 -m venv $(DBT)
	$(DBT)/bin/pip install --quiet uv==0.13.9  # several times as fast as pip here
	$(DBT)/bin/uv pip install --quiet --python $(DBT)/bin/python -e . -e examples/dbt_snapshots \
	-c examples/dbt_snapshots/requirements.lock

fast:  # run the tests that take less than a minute together
	pytest -m fast

test:  # run all tests
	pytest

lint:  # check style and formatting
	ruff check .
	ruff format --check .

format:  # correct style and formatting
	ruff check --fix .
	ruff format .

types:  # check the types
	mypy

schemas:  # write the JSON Schemas of both files of a series from their models
	python -m series_assets.scaffolding.schemas series_assets/schemas

docs:  # build the documentation site in the folder site
	mkdocs build --strict

bench:  # measure how fast series are generated, and in how much memory
	python -m benchmarks

lock:  # add what is newly needed to requirements-dev.lock and the example's; UPGRADE=--upgrade renews all
	tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && python3 -m venv "$$tools" && \
	"$$tools/bin/pip" install --quiet uv && "$$tools/bin/uv" pip compile pyproject.toml \
	--all-extras --universal --python-version 3.11 --no-annotate --quiet $(UPGRADE) \
	--custom-compile-command "make lock" --output-file requirements-dev.lock && \
	"$$tools/bin/uv" pip compile pyproject.toml examples/dbt_snapshots/pyproject.toml \
	--universal --python-version 3.11 --no-annotate --no-emit-package series-assets --quiet \
	$(UPGRADE) --custom-compile-command "make lock" \
	--output-file examples/dbt_snapshots/requirements.lock
