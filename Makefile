# Two commands: `make run` shows the gateway at work, `make test` proves it. The work itself is in Python and in deploy/.
.PHONY: run test slow check coverage perf perf-quick reference lock

run:
	@python3 deploy/prepare.py
	@.venv/bin/python deploy/demo/run.py $(ARGS)

test:
	@python3 deploy/prepare.py --test
	@timeout --kill-after=30 1800 .venv/bin/python -m pytest -n 4 --dist worksteal $(ARGS)

slow:
	@python3 deploy/prepare.py --test
	@.venv/bin/python -m pytest -n 2 -m "slow or not slow" $(ARGS)

check:
	@python3 deploy/prepare.py --test
	@.venv/bin/ruff check .
	@.venv/bin/mypy && .venv/bin/lint-imports

coverage:
	@python3 deploy/prepare.py --test
	@.venv/bin/python -m tests.covered $(ARGS)

perf:
	@python3 deploy/prepare.py --test
	@.venv/bin/python perf/report.py $(ARGS)

perf-quick:
	@python3 deploy/prepare.py --test
	@.venv/bin/python perf/report.py --quick $(ARGS)

reference:
	@python3 deploy/prepare.py --test
	@.venv/bin/python -m tests.house.references --write

lock:
	@uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --no-header -o deploy/requirements.lock
	@uv pip compile pyproject.toml --extra test --generate-hashes --no-emit-index-url --no-header -o deploy/requirements-test.lock
