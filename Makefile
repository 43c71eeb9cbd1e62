# Each target creates .venv if it is missing and does its own set-up.
PYTHON ?= python3
PIP_FIND_LINKS ?=
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
BIN := .venv/bin
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable

.PHONY: demo test check format bench prove clean

demo: .venv/demo.stamp  ## catalogue a checkpoint, draw, train a LoRA, use it: the whole story on real weights
	MODELHUB_HOME=$(CURDIR) $(BIN)/modelhub demo

test: check  ## every check and every test, on all cores
	$(BIN)/python -m pytest -n logical --dist loadfile

check: .venv/dev.stamp  ## formatting, lint, types, import direction
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev.stamp  ## mend what `check` finds and a machine can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev.stamp  ## measure, in ratios; takes minutes
	$(BIN)/python -m benchmarks

prove: .venv/dev.stamp  ## the long proofs: the oldest packages that are allowed (but one torch), kill -9, many processes, tiles, trainings, damaged files, datasets of any kind, recipes by lot
	$(PYTHON) -m venv --clear .venv-oldest
	grep '^torch==' constraints.txt > .venv-oldest/torch.txt
	$(BIN)/uv pip install --quiet --python .venv-oldest/bin/python --resolution lowest-direct \
		--constraint .venv-oldest/torch.txt --editable '.[test]'
	.venv-oldest/bin/python -m pytest
	MODELHUB_KILLS=20 MODELHUB_STEPS=200 MODELHUB_SYNC_BYTES=2000000000 $(BIN)/python -m pytest tests/hands
	MODELHUB_PICTURES=50 $(BIN)/python -m pytest tests/inference/test_tile_borders.py --junitxml=.pytest_cache/tiles.xml
	grep -o '"tile borders" value="[^"]*"' .pytest_cache/tiles.xml
	MODELHUB_TRAININGS=1 $(BIN)/python -m pytest tests/trainers/test_trained_on_the_starter.py --junitxml=.pytest_cache/trained.xml
	grep -o '"trained [^"]*" value="[^"]*"' .pytest_cache/trained.xml
	MODELHUB_EVERYTHING=1 $(BIN)/python -m pytest tests/inference/test_drawn_on_a_card.py tests/trainers/test_trained_on_a_card.py
	$(BIN)/python -m tests.fuzz.fuzz_readers --seconds 60
	$(BIN)/python -m tests.fuzz.fuzz_datasets --seconds 300
	$(BIN)/python -m tests.fuzz.fuzz_recipes --seconds 600

clean:
	rm -rf .venv .venv-oldest .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

.venv/demo.stamp: pyproject.toml constraints.txt | .venv/uv.stamp
	$(INSTALL) '.[all]'
	touch $@

.venv/dev.stamp: pyproject.toml constraints.txt | .venv/uv.stamp
	$(INSTALL) '.[dev]'
	touch $@ .venv/demo.stamp

.venv/uv.stamp:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	touch $@
