"""The pulse: each of the worker's processes shows between two ticks that it is there.

A tick alone shows a stopped worker late, because one late tick is no alarm. The pulse comes three
times an interval from a thread of its own, so that a long tick does not hold it up.
"""

import logging
import threading

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from tasks.clock import pulse

logger = logging.getLogger(__name__)


def start_pulse(**_kwargs) -> threading.Thread | None:
    """Begin to beat in this process of the queue; a cluster for long work has no say."""
    from django_q.conf import Conf

    if settings.Q_CLUSTER["name"] != Conf.CLUSTER_NAME:
        return None
    thread = threading.Thread(target=keep_pulse, name="pulse", daemon=True)
    thread.start()
    return thread


def keep_pulse(stop: threading.Event | None = None) -> None:
    """Beat until `stop` is set; a database that does not answer is asked again next time."""
    stop = stop or threading.Event()
    while True:
        try:
            pulse(timezone.now())
        except DatabaseError as error:
            logger.warning("No pulse: %s", error)
            connection.close()
        if stop.wait(settings.PULSE_SECONDS):
            connection.close()
            return
