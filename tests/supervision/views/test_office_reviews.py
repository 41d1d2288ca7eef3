"""What waits for the office: queues, decisions in place, who may decide, what is kept."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supervision.history import sentence
from supervision.models import Assignment, Event, EventKind, ProgressReport, Role
from supervision.services.reports import send_back_report
from supervision.waiting import QUEUES, Queue, count_by_queue, waiting_for
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    MilestoneFactory,
    PeriodFactory,
    ReportFactory,
    TargetFactory,
    UserFactory,
)
from tests.supervision.views.office_world import dispatched_item, every_queue, filed_report

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOON, tick=False):
        yield


def messages_of(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def decide(client, queue, row, act, **data):
    data.setdefault("version", row.version)
    return client.post(reverse("supervision:review_act", args=[queue, row.uid, act]), data)


def test_every_queue_is_filled_and_sorted_by_waiting(city):
    every_queue(city)

    waiting = waiting_for(city.officer, today=TODAY)

    assert {row.queue for row in waiting} == set(QUEUES)
    assert [row.since_date for row in waiting] == sorted(row.since_date for row in waiting)
    report = count_by_queue(waiting)[Queue.REPORTS][0]
    assert report.is_late
    assert report.limit_days == 3
    assert report.waited_days > 3


def test_a_body_and_a_stranger_have_nothing_waiting(city):
    every_queue(city)

    assert waiting_for(city.stranger, today=TODAY) == []
    assert waiting_for(city.body_head, today=TODAY) == []


def test_a_leader_has_only_what_the_leader_decides(city):
    world = every_queue(city)
    type(world.extension).objects.filter(pk=world.extension.pk).update(
        status="endorsed", endorsed_at=NOON
    )

    def queues(user):
        return {row.queue for row in waiting_for(user, today=TODAY)}

    assert queues(city.leader) == {Queue.APPROVALS, Queue.EXTENSIONS}
    assert queues(city.other_leader) == set()


def test_a_decided_escalation_waits_no_more(client, city):
    world = every_queue(city)
    client.force_login(city.office_head)
    address = reverse("supervision:review_act", args=["escalations", world.late.uid, "issue"])

    client.post(address, {"level": 3, "opinion": "同意发红单"})
    again = client.post(address, {"level": 3, "opinion": "再发一次"})

    decided = Event.objects.get(kind=EventKind.ESCALATION_DECIDED)
    assert decided.data == {"level": 3, "is_issued": True}
    assert decided.reason == "同意发红单"
    assert "再发一次" in again.content.decode() or "已" in messages_of(again)
    assert not count_by_queue(waiting_for(city.office_head, today=TODAY))[Queue.ESCALATIONS]


@pytest.mark.parametrize("queue", list(QUEUES))
def test_each_queue_opens_its_oldest_matter(client, city, queue):
    every_queue(city)
    client.force_login(city.office_head)

    answer = client.get(reverse("supervision:reviews") + f"?kind={queue}")

    assert answer.status_code == 200
    assert answer.context["opened"].queue == queue
    assert "%(" not in answer.content.decode()


DECISIONS = [
    # queue, name in the world, act, person, data, state afterwards
    ("approvals", "item", "approve", "office_head", {}, "initiated"),
    ("approvals", "item", "send-back", "leader", {"reason": "不具体"}, "draft"),
    ("reports", "report", "approve", "officer", {"verified_percent": "40"}, "approved"),
    (
        "reports",
        "report",
        "send-back",
        "officer",
        {"reason": "数据不实", "reason_class": "figures"},
        "returned",
    ),
    ("closings", "closing", "approve", "officer", {}, "approved"),
    (
        "closings",
        "closing",
        "send-back",
        "officer",
        {"reason": "缺验收单", "reason_class": "evidence"},
        "returned",
    ),
    ("checks", "check", "complete", "office_head", {}, "completed"),
    ("checks", "check", "fail", "office_head", {"reason": "现场未建成"}, "returned"),
    ("milestones", "milestone", "approve", "officer", {}, "completed"),
    ("milestones", "milestone", "send-back", "officer", {"reason": "缺照片"}, "returned"),
    ("extensions", "extension", "endorse", "officer", {"opinion": "拟同意"}, "endorsed"),
    ("extensions", "extension", "refuse", "officer", {"reason": "理由不足"}, "refused"),
    ("objections", "objection", "reject", "office_head", {"opinion": "职责明确"}, "rejected"),
    ("close-outs", "done", "complete", "office_head", {}, "completed"),
]


@pytest.mark.parametrize("queue, name, act, person, data, after", DECISIONS)
def test_each_decision_is_made_in_place(client, city, queue, name, act, person, data, after):
    row = getattr(every_queue(city), name)
    client.force_login(getattr(city, person))

    answer = decide(client, queue, row, act, **data)

    row = type(row).objects.get(pk=row.pk)
    assert row.status == after
    assert answer.status_code == 302
    assert answer.url == reverse("supervision:reviews") + f"?kind={queue}"


@pytest.mark.parametrize("queue, name, act, person, data, after", DECISIONS)
@pytest.mark.parametrize("stranger", ["body_head", "other_leader", "auditor", "stranger"])
def test_each_decision_is_refused_to_others(
    client, city, queue, name, act, person, data, after, stranger
):
    row = getattr(every_queue(city), name)
    client.force_login(getattr(city, stranger))

    answer = decide(client, queue, row, act, **data)

    assert answer.status_code in (403, 404)
    assert type(row).objects.get(pk=row.pk).status == row.status


@pytest.mark.parametrize(
    "queue, name, act", [(q, n, a) for q, n, a, _p, data, _s in DECISIONS if "reason" in data]
)
def test_sending_back_needs_a_reason(client, city, queue, name, act):
    row = getattr(every_queue(city), name)
    both = UserFactory(roles=[Role.OFFICER, Role.OFFICE_HEAD], organization=city.office)
    client.force_login(both)

    answer = decide(client, queue, row, act, reason="  ")

    assert answer.status_code == 200
    assert type(row).objects.get(pk=row.pk).status == row.status
    assert "必填" in answer.content.decode()


def test_a_plan_is_agreed_and_its_dates_are_written_once(client, city):
    world = every_queue(city)
    client.force_login(city.officer)

    client.post(reverse("supervision:review_act", args=["plans", world.plan.uid, "agree"]))

    step = world.plan.milestones.get()
    assert step.status == "planned"
    assert step.original_date == step.planned_date


def test_an_objection_is_upheld_with_another_body(client, city):
    world = every_queue(city)
    client.force_login(city.office_head)

    decide(
        client,
        "objections",
        world.objection,
        "uphold",
        organization=city.other_county.pk,
        opinion="属冀州区职责",
    )

    assert Assignment.objects.filter(
        item=world.objection.assignment.item, organization=city.other_county
    ).exists()


def test_an_extension_is_granted_by_the_leader_to_another_date(client, city):
    world = every_queue(city)
    client.force_login(city.officer)
    decide(client, "extensions", world.extension, "endorse", opinion="拟同意")
    world.extension = type(world.extension).objects.get(pk=world.extension.pk)
    client.force_login(city.leader)
    granted = world.extension.due_date_then + timedelta(days=20)

    decide(client, "extensions", world.extension, "grant", granted_date=granted.isoformat())

    share = Assignment.objects.get(pk=world.extension.assignment_id)
    assert share.due_date == granted
    assert share.original_due_date == world.extension.due_date_then


def test_a_grant_in_the_past_is_refused_with_the_text_kept(client, city):
    world = every_queue(city)
    type(world.extension).objects.filter(pk=world.extension.pk).update(status="endorsed")
    client.force_login(city.leader)

    answer = decide(
        client,
        "extensions",
        world.extension,
        "grant",
        granted_date="2020-01-01",
        opinion="保留这段话",
    )

    page = answer.content.decode()
    assert "保留这段话" in page
    assert type(world.extension).objects.get(pk=world.extension.pk).status == "endorsed"


def test_the_next_matter_opens_after_a_decision(client, city):
    world = dispatched_item(city)
    first = filed_report(world.lead, submitted_at=NOON - timedelta(days=5))
    second = filed_report(world.support, submitted_at=NOON - timedelta(days=4))
    third = filed_report(world.county, submitted_at=NOON - timedelta(days=3))
    client.force_login(city.officer)
    page = client.get(reverse("supervision:reviews") + f"?kind=reports&open={second.uid}")
    assert page.context["opened"].uid == second.uid

    answer = decide(client, "reports", second, "approve", following=page.context["following"].uid)

    opened = client.get(answer.url).context["opened"]
    assert opened.uid == third.uid
    assert first.uid in {row.uid for row in client.get(answer.url).context["rows"]}


def test_a_following_address_cannot_lead_elsewhere(client, city):
    report = filed_report(dispatched_item(city).lead)
    client.force_login(city.officer)

    answer = decide(client, "reports", report, "approve", following="https://example.org/")

    assert answer.url == reverse("supervision:reviews") + "?kind=reports"


def test_a_return_stands_beside_the_last_accepted_one(client, city):
    world = dispatched_item(city)
    earlier = PeriodFactory(
        assignment=world.lead,
        label="2026-04",
        start_date=TODAY.replace(month=4, day=1),
        end_date=TODAY.replace(month=4, day=30),
    )
    ReportFactory(period=earlier, status="approved", progress_text="四月的进展")
    filed_report(world.lead, progress_text="<i>五月的进展</i>")
    client.force_login(city.officer)

    page = client.get(reverse("supervision:reviews") + "?kind=reports").content.decode()

    assert "四月的进展" in page
    assert "<i>" not in page
    assert "&lt;i&gt;" in page


def test_somebody_faster_is_a_message_with_the_text_kept(client, city):
    report = filed_report(dispatched_item(city).lead)
    client.force_login(city.officer)
    send_back_report(report=report, by=city.officer, at=NOON, reason="先退回")

    answer = decide(client, "reports", report, "approve", opinion="我的意见")

    assert answer.status_code == 200
    assert messages_of(answer)
    assert ProgressReport.objects.get(pk=report.pk).status == "returned"


def test_queries_do_not_grow_with_the_queue(client, city):
    client.force_login(city.officer)
    world = dispatched_item(city)
    filed_report(world.lead)
    address = reverse("supervision:reviews") + "?kind=reports"
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for _number in range(9):
        filed_report(dispatched_item(city).lead)
    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(few) == len(many)


def test_the_office_s_own_overdue_work_stands_on_its_home(client, city):
    every_queue(city)
    client.force_login(city.officer)

    answer = client.get(reverse("supervision:home"))
    page = answer.content.decode()

    assert {row.queue for row in answer.context["own_late"]} >= {"reports"}
    assert "超时情况" in page
    assert "限3个" in page


def test_a_leader_s_home_lists_own_items_only_worst_first(client, city):
    late = dispatched_item(city, due_date=TODAY - timedelta(days=20)).item
    calm = dispatched_item(city, due_date=TODAY + timedelta(days=300)).item
    client.force_login(city.leader)
    mine = client.get(reverse("supervision:home")).context["items"]
    client.force_login(city.other_leader)
    others = client.get(reverse("supervision:home"))

    assert [item.pk for item in mine] == [late.pk, calm.pk]
    assert others.context["items"] == []
    assert "暂无您分管的事项" in others.content.decode()


def test_every_matter_has_a_page_of_its_own(client, city):
    world = every_queue(city)
    both = UserFactory(roles=[Role.OFFICER, Role.OFFICE_HEAD], organization=city.office)
    client.force_login(both)
    for row in waiting_for(both, today=TODAY):
        answer = client.get(reverse("supervision:review", args=[row.queue, row.uid]))

        assert answer.status_code == 200, row.queue
        assert answer.context["opened"].uid == row.uid
        assert "%(" not in answer.content.decode()
    send_back_report(report=world.report, by=city.officer, at=NOON, reason="重报")

    gone = client.get(reverse("supervision:review", args=["reports", world.report.uid]))

    assert gone.status_code == 302
    assert gone.url == reverse("supervision:reviews") + "?kind=reports"
    unknown = reverse("supervision:review", args=["x", world.report.uid])
    assert client.get(unknown).status_code == 404


def test_the_pages_of_single_matters_are_the_office_s(client, city):
    world = every_queue(city)
    address = reverse("supervision:review", args=["reports", world.report.uid])
    expected = {"officer": 200, "office_head": 200, "body_head": 403, "auditor": 403}
    found = {}
    for who in expected:
        client.force_login(getattr(city, who))
        found[who] = client.get(address).status_code

    assert found == expected
    client.force_login(city.other_leader)
    assert client.get(address).status_code == 404


def test_changes_are_marked_in_words_too(client, city):
    world = dispatched_item(city)
    target = TargetFactory(document=world.item.document, clause=world.item.clause, value=50)
    earlier = PeriodFactory(
        assignment=world.lead,
        label="2026-04",
        start_date=TODAY.replace(month=4, day=1),
        end_date=TODAY.replace(month=4, day=30),
    )
    last = ReportFactory(
        period=earlier, status="approved", progress_text="累计建成12家。", verified_percent=30
    )
    report = filed_report(world.lead, progress_text="累计建成10家。<b>", self_percent=20)
    last.figures.create(target=target, value=12)
    report.figures.create(target=target, value=10)
    client.force_login(city.officer)

    answer = client.get(reverse("supervision:review", args=["reports", report.uid]))

    page = answer.content.decode()
    assert '<del><span class="visually-hidden">〔删去〕</span>12<' in page
    assert '<ins><span class="visually-hidden">〔新增〕</span>10<' in page
    assert "&lt;b&gt;" in page
    figure = answer.context["detail"]["figures"][0]
    assert (figure.change_text, figure.is_fallen, str(figure.rate)) == ("-2", True, "20.0")
    assert answer.context["detail"]["last_percent"] == 30


def test_sending_back_names_its_class(client, city):
    report = filed_report(dispatched_item(city).lead)
    client.force_login(city.officer)
    without = decide(client, "reports", report, "send-back", reason="空泛")
    assert without.status_code == 200
    assert "空泛" in without.content.decode()

    decide(client, "reports", report, "send-back", reason="空泛", reason_class="vague")

    event = Event.objects.get(kind=EventKind.REPORT_SENT_BACK)
    assert (event.data["reason_class"], event.reason) == ("vague", "空泛")
    assert ProgressReport.objects.get(pk=report.pk).send_back_reason == "vague"
    assert "内容空泛或照抄上期" in sentence(event)


@pytest.mark.parametrize(
    "queue, fill",
    [
        ("reports", lambda share: filed_report(share, submitted_at=NOON)),
        (
            "milestones",
            lambda share: MilestoneFactory(
                assignment=share, status="under_review", submitted_at=NOON
            ),
        ),
        ("plans", lambda share: MilestoneFactory(assignment=share, status="draft").assignment),
        (
            "closings",
            lambda share: AssignmentFactory(
                item=share.item, status="under_review", closing_text="已完成", role="support"
            ),
        ),
    ],
)
def test_acceptance_of_many_leaves_the_history_of_single_acts(client, city, queue, fill):
    one, two, three = (fill(dispatched_item(city).lead) for _number in range(3))
    client.force_login(city.officer)
    act = "agree" if queue == "plans" else "approve"
    decide(client, queue, one, act)
    single = list(Event.objects.values_list("kind", flat=True))

    client.post(
        reverse("supervision:reviews_bulk", args=[queue]), {"chosen": [two.uid, three.uid, "x"]}
    )

    kinds = list(Event.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == single * 3
    states = {type(row).objects.get(pk=row.pk).status for row in (one, two, three)}
    assert len(states) == 1


def test_acceptance_of_many_names_every_refusal(client, city):
    done, waiting = (filed_report(dispatched_item(city).lead) for _number in range(2))
    send_back_report(report=done, by=city.officer, at=NOON, reason="重报")
    address = reverse("supervision:reviews_bulk", args=["reports"])
    client.force_login(city.office_head)
    client.post(address, {"chosen": [waiting.uid]})
    assert ProgressReport.objects.get(pk=waiting.pk).status == "submitted"
    client.force_login(city.officer)

    answer = client.post(address, {"chosen": [done.uid, waiting.uid]}, follow=True)

    texts = " ".join(str(message) for message in answer.context["messages"])
    assert "未办理" in texts
    assert ProgressReport.objects.get(pk=waiting.pk).status == "approved"
    assert client.post(address, {}).status_code == 302
    bad = reverse("supervision:reviews_bulk", args=["objections"])
    assert client.post(bad, {"chosen": []}).status_code == 404
