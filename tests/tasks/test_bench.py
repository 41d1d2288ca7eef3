"""`make bench-sweep` measures what it says: the same facts as bare SQL, once each."""

import json

import pytest

from tests.bench import sweep_scale

pytestmark = pytest.mark.django_db


def test_the_bench_of_the_sweep_runs_and_agrees_with_bare_sql(settings_loaded):
    result = sweep_scale.bench(200)
    assert result.effects > 20
    assert result.rows_written > result.effects
    assert result.tick.statements == 21, "a tick with nothing due"
    assert json.dumps(sweep_scale.judge([result]))
