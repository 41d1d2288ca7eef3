"""The same day gives the same demonstration; real work is never touched."""

from contextlib import contextmanager
from datetime import date

import pytest
from django.db import connection, transaction

from supervision.models import Event
from tasks import demonstration
from tests.factories import DocumentFactory

TODAY = date(2026, 11, 23)

pytestmark = pytest.mark.django_db


def replay() -> list[tuple]:
    """What a short demonstration writes, taken back afterwards."""
    with transaction.atomic():
        demonstration.load(today=TODAY, days_back=20)
        rows = list(
            Event.objects.order_by("pk").values_list(
                "kind", "happened_at", "item__title", "organization__code", "by__username"
            )
        )
        transaction.set_rollback(True)
    return rows


@contextmanager
def rows_in_reverse():
    """SQLite answers backwards wherever a query names no order, as PostgreSQL may on any day."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA reverse_unordered_selects = ON")
        try:
            yield
        finally:
            cursor.execute("PRAGMA reverse_unordered_selects = OFF")


def test_the_same_day_gives_the_same_demonstration():
    first = replay()

    assert len(first) > 500
    with rows_in_reverse():
        assert replay() == first


def test_real_work_is_never_touched():
    DocumentFactory()

    with pytest.raises(demonstration.RealWork):
        demonstration.load(today=TODAY)

    assert not Event.objects.exists()
