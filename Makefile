# Everything from a clone, with Python 3.11+ and make. PYTHON=python3.12 picks another interpreter.
#
#   make accept   the acceptance suite on the fake, and its report; fails if pytest fails
#   make test     linter, types and the harness's own tests; fails if any of the three does
#   make search   the correct bot over 500 seeds (about 5 min); SEEDS=0:2000 for more, what is known is not run again;
#                 SEEDS=0:200 SEARCH="--window 9h --begin 15:30" crosses midnight and two fundings (about an hour)
#   make bench    what a run costs, against the targets; figures and picture under reports/bench/. BENCH=--short tries it
#   make oracle   fills of a resting order against hftbacktest's queue model; reads the data that BOTPROOF_DATA names
#   make conformance  the same bytes on Python 3.11, 3.12 and 3.13 (PYTHONS="3.11 3.13" picks), in two circumstances each
#                 (about 2 min), and the same verdicts under both push cadences over CADENCE_SEEDS=0:100 (about 5 min)
#   make mutants  which changes of the judgement would no test notice? MODULES="exits ledger" asks for some alone
#   make clean    removes what the others have set up and worked in; the evidence under reports/ stays

PYTHON ?= python3
REPORTS := reports
SEEDS ?= 0:500
SEARCH ?=
PYTHONS ?=
CADENCE_SEEDS ?= 0:100
BENCH ?=

# uv is bootstrapped from a plain interpreter and fetches none itself.
UV_VERSION := 0.13.9
UV_HOME := .tools/uv-$(UV_VERSION)
UV := $(UV_HOME)/bin/uv
RUN := $(UV) run --frozen --no-sync
# Node for the report lives in an environment of its own: no test needs it.
NODE := .tools/node
# So does what our fills are compared with: it is compiled, and large.
ORACLE := .tools/oracle

MAKEFLAGS += --no-print-directory
export UV_LINK_MODE := copy
export UV_NO_PROGRESS := 1
export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON := $(shell $(PYTHON) -c 'import sys; print(sys.executable)' 2>/dev/null)
# Whom the machine trusts is trusted: a company's proxy signs what it hands on.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS := 1
export NODE_USE_SYSTEM_CA := 1
endif
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME
ifeq ($(and $(HOME),$(wildcard $(HOME)/.)),)
export UV_CACHE_DIR := $(CURDIR)/.tools/cache/uv
export npm_config_cache := $(CURDIR)/.tools/cache/npm
endif

.PHONY: accept test search bench oracle conformance mutants setup report-tools clean

accept: setup
	@rm -rf $(REPORTS)/allure-results
	@verdict=0; $(RUN) pytest features/ --venue=fake -p no:randomly || verdict=$$?; \
	$(MAKE) report-tools || echo "report tools: not set up; the results are in $(REPORTS)/allure-results" >&2; \
	PATH="$(CURDIR)/$(NODE)/bin:$$PATH" $(RUN) python -m botproof.evidence.html --reports $(REPORTS) || true; \
	exit $$verdict

test: setup
	@failed=0; \
	echo "ruff"; { $(RUN) ruff check --quiet --output-format concise . && $(RUN) ruff format --quiet --check .; } || failed=1; \
	echo "mypy"; { $(MAKE) .types && $(RUN) mypy; } || failed=1; \
	$(RUN) pytest tests/ -n auto --maxprocesses 4 --dist loadfile || failed=1; \
	exit $$failed

search: setup
	@$(RUN) botproof search --seeds $(SEEDS) $(SEARCH)

bench: setup
	@$(RUN) python -m benchmarks $(BENCH)

oracle: $(UV)
	@[ -x $(ORACLE)/bin/pytest ] || echo "setting up the oracle (about 30 s)"
	@UV_PROJECT_ENVIRONMENT=$(ORACLE) $(UV) sync --quiet --frozen --no-default-groups --group oracle
	@UV_PROJECT_ENVIRONMENT=$(ORACLE) $(RUN) pytest tests/test_oracle.py -p no:cacheprovider

conformance: setup
	@failed=0; \
	$(PYTHON) scripts/conformance.py --uv $(UV) $(PYTHONS) || failed=1; \
	$(RUN) python -m botproof.conformance --seeds $(CADENCE_SEEDS) || failed=1; \
	exit $$failed

mutants: setup
	@$(RUN) python scripts/mutants.py $(MODULES)

setup: $(UV)
	@[ -x .venv/bin/pytest ] || echo "setting up (about 30 s)"
	@$(UV) sync --quiet --frozen

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "expected Python 3.11 or newer, found $$($(PYTHON) --version 2>&1); try make PYTHON=python3.12" >&2; exit 1; }
	@echo "fetching uv $(UV_VERSION) (about 10 s)"
	@rm -rf $(UV_HOME) && mkdir -p .tools
	@{ $(PYTHON) -m venv $(UV_HOME) && $(UV_HOME)/bin/python -m pip install --quiet uv==$(UV_VERSION); } 2>.tools/uv.log >&2 || \
	{ rm -rf $(UV_HOME) && $(PYTHON) -m pip install --quiet --target $(UV_HOME) uv==$(UV_VERSION); } 2>>.tools/uv.log >&2 || \
	{ cat .tools/uv.log >&2; rm -rf $(UV_HOME); echo "expected pip and a package index to fetch uv with" >&2; exit 1; }

report-tools: $(UV)
	@[ -x $(NODE)/bin/npm ] || echo "setting up the report tools (about 30 s)"
	@UV_PROJECT_ENVIRONMENT=$(NODE) $(UV) sync --quiet --frozen --only-group report
	@[ node_modules/.package-lock.json -nt package-lock.json ] || \
	PATH="$(CURDIR)/$(NODE)/bin:$$PATH" npm ci --silent --no-audit --no-fund

# The tree as it is installed, for mypy: one package, whose parts lie in several folders of the checkout.
.PHONY: .types
.types:
	@rm -rf .types && mkdir -p .types/botproof
	@ln -s $(CURDIR)/botproof/* $(CURDIR)/steps $(CURDIR)/fakes $(CURDIR)/features $(CURDIR)/profiles .types/botproof/

clean:
	@rm -rf .tools .types .venv node_modules build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis mutants
	@find . -name __pycache__ -prune -exec rm -rf {} +
