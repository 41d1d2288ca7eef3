"""What one act does and who may: each service by every role, twice, and with a stale form."""

from datetime import date, datetime, time, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, transaction
from django_fsm import TransitionNotAllowed

from supervision.models import (
    Assignment,
    DateChange,
    Event,
    EventKind,
    PolicyDocument,
    ProgressReport,
    ReportPeriod,
    SupervisionItem,
)
from supervision.services import assignments as acts
from supervision.services import items, milestones, reports, requests
from supervision.services.acts import ActRefused, StaleRow
from supervision.services.milestones import Step
from supervision.services.settings import working_calendar
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ExtensionFactory,
    ItemFactory,
    MilestoneFactory,
    ObjectionFactory,
    PartyFactory,
    PeriodFactory,
    ReportFactory,
)

pytestmark = pytest.mark.django_db
LATER = TODAY + timedelta(days=120)
EVERYBODY = (
    "officer",
    "office_head",
    "leader",
    "other_leader",
    "principal",
    "liaison",
    "body_head",
    "other_liaison",
    "other_head",
    "county_liaison",
    "county_head",
    "publisher",
    "reviewer",
    "auditor",
    "administrator",
    "stranger",
)


def item_in(city, status):
    facts = {} if status in ("draft", "under_approval") else {"dispatched": True}
    if status in ("completed", "archived"):
        facts |= {"outcome": "on_time", "completed_date": TODAY}
    if status == "cancelled":
        facts |= {"outcome": "cancelled"}
    item = ItemFactory(status=status, leader=city.leader, **facts)
    PartyFactory(item=item, organization=city.bureau)
    return item


def share(city, status="in_progress", **facts):
    return AssignmentFactory(
        status=status, organization=city.bureau, item__leader=city.leader, **facts
    )


def act_on_item(name, **kwargs):
    return lambda item, by: getattr(items, name)(item=item, by=by, at=NOON, **kwargs)


ITEM_ACTS = {
    "submit": ("draft", act_on_item("submit_item"), {"officer"}),
    "send_back": (
        "under_approval",
        act_on_item("send_back_item", opinion="不清楚"),
        {"office_head", "leader"},
    ),
    "approve": ("under_approval", act_on_item("approve_item"), {"office_head", "leader"}),
    "dispatch": ("initiated", act_on_item("dispatch_item"), {"officer"}),
    "suspend": (
        "in_progress",
        act_on_item("suspend_item", basis="规划调整", expected_end_date=LATER),
        {"leader", "principal"},
    ),
    "resume": ("suspended", act_on_item("resume_item"), {"leader", "principal"}),
    "cancel": ("in_progress", act_on_item("cancel_item", basis="撤销"), {"leader", "principal"}),
    "archive": ("completed", act_on_item("archive_item"), {"officer"}),
    "reopen": (
        "archived",
        act_on_item("reopen_item", instruction="回头看不合格", due_date=LATER),
        {"leader", "principal"},
    ),
}


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("name", ITEM_ACTS)
def test_who_may_act_on_an_item(city, name, who):
    status, act, allowed = ITEM_ACTS[name]
    item = item_in(city, status)

    if who in allowed:
        act(item, getattr(city, who))
        assert SupervisionItem.objects.get(pk=item.pk).status != status
    else:
        with pytest.raises(PermissionDenied):
            act(item, getattr(city, who))
        assert SupervisionItem.objects.get(pk=item.pk).status == status
        assert not Event.objects.exists()


def on_share(name, **kwargs):
    return lambda row, by: getattr(acts, name)(assignment=row, by=by, at=NOON, **kwargs)


SHARE_ACTS = {
    "accept": ("pending", on_share("accept_assignment"), {"liaison", "body_head"}),
    "object": ("pending", on_share("object_to_assignment", reason="不属职责"), {"body_head"}),
    "submit": (
        "in_progress",
        on_share("submit_assignment", closing_text="已完成"),
        {"body_head"},
    ),
    "send_back": ("under_review", on_share("send_back_assignment", reason="缺材料"), {"officer"}),
    "approve": ("under_review", on_share("approve_assignment"), {"officer"}),
    "fail_check": ("approved", on_share("fail_check", reason="不实"), {"office_head"}),
    "complete": ("approved", on_share("complete_assignment"), {"office_head"}),
    "suspend": (
        "in_progress",
        on_share("suspend_assignment", basis="调整", expected_end_date=LATER),
        {"leader", "principal"},
    ),
    "cancel": (
        "in_progress",
        on_share("cancel_assignment", basis="撤销"),
        {"leader", "principal", "office_head"},
    ),
    "reopen": (
        "completed",
        on_share("reopen_assignment", instruction="重办", due_date=LATER),
        {"leader", "principal"},
    ),
}


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("name", SHARE_ACTS)
def test_who_may_act_on_a_share(city, name, who):
    status, act, allowed = SHARE_ACTS[name]
    row = share(city, status, objection_due_date=TODAY)

    if who in allowed:
        act(row, getattr(city, who))
        assert Assignment.objects.get(pk=row.pk).status != status
        assert Event.objects.filter(assignment=row, by=getattr(city, who)).exists()
    else:
        with pytest.raises(PermissionDenied):
            act(row, getattr(city, who))
        assert Assignment.objects.get(pk=row.pk).status == status
        assert not Event.objects.exists()


@pytest.mark.parametrize("name", SHARE_ACTS)
def test_an_act_in_a_wrong_state_is_no_offence_but_impossible(city, name):
    _status, act, allowed = SHARE_ACTS[name]
    row = share(city, "cancelled")

    with pytest.raises(TransitionNotAllowed):
        act(row, getattr(city, min(allowed)))


@pytest.mark.parametrize("name", SHARE_ACTS)
def test_a_stale_form_overwrites_nothing(city, name):
    status, _act, allowed = SHARE_ACTS[name]
    row = share(city, status, objection_due_date=TODAY)
    by = getattr(city, min(allowed))
    stale = {"version": row.version + 1}

    with pytest.raises(StaleRow):
        _stale_call(name, row, by, stale)
    assert Assignment.objects.get(pk=row.pk).status == status


def _stale_call(name, row, by, stale):
    arguments = {
        "accept": (acts.accept_assignment, {}),
        "object": (acts.object_to_assignment, {"reason": "x"}),
        "submit": (acts.submit_assignment, {"closing_text": "x"}),
        "send_back": (acts.send_back_assignment, {"reason": "x"}),
        "approve": (acts.approve_assignment, {}),
        "fail_check": (acts.fail_check, {"reason": "x"}),
        "complete": (acts.complete_assignment, {}),
        "suspend": (acts.suspend_assignment, {"basis": "x", "expected_end_date": LATER}),
        "cancel": (acts.cancel_assignment, {"basis": "x"}),
        "reopen": (acts.reopen_assignment, {"instruction": "x", "due_date": LATER}),
    }
    service, kwargs = arguments[name]
    service(assignment=row, by=by, at=NOON, **kwargs, **stale)


def test_the_drafter_never_approves(city):
    item = item_in(city, "draft")
    items.submit_item(item=item, by=city.officer, at=NOON)
    city.officer.groups.add(*city.office_head.groups.all())
    both = type(city.officer).objects.get(pk=city.officer.pk)

    with pytest.raises(PermissionDenied):
        items.approve_item(item=item, by=both, at=NOON)


def test_an_unresolved_name_blocks_submission(city):
    item = ItemFactory()
    PartyFactory(item=item, organization=city.bureau)
    PartyFactory(item=item, organization=None, named_as="有关部门", role="support", position=2)

    with pytest.raises(ActRefused, match="有关部门"):
        items.submit_item(item=item, by=city.officer, at=NOON)


def test_dispatch_gives_every_body_its_own_clock_and_periods(city):
    item = item_in(city, "initiated")
    PartyFactory(item=item, organization=city.county, role="county", position=2)

    items.dispatch_item(item=item, by=city.officer, at=NOON)

    rows = list(Assignment.objects.order_by("position"))
    assert [row.organization for row in rows] == [city.bureau, city.county]
    assert all(row.original_due_date == row.due_date == item.due_date for row in rows)
    # Wednesday plus two working days.
    assert rows[0].accept_due_date == date(2026, 6, 12)
    labels = list(rows[0].periods.order_by("start_date").values_list("label", flat=True))
    assert labels == [f"2026-{month:02}" for month in range(6, 13)]


def test_numbers_of_items_have_no_gap(city):
    for _ in range(3):
        item = item_in(city, "under_approval")
        items.approve_item(item=item, by=city.office_head, at=NOON)
    numbers = SupervisionItem.objects.order_by("pk").values_list("number", flat=True)

    assert list(numbers) == ["督字〔2026〕1", "督字〔2026〕2", "督字〔2026〕3"]


def test_an_objection_after_its_limit_is_refused(city):
    row = share(city, "pending", objection_due_date=TODAY - timedelta(days=1))

    with pytest.raises(ActRefused):
        acts.object_to_assignment(assignment=row, by=city.body_head, at=NOON, reason="不属职责")


def test_an_upheld_objection_moves_the_work_and_keeps_the_old_row(city):
    row = share(city, "disputed")
    objection = ObjectionFactory(assignment=row)

    new = acts.uphold_objection(
        objection=objection,
        by=city.office_head,
        at=NOON,
        opinion="改由科技局承办",
        organization=city.other_bureau,
    )

    old = Assignment.objects.get(pk=row.pk)
    assert (old.status, old.outcome, old.transferred_to) == ("cancelled", "cancelled", new)
    assert (new.organization, new.role, new.status) == (city.other_bureau, "lead", "pending")
    # A transferred share leaves the old body at once.
    assert not Assignment.objects.visible_to(city.liaison).filter(pk=row.pk).exists()
    assert not PolicyDocument.objects.visible_to(city.liaison).exists()
    assert PolicyDocument.objects.visible_to(city.other_liaison).exists()


def test_the_original_date_cannot_be_overwritten_even_by_a_direct_update(city):
    row = share(city)
    with pytest.raises(DatabaseError), transaction.atomic():
        Assignment.objects.filter(pk=row.pk).update(original_due_date=LATER)


def test_an_event_cannot_be_edited(city):
    acts.accept_assignment(assignment=share(city, "pending"), by=city.liaison, at=NOON)
    with pytest.raises(DatabaseError), transaction.atomic():
        Event.objects.update(reason="改写")


def test_one_lead_per_item_in_the_database(city):
    row = share(city)
    with pytest.raises(IntegrityError), transaction.atomic():
        AssignmentFactory(item=row.item, organization=city.other_bureau, role="lead")


def test_a_granted_extension_moves_the_current_date_only(city):
    row = share(city)
    original = row.original_due_date
    extension = requests.ask_extension(
        assignment=row,
        by=city.body_head,
        at=NOON,
        asked_date=original + timedelta(days=60),
        cause="funds",
        reason="资金未到位",
        progress_text="八成",
    )
    assert not extension.is_late
    requests.endorse_extension(extension=extension, by=city.officer, at=NOON, opinion="属实")
    requests.grant_extension(
        extension=extension, by=city.leader, at=NOON, granted_date=original + timedelta(days=31)
    )

    row = Assignment.objects.get(pk=row.pk)
    assert row.due_date == original + timedelta(days=31)
    assert row.original_due_date == original
    assert row.episode == 2
    change = DateChange.objects.get()
    assert (change.old_date, change.new_date, change.cause) == (original, row.due_date, "extension")
    assert SupervisionItem.objects.get(pk=row.item_id).due_date == row.due_date


def test_an_extension_asked_after_the_due_date_is_late_for_ever(city):
    row = share(city, due_date=TODAY - timedelta(days=2))
    extension = requests.ask_extension(
        assignment=row,
        by=city.body_head,
        at=NOON,
        asked_date=LATER,
        cause="funds",
        reason="资金",
        progress_text="八成",
    )

    assert extension.is_late


def test_the_second_extension_is_the_leaders(city):
    row = share(city)
    ExtensionFactory(assignment=row, status="granted", asked_by=city.body_head)
    extension = ExtensionFactory(assignment=row, status="endorsed", asked_by=city.body_head)

    with pytest.raises(ActRefused):
        requests.grant_extension(
            extension=extension, by=city.office_head, at=NOON, granted_date=extension.asked_date
        )
    requests.grant_extension(
        extension=extension, by=city.leader, at=NOON, granted_date=extension.asked_date
    )


@pytest.mark.parametrize(
    ("submitted", "days_late", "outcome"),
    [(TODAY, 0, "on_time"), (TODAY - timedelta(days=1), 0, "on_time"), (LATER, 120, "late")],
)
def test_the_verdict_counts_the_day_the_body_handed_in(city, submitted, days_late, outcome):
    row = share(city, "approved", due_date=TODAY, submitted_date=submitted)

    row = acts.complete_assignment(assignment=row, by=city.office_head, at=NOON)

    assert (row.outcome, row.days_late, row.days_late_original) == (outcome, days_late, days_late)


def test_an_item_closes_late_when_its_lead_was_late(city):
    row = share(city, "approved", due_date=TODAY - timedelta(days=3), submitted_date=TODAY)
    acts.complete_assignment(assignment=row, by=city.office_head, at=NOON)

    item = items.complete_item(item=row.item, by=city.office_head, at=NOON)

    assert (item.status, item.outcome) == ("completed", "late")


def test_an_item_with_open_bodies_does_not_close_and_names_them(city):
    row = share(city, "completed")
    AssignmentFactory(item=row.item, organization=city.county, role="county")

    with pytest.raises(ActRefused, match="桃城区"):
        items.complete_item(item=row.item, by=city.office_head, at=NOON)


def test_sending_back_credits_the_reviewers_delay_and_gives_time_to_rework(city):
    handed_in = date(2026, 5, 20)
    row = share(city, "under_review", due_date=date(2026, 5, 22), submitted_date=handed_in)
    # 20 May to 10 June are 15 working days; the office has 5: 10 are credited.
    row = acts.send_back_assignment(assignment=row, by=city.officer, at=NOON, reason="缺材料")

    assert row.reviewer_credit_days == 10
    assert row.due_date == date(2026, 6, 17)  # five working days to rework, later than the credit
    assert row.original_due_date == date(2026, 5, 22)


def test_the_office_s_delay_is_counted_desk_by_desk_and_without_days_on_hold(city):
    """Seven working days to review (limit 5), thirteen to check (limit 10), three of them held."""
    row = share(city, "under_review", due_date=date(2026, 5, 15), submitted_date=date(2026, 5, 12))
    at = datetime.combine(date(2026, 5, 21), time(12), tzinfo=NOON.tzinfo)
    row = acts.approve_assignment(assignment=row, by=city.officer, at=at)
    row.holds.create(
        start_date=date(2026, 6, 1),
        end_date=date(2026, 6, 4),
        expected_end_date=date(2026, 6, 8),
        basis="依据",
        decided_by=city.leader,
    )
    row = acts.fail_check(assignment=row, by=city.office_head, at=NOON, reason="现场未见")

    over = working_calendar().between(date(2026, 5, 21), TODAY) - 10 - 3
    assert row.reviewer_credit_days == 2 + max(over, 0)


def test_the_item_s_date_follows_its_lead_s_time_to_rework(city):
    for role in ("lead", "support"):
        row = share(
            city,
            "under_review",
            role=role,
            due_date=date(2026, 6, 12),
            submitted_date=date(2026, 5, 29),
        )
        type(row.item).objects.filter(pk=row.item_id).update(due_date=row.due_date)
        row = acts.send_back_assignment(assignment=row, by=city.officer, at=NOON, reason="缺材料")
        row.item.refresh_from_db()
        assert row.due_date > date(2026, 6, 12)
        assert (row.item.due_date == row.due_date) is (role == "lead")


def test_a_late_closing_sent_back_repairs_nothing(city):
    row = share(city, "under_review", due_date=TODAY - timedelta(days=9), submitted_date=TODAY)
    before = row.due_date

    row = acts.send_back_assignment(assignment=row, by=city.officer, at=NOON, reason="缺材料")

    assert row.due_date == before


def test_held_working_days_are_added_on_resume(city):
    row = share(city, due_date=date(2026, 7, 31))
    acts.suspend_assignment(
        assignment=row, by=city.leader, at=NOON, basis="规划调整", expected_end_date=LATER
    )
    row = acts.resume_assignment(assignment=row, by=city.leader, at=NOON + timedelta(days=7))

    assert row.status == "in_progress"
    assert row.due_date == date(2026, 8, 7)
    assert row.holds.get().held_working_days == 5


def test_cancelling_an_item_ends_all_that_is_open_under_it(city):
    row = share(city)
    ExtensionFactory(assignment=row, asked_by=city.body_head)

    items.cancel_item(item=row.item, by=city.leader, at=NOON, basis="并入全省活动")

    row = Assignment.objects.get(pk=row.pk)
    assert row.status == "cancelled"
    assert row.extensions.get().status == "withdrawn"


def test_reopening_keeps_the_old_verdict_on_record(city):
    row = share(city, "completed")

    row = acts.reopen_assignment(
        assignment=row, by=city.leader, at=NOON, instruction="回头看", due_date=LATER
    )

    event = Event.objects.get(kind=EventKind.REOPENED)
    assert event.data["verdict_before"] == {"outcome": "on_time", "days_late": 0}
    assert (row.status, row.outcome, row.episode) == ("in_progress", "", 2)


# Plans and milestones


def test_a_step_after_the_due_date_is_named(city):
    row = share(city)
    with pytest.raises(ActRefused, match="总结"):
        milestones.file_plan(
            assignment=row,
            by=city.liaison,
            at=NOON,
            steps=[Step("总结", row.due_date + timedelta(days=1))],
        )


def test_the_original_date_of_a_milestone_is_written_when_it_is_agreed(city):
    row = share(city)
    [step] = milestones.file_plan(
        assignment=row, by=city.liaison, at=NOON, steps=[Step("摸底", TODAY + timedelta(days=9))]
    )
    assert step.original_date is None
    milestones.agree_plan(assignment=row, by=city.officer, at=NOON)
    step.refresh_from_db()
    assert step.original_date == step.planned_date

    milestones.move_milestone(
        milestone=step,
        by=city.officer,
        at=NOON,
        new_date=TODAY + timedelta(days=20),
        reason="场地未定",
    )

    step.refresh_from_db()
    assert step.planned_date == TODAY + timedelta(days=20)
    assert step.original_date == TODAY + timedelta(days=9)
    assert DateChange.objects.get().milestone == step


@pytest.mark.parametrize("who", EVERYBODY)
def test_who_reports_a_milestone_done(city, who):
    step = MilestoneFactory(assignment=share(city))
    call = {
        "milestone": step,
        "by": getattr(city, who),
        "at": NOON,
        "actual_date": TODAY,
        "evidence_text": "已印发",
    }
    if who in {"liaison", "body_head"}:
        assert milestones.submit_milestone(**call).status == "under_review"
    else:
        with pytest.raises(PermissionDenied):
            milestones.submit_milestone(**call)


# Returns


def open_report(city, **facts):
    return ReportFactory(period__assignment=share(city), **facts)


@pytest.mark.parametrize("who", EVERYBODY)
def test_only_the_head_releases_a_return(city, who):
    report = open_report(city, status="under_sign_off")
    if who == "body_head":
        report = reports.submit_report(report=report, by=city.body_head, at=NOON)
        assert report.status == "submitted"
        assert report.versions.get().content["progress_text"] == report.progress_text
    else:
        with pytest.raises(PermissionDenied):
            reports.submit_report(report=report, by=getattr(city, who), at=NOON)


@pytest.mark.parametrize("who", EVERYBODY)
def test_only_an_officer_accepts_a_return(city, who):
    report = open_report(city, status="submitted")
    if who == "officer":
        report = reports.approve_report(report=report, by=city.officer, at=NOON, verified_percent=8)
        assert (report.status, report.verified_percent) == ("approved", 8)
    else:
        with pytest.raises(PermissionDenied):
            reports.approve_report(report=report, by=getattr(city, who), at=NOON)


def test_a_return_sent_back_keeps_what_was_handed_in(city):
    report = open_report(city)
    report = reports.submit_report(report=report, by=city.body_head, at=NOON)
    report = reports.send_back_report(report=report, by=city.officer, at=NOON, reason="请补数据")
    report = reports.save_report(
        report=report, by=city.liaison, at=NOON, progress_text="补充后的进展"
    )
    report = reports.submit_report(report=report, by=city.body_head, at=NOON)

    texts = [version.content["progress_text"] for version in report.versions.all()]
    assert texts == ["本月新增研发机构12家。", "补充后的进展"]


def test_a_return_filed_after_its_day_is_made_up_for_ever(city):
    report = open_report(city)
    reports.submit_report(report=report, by=city.body_head, at=NOON)

    assert Event.objects.filter(kind=EventKind.PERIOD_MADE_UP, period=report.period).exists()


def test_opening_a_return_twice_gives_one_row_begun_from_the_last(city):
    row = share(city)
    first = PeriodFactory(assignment=row)
    second = PeriodFactory(
        assignment=row,
        label="2026-06",
        start_date=date(2026, 6, 1),
        end_date=date(2026, 6, 30),
        due_date=date(2026, 7, 6),
    )
    ReportFactory(period=first, status="approved", self_percent=40, next_text="验收")

    report = reports.open_report(period=second, by=city.liaison, at=NOON)
    again = reports.open_report(period=second, by=city.liaison, at=NOON)

    assert report == again
    assert (report.self_percent, report.next_text) == (40, "验收")
    assert ProgressReport.objects.filter(period=second).count() == 1


def test_a_skipped_period_stays_visible_and_owes_nothing(city):
    period = PeriodFactory(assignment=share(city))
    period = reports.skip_period(period=period, by=city.officer, at=NOON, reason="集中整改期")

    assert ReportPeriod.objects.get().skip_reason == "集中整改期"
    with pytest.raises(ActRefused):
        reports.open_report(period=period, by=city.liaison, at=NOON)
    assert reports.unskip_period(period=period, by=city.officer, at=NOON).status == "open"


# Urging


def test_two_urgings_keep_their_distance(city):
    row = share(city)
    acts.remind_body(assignment=row, by=city.officer, at=NOON, text="请抓紧")

    with pytest.raises(ActRefused, match="2026-06-10"):
        acts.remind_body(assignment=row, by=city.officer, at=NOON + timedelta(days=1), text="再催")
    acts.remind_body(assignment=row, by=city.officer, at=NOON + timedelta(days=5), text="再催")


def test_a_red_sheet_needs_a_proposal_and_is_decided_once(city):
    row = share(city)
    call = {
        "assignment": row,
        "level": 3,
        "by": city.office_head,
        "at": NOON,
        "is_issued": True,
        "opinion": "同意",
    }
    with pytest.raises(ActRefused):
        acts.decide_escalation(**call)
    Event.objects.create(
        kind=EventKind.ESCALATION_PROPOSED,
        assignment=row,
        fact_key=f"proposed:{row.pk}:3:{row.episode}",
        happened_at=NOON,
        recorded_at=NOON,
    )
    acts.decide_escalation(**call)
    with pytest.raises(ActRefused):
        acts.decide_escalation(**call)
    with pytest.raises(PermissionDenied):
        acts.decide_escalation(**call | {"by": city.officer})


def test_bulk_dispatch_leaves_the_history_of_single_acts(city):
    single, first, second = (item_in(city, "initiated") for _ in range(3))
    items.dispatch_item(item=single, by=city.officer, at=NOON)
    items.dispatch_items(items=[first, second], by=city.officer, at=NOON)

    def history(item):
        return list(item.events.order_by("pk").values_list("kind", "from_state", "to_state", "by"))

    assert history(first) == history(second) == history(single)


def test_a_share_of_a_closed_item_opens_only_with_the_item(city):
    row = share(city, "completed", item__status="completed", item__outcome="on_time")

    with pytest.raises(ActRefused):
        acts.reopen_assignment(
            assignment=row, by=city.leader, at=NOON, instruction="重办", due_date=LATER
        )
    items.reopen_item(item=row.item, by=city.leader, at=NOON, instruction="重办", due_date=LATER)

    row = Assignment.objects.get(pk=row.pk)
    assert (row.status, row.item.status) == ("in_progress", "in_progress")
    assert (row.outcome, row.item.outcome, row.episode) == ("", "", 2)
