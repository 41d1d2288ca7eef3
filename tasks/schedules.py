"""The table of schedules. Our own rules are rows in our own tables; the queue only wakes us up."""

from django.utils import timezone
from django_q.models import Schedule

# name: what runs and when. Cron is local time. Keep it short: all due schedules share one
# transaction, so one broken row could stop the others.
SCHEDULES: dict[str, dict] = {
    # Seconds are the sixth field. The scheduler looks every half minute, so each look finds it due.
    "tick": {
        "func": "tasks.jobs.tick",
        "schedule_type": Schedule.CRON,
        "cron": "* * * * * */30",
    },
    "wide sweep": {
        "func": "tasks.jobs.wide_sweep",
        "schedule_type": Schedule.CRON,
        "cron": "40 7 * * *",
    },
    "search check": {
        "func": "tasks.jobs.check_search",
        "schedule_type": Schedule.CRON,
        "cron": "20 3 * * *",
    },
}


def sync_schedules() -> dict[str, int]:
    """Make the stored schedules those of the table: create, correct, remove. Repeatable."""
    result = {"created": 0, "changed": 0, "removed": 0}
    for name, wanted in SCHEDULES.items():
        rows = list(Schedule.objects.filter(name=name).order_by("pk"))
        # The name is not unique in the database: a second row would run everything twice.
        for row in rows[1:]:
            row.delete()
            result["removed"] += 1
        values = {"repeats": -1, "args": None, "kwargs": None, "cron": None} | wanted
        if not rows:
            Schedule.objects.create(name=name, next_run=timezone.now(), **values)
            result["created"] += 1
            continue
        row = rows[0]
        if any(getattr(row, field) != value for field, value in values.items()):
            for field, value in values.items():
                setattr(row, field, value)
            row.save()
            result["changed"] += 1
    unknown = Schedule.objects.exclude(name__in=SCHEDULES)
    result["removed"] += unknown.filter(func__startswith="tasks.").delete()[0]
    return result
