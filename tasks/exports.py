"""Long exports: woken when asked for, written by the workers of the `long` queue."""

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from supervision.services.exports import ExportStopped, claim_export, write_export

QUEUE = "long"


def wake_worker(sender, run, **kwargs) -> None:
    """Put the run into the long queue once its row is committed. Twice does no harm."""
    uid = str(run.uid)
    transaction.on_commit(lambda: async_task("tasks.exports.run_export", uid, cluster=QUEUE))


def run_export(uid: str) -> str:
    """Write one export; says how it ended. A run that is not waiting is left alone."""
    run = claim_export(uid=uid, at=timezone.now())
    if run is None:
        return "nothing to begin"
    try:
        run = write_export(run=run, clock=timezone.now)
    except ExportStopped:
        return "called off"
    return run.status
