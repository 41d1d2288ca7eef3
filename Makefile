# Every command of the project. `make help` lists them.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
LOCALE := supervision/locale/zh_Hans/LC_MESSAGES
WORDS := cms/words/wagtail/zh_Hans/LC_MESSAGES
WORKERS ?= 2
# A file stays with one worker; the files begin in the order of tests/conftest.py.
SPREAD := --dist loadfile --no-loadscope-reorder
DEBIAN := chromium fonts-noto-cjk libfaketime libreoffice-calc libreoffice-writer poppler-utils
DEBIAN_SERVERS := postgresql postgresql-common redis-server
export PYTHONDONTWRITEBYTECODE ?=

.DEFAULT_GOAL := help

help: ## list the commands
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed / 需要 Python 3.11 以上版本"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "The venv module is missing: apt install python3-venv / 缺少 venv 模块，请先安装 python3-venv"; exit 1; }
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# Our own catalogue, and the words that Wagtail's lacks.
$(LOCALE)/django.mo: $(LOCALE)/django.po $(WORDS)/django.po $(WORDS)/djangojs.po $(VENV)/.installed
	@$(BIN)/pybabel --quiet compile --domain django --directory cms/words/wagtail --locale zh_Hans
	@$(BIN)/pybabel --quiet compile --domain djangojs --directory cms/words/wagtail --locale zh_Hans
	@$(BIN)/pybabel --quiet compile --domain django --directory supervision/locale --locale zh_Hans

install: $(VENV)/.installed $(LOCALE)/django.mo ## make the environment in .venv from the lock file

run: install ## start the web server and the worker (PORT=8000), load the demonstration into an empty database
	@exec $(PY) manage.py start --port $(PORT)

test: $(VENV)/.installed-dev $(LOCALE)/django.mo ## run the test suite on SQLite
	@bash .ci/debian-packages $(DEBIAN)
	$(PY) -m pytest -n $(WORKERS) $(SPREAD) tests

test-postgres: $(VENV)/.installed-dev $(LOCALE)/django.mo ## run all that depends on the database on a throw-away PostgreSQL and Redis
	@bash .ci/debian-packages $(DEBIAN) $(DEBIAN_SERVERS)
	bash .ci/on-postgres $(PY) -m pytest -n $(WORKERS) $(SPREAD) tests

bench: $(VENV)/.installed-dev $(LOCALE)/django.mo ## compare 286 with 28,600 assignments: statements and times as ratios
	$(PY) tests/bench/sweep.py
	$(PY) tests/bench/ledger.py

bench-sweep: $(VENV)/.installed-dev $(LOCALE)/django.mo ## the sweep at 1,000 to 100,000 assignments beside bare SQL, on SQLite and PostgreSQL
	@bash .ci/debian-packages $(DEBIAN_SERVERS)
	env -u DATABASE_URL $(PY) tests/bench/sweep_scale.py
	bash .ci/on-postgres $(PY) tests/bench/sweep_scale.py

bench-public: $(VENV)/.installed-dev $(LOCALE)/django.mo ## public pages beside a constant Django page and a static file; seconds until a release is seen
	$(PY) tests/bench/public.py

lint: $(VENV)/.installed-dev $(LOCALE)/django.mo ## check style, format, migrations, translations, the policy data
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) .ci/check-translations
	$(BIN)/ruff check .ci/check-policy .ci/check-translations

prove: $(VENV)/.installed-dev $(LOCALE)/django.mo ## run the proofs: promises that hold or do not; figures into proof/
	@bash .ci/debian-packages libfaketime libreoffice-calc poppler-utils
	$(PY) -m tests.proofs

prove-%: $(VENV)/.installed-dev $(LOCALE)/django.mo
	@bash .ci/debian-packages libfaketime libreoffice-calc poppler-utils
	$(PY) -m tests.proofs $*

prove-postgres: $(VENV)/.installed-dev $(LOCALE)/django.mo ## the same proofs on a throw-away PostgreSQL and Redis
	@bash .ci/debian-packages libfaketime libreoffice-calc poppler-utils $(DEBIAN_SERVERS)
	bash .ci/on-postgres $(PY) -m tests.proofs

screens: $(VENV)/.installed-dev $(LOCALE)/django.mo ## photograph the main screens of the demonstration into docs/screens
	$(PY) tests/bench/screens.py

messages: $(VENV)/.installed-dev ## gather the texts to translate into the catalogue (needs gettext)
	$(PY) manage.py makemessages --locale zh_Hans --no-location --no-obsolete --ignore '.venv/*' --ignore 'tests/*' --ignore 'var/*'

format: $(VENV)/.installed-dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.installed-dev ## lock the requirements again, with hashes and without an index
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

clean: ## remove the environment and the demonstration's data
	rm -rf $(VENV) var

.PHONY: help install run test test-postgres prove prove-postgres bench bench-sweep bench-public lint screens messages format lock clean
