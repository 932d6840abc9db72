# The commands that a contributor needs; `make` lists them. They use .venv where `make setup` has
# created it, the active environment otherwise.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup fast test lint format types bench lock

help:  # list the commands
	@sed -n 's/^\([a-z]*\):  # /\1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

setup:  # create the development environment in .venv, with the versions that CI uses
	python3 -m venv .venv
	.venv/bin/pip install -e ".[dev]" -c requirements-dev.lock

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

bench:  # measure how fast series are generated, and in how much memory
	python -m benchmarks

lock:  # add what pyproject.toml newly needs to requirements-dev.lock; UPGRADE=--upgrade renews all
	tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && python3 -m venv "$$tools" && \
	"$$tools/bin/pip" install --quiet uv && "$$tools/bin/uv" pip compile pyproject.toml \
	--all-extras --universal --python-version 3.11 --no-annotate --quiet $(UPGRADE) \
	--custom-compile-command "make lock" --output-file requirements-dev.lock
