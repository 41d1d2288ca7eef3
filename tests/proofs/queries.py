"""Every page of the desk at 286 and at 28,600 assignments: the same number of statements.

The lights of the day are kept first, as the tick does. Each page is opened twice; the second time
counts, when settings are warm. A page that answers anything but 200 is a failure.
"""

import time
from datetime import timedelta

from tests.proofs.common import TODAY, Outcome, Scale, build_world, empty, noon

SIZES = {Scale.QUICK: (20, 60), Scale.FIRST: (286, 28_600), Scale.AIM: (286, 28_600)}
AIM = 12
PAGES = {
    "home": ("officer", "leader"),
    "items": ("officer", "leader"),
    "item": ("officer", "leader"),
    "timeline": ("officer", "leader"),
    "matrix": ("officer", "leader"),
    "reviews": ("officer", "office_head"),
    "review": ("officer",),
    "clocks": ("officer",),
    "letters": ("officer",),
    "documents": ("officer",),
    "document": ("officer",),
    "audit": ("officer",),
    "search": ("officer",),
    "saved_views": ("officer",),
    "ledger": ("officer",),
    "organizations": ("office_head",),
    "assignment": ("officer", "liaison"),
    "mine": ("liaison",),
    "returns": ("liaison",),
}


def _addresses(share, report) -> dict[str, str]:
    from django.urls import reverse

    given = {
        "item": [share.item.uid],
        "document": [share.item.document.uid],
        "assignment": [share.uid],
        "review": ["reports", report.uid],
    }
    found = {name: reverse(f"supervision:{name}", args=given.get(name, [])) for name in PAGES}
    return found | {"search": found["search"] + "?q=测试"}


def _measure(shares: int) -> dict[tuple[str, str], tuple[int, float]]:
    import time_machine
    from django.contrib.auth.models import Group
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from supervision.models import Assignment, User
    from supervision.services.kept_lights import keep_lights
    from tests.factories import PeriodFactory, ReportFactory

    empty()
    city = build_world(shares)
    body = Assignment.objects.order_by("pk")[0].organization
    liaison = User.objects.filter(organization=body, groups__name="liaison")[0]
    assert Group.objects.filter(name="liaison").exists()
    some = list(Assignment.objects.filter(organization=body).order_by("pk")[: max(shares // 40, 2)])
    for share in some:
        report = ReportFactory(
            period=PeriodFactory(assignment=share),
            status="submitted",
            submitted_at=noon(TODAY) - timedelta(days=1),
        )
    keep_lights(TODAY)
    people = {
        "officer": city.officer,
        "office_head": city.office_head,
        "leader": city.leader,
        "liaison": liaison,
    }
    found = {}
    with time_machine.travel(noon(TODAY), tick=True):
        for name, address in _addresses(some[-1], report).items():
            for who in PAGES[name]:
                client = Client()
                client.force_login(people[who])
                client.get(address)
                started = time.perf_counter()
                with CaptureQueriesContext(connection) as captured:
                    answer = client.get(address)
                if answer.status_code != 200:
                    raise AssertionError(f"{address} answered {answer.status_code} to {who}")
                found[name, who] = (len(captured), time.perf_counter() - started)
    return found


def prove(*, seed: int, scale: Scale) -> Outcome:
    """Print page × statements at both sizes; holds when no page's number differs."""
    small, large = SIZES[scale]
    few, many = _measure(small), _measure(large)
    print(f"{'page':28}{small:>10,}{large:>10,}{'time':>8}")
    rows, problems = {}, []
    for key, (statements, seconds) in few.items():
        later, long = many[key]
        name = f"{key[0]} ({key[1]})"
        ratio = round(long / seconds, 1)
        print(f"{name:28}{statements:>10}{later:>10}{ratio:>7}x")
        rows[name] = {str(small): statements, str(large): later, "time_ratio": ratio}
        if statements != later:
            problems.append(f"{name}: {statements} statements, then {later}")
    most = max(statements for statements, _seconds in many.values())
    over = sum(statements > AIM for statements, _seconds in many.values())
    if scale is Scale.AIM and over:
        problems.append(f"{over} pages take more than {AIM} statements")
    figures = {"pages": len(rows), "most_statements": most, f"over_{AIM}": over}
    for name, row in rows.items():
        figures[name] = f"{row[str(small)]} / {row[str(large)]}, time {row['time_ratio']}"
    return Outcome(holds=not problems, figures=figures, problems=problems)
