# Two commands do all set-up on a fresh machine with Python 3.11 or later:
#   make demo   the whole workflow on simulated patches, ends with results/demo/report.html
#   make test   every test and check
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
CORES ?= all

# Set, it would have every job compile all that it imports anew; empty, it counts as not set.
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test test-fast crash-campaign write-sites fuzz check audit docs format lock clean

demo: $(INSTALLED)
	$(BIN)/snakemake --cores $(CORES) --resources gpu=0 --configfile resources/configs/demo.yaml \
		--set-threads train_network=1 predict_network=1 --quiet rules
	@echo
	@echo "The report: results/demo/report.html"

# The longest modules begin first: workers then end together.
test: $(INSTALLED) check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile \
		--no-loadscope-reorder

# What a contributor runs between edits, under two minutes on two cores.
test-fast: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto -m "not slow"

# Kills TARGET (all, predict, map, slurm) ROUNDS times at random moments and compares it with an
# undisturbed run.
TARGET = all
ROUNDS = 10
SEED = 1
crash-campaign: $(INSTALLED)
	PYTHONPATH=.:tests $(BIN)/python tests/crash_campaign.py --target $(TARGET) \
		--rounds $(ROUNDS) --seed $(SEED)

# Has the disk full, and kills, at SITES of the calls by which each job of TARGET writes; 0: at all.
SITES = 0
write-sites: $(INSTALLED)
	PYTHONPATH=.:tests $(BIN)/python tests/write_sites.py --target $(TARGET) --sites $(SITES) \
		--seed $(SEED)

# Reads COUNT changed files with each READER (all, or names as --help lists them) in limited processes.
READER =
COUNT = 20000
fuzz: $(INSTALLED)
	PYTHONPATH=.:tests OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 \
		$(BIN)/python tests/fuzz_readers.py $(READER) --count $(COUNT) --seed $(SEED)

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/hadolint Containerfile

# Every package of the lock file against the package index's list of known vulnerabilities. --strict:
# where the index does not give the list, nothing was looked at, and that is a failure.
audit:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
		--requirement requirements.lock

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules

# The site, docs/_build/html/index.html; a warning ends it.
docs: $(INSTALLED)
	rm -rf docs/api
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs docs/_build/html

# After a change of dependencies in pyproject.toml.
lock: $(INSTALLED)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --quiet --output-file requirements.lock
	$(BIN)/python envs/from_lock.py

# --no-compile: most modules are never imported; Python compiles those that are, then.
$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and \
		f"Python 3.11 or later is needed, {v.major}.{v.minor} found: make PYTHON=python3.11 ...")'
	@echo "Installing the packages of requirements.lock into .venv (about 5 GB, a few minutes)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes \
		-r requirements.lock
	@touch $@

clean:
	rm -rf .venv .venv-audit results/demo
