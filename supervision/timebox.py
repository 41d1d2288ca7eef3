"""A bound on the time one reading may take in the database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

# Between two looks at the clock SQLite runs this many steps of its machine: some milliseconds.
STEPS = 200_000


class TookTooLong(Exception):
    """The database was stopped because the reading took longer than allowed."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Readings inside end after about `seconds`, wall time; raises TookTooLong.

    PostgreSQL stops each statement itself; SQLite is asked to stop by its progress handler. For
    readings only: a transaction around it goes on, what was read so far is lost.
    """
    try:
        if connection.vendor == "postgresql":
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SHOW statement_timeout")
                before = cursor.fetchone()[0]
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [_ms(seconds)])
                yield
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
        else:
            connection.ensure_connection()
            end = time.monotonic() + seconds
            handle = connection.connection
            handle.set_progress_handler(lambda: time.monotonic() > end, STEPS)
            try:
                yield
            finally:
                handle.set_progress_handler(None, STEPS)
    except OperationalError as error:
        text = str(error)
        if "interrupted" in text or "statement timeout" in text:
            raise TookTooLong from error
        raise


def _ms(seconds: float) -> str:
    return str(max(int(seconds * 1000), 1))
