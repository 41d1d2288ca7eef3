"""kill -9 at every SQL statement of a sweep, then a second sweep: nothing lost, nothing doubled.

Each point has a process of its own: the sweep runs, and just before its n-th statement the process
kills itself. What the next sweep leaves must be what an undisturbed sweep leaves.
"""

import os
import signal

from tests.proofs.common import (
    TODAY,
    Outcome,
    Scale,
    build_world,
    compare,
    empty,
    facts_on_record,
    forget_facts,
    noon,
)

SHARES = {Scale.QUICK: 40, Scale.FIRST: 500, Scale.AIM: 500}
# Overdue long enough to climb, near their date, and quiet: every kind of fact is written. Each
# row more adds some fifty statements to kill at, and as much to every sweep after a kill.
DUE, OVERDUE = (
    {Scale.QUICK: 0.02, Scale.FIRST: 0.006, Scale.AIM: 0.02},
    {
        Scale.QUICK: 0.03,
        Scale.FIRST: 0.012,
        Scale.AIM: 0.03,
    },
)


def prove(*, seed: int, scale: Scale) -> Outcome:
    from django.db import connection

    from tasks.jobs import sweep

    empty()
    build_world(SHARES[scale], due=DUE[scale], overdue=OVERDUE[scale])
    statements = _count_statements()
    wanted = facts_on_record()
    written = sum(1 for row in wanted if row[0] == "fact")
    step = max(1, statements // 60) if scale is Scale.QUICK else 1
    points = range(1, statements + 1, step)
    lost = doubled = killed = 0
    problems: list[str] = []
    for point in points:
        forget_facts()
        connection.close()
        killed += _sweep_killed_at(point)
        sweep(TODAY, at=noon(TODAY))
        sweep(TODAY, at=noon(TODAY))
        missing, extra = compare(wanted, facts_on_record())
        lost, doubled = lost + len(missing), doubled + len(extra)
        if missing or extra:
            problems.append(f"at statement {point}: lost {missing[:2]}, doubled {extra[:2]}")
    holds = not lost and not doubled and killed == len(points) and written > 0
    figures = {
        "assignments": SHARES[scale],
        "facts": written,
        "kinds": len({row[1].partition(":")[0] for row in wanted if row[0] == "fact"}),
        "statements": statements,
        "points": len(points),
        "killed": killed,
        "lost": lost,
        "doubled": doubled,
    }
    return Outcome(holds, figures, problems)


def _count_statements() -> int:
    """Statements of an undisturbed sweep, which is left in the database."""
    from django.db import connection

    from tasks.jobs import sweep

    count = 0

    def counting(execute, sql, params, many, context):
        nonlocal count
        count += 1
        return execute(sql, params, many, context)

    # What a process reads once and keeps is read before, as in the processes to be killed.
    sweep(TODAY, at=noon(TODAY), is_dry_run=True)
    with connection.execute_wrapper(counting):
        sweep(TODAY, at=noon(TODAY))
    return count


def _sweep_killed_at(point: int) -> bool:
    """Sweep in a process of its own that kills itself before its n-th statement; True if it did."""
    pid = os.fork()
    if pid == 0:
        _child(point)
    _pid, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _child(point: int) -> None:
    from django.db import connection

    from tasks.jobs import sweep

    seen = 0

    def killing(execute, sql, params, many, context):
        nonlocal seen
        seen += 1
        if seen == point:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    try:
        connection.ensure_connection()
        with connection.execute_wrapper(killing):
            sweep(TODAY, at=noon(TODAY))
    finally:
        os._exit(0)
