"""Notices by version, two persons, and what a notice moves (reliability.md, check 5)."""

import io
import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django_fsm import TransitionNotAllowed

from cms.snapshot import CAUSES
from notifications.models import Delivery, InboxEntry
from supervision.models import (
    Assignment,
    CalendarDay,
    CalendarNotice,
    CalendarYear,
    DateChange,
    Event,
    EventKind,
    SupervisionItem,
)
from supervision.rules.calendar_file import NoticeDay, NoticeFileError, notice_of_package
from supervision.rules.recount import given_receipt
from supervision.services import assignments as acts
from supervision.services import items, milestones, notices
from supervision.services.acts import ActRefused, StaleRow
from supervision.services.calendar import (
    calendar_of,
    calendar_with,
    days_of,
    load_calendar,
    working_calendar,
)
from supervision.services.recount import digest_of, plan_recount, recount_dates
from supervision.services.settings import deadline
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ItemFactory,
    MilestoneFactory,
    PartyFactory,
)

pytestmark = pytest.mark.django_db
FRIDAY = date(2026, 6, 12)
LATER = NOON + timedelta(hours=1)
CSV = "date,is_working,name\n2027-01-01,0,元旦\n2027-02-14,1,春节\n".encode()


def days_with(*changes, year=2026):
    """The notice of the year with these days added: (date, is working)."""
    changed = dict(changes)
    kept = [day for day in notice_of_package(year) if day.date not in changed]
    return sorted(kept + [NoticeDay(day, works, "加放") for day, works in changes])


def draft(city, *changes, at=NOON, by=None, year=2026):
    return notices.draft_notice(
        year=year,
        days=days_with(*changes, year=year),
        title="补充通知",
        by=by or city.officer,
        at=at,
    )


def confirm(city, *changes, at=NOON):
    return notices.confirm_notice(notice=draft(city, *changes, at=at), by=city.office_head, at=at)


def dispatched(city, **fields):
    """An item dispatched at NOON to the bureau and the county: sign by Friday, object by Monday."""
    item = ItemFactory(status="initiated", leader=city.leader, number="甲", **fields)
    PartyFactory(item=item, organization=city.bureau)
    PartyFactory(item=item, organization=city.county, role="county", position=2)
    items.dispatch_item(item=item, by=city.officer, at=NOON)
    return item.assignments.get(organization=city.bureau)


# Notices


def test_an_empty_calendar_is_shipped_as_confirmed_notices(settings_loaded):
    shipped = CalendarNotice.objects.filter(status="in_force")

    assert set(shipped.values_list("year", flat=True)) == set(range(2007, 2027))
    assert set(shipped.values_list("number", flat=True)) == {1}
    assert days_of(shipped.get(year=2026)) == notice_of_package(2026)
    assert CalendarDay.objects.get(date=date(2026, 10, 1)).name == "国庆节"
    assert load_calendar(at=NOON) == []
    assert working_calendar().version_of(2026, 2027) == "2026-1/2027-0"


def test_a_year_published_later_is_not_loaded_unseen(settings_loaded):
    CalendarNotice.objects.filter(year=2026).delete()
    CalendarYear.objects.filter(year=2026).delete()

    assert load_calendar(at=NOON) == []
    assert not CalendarYear.objects.filter(year=2026).exists()


def test_years_an_older_release_wrote_become_notices(settings_loaded):
    CalendarNotice.objects.all().delete()
    CalendarYear.objects.exclude(year=2026).delete()
    CalendarDay.objects.filter(date=date(2026, 10, 1)).update(is_working=True)

    assert load_calendar(at=NOON) == []

    notice = CalendarNotice.objects.get()
    assert (notice.label, notice.status) == ("2026-1", "in_force")
    assert NoticeDay(date(2026, 10, 1), True, "国庆节") in days_of(notice)
    assert working_calendar().is_working(date(2026, 10, 1))


def test_a_draft_counts_for_nothing(city):
    before = working_calendar()

    notice = draft(city, (FRIDAY, False))

    assert (notice.status, notice.label) == ("draft", "2026-2")
    assert working_calendar() is before
    assert Event.objects.get(kind=EventKind.CALENDAR_DRAFTED).by == city.officer


def test_a_confirmed_notice_takes_the_place_of_the_former(city):
    confirm(city, (FRIDAY, False))

    states = dict(CalendarNotice.objects.filter(year=2026).values_list("number", "status"))
    assert states == {1: "superseded", 2: "in_force"}
    assert not working_calendar().is_working(FRIDAY)
    assert working_calendar().version_of(2026, 2026) == "2026-2"
    assert CalendarYear.objects.get(year=2026).number == 2


def test_the_calendar_of_a_receipt_can_be_built_again(city):
    before = working_calendar()
    confirm(city, (FRIDAY, False))

    rebuilt = calendar_of(CalendarNotice.objects.filter(year=2026, number=1))

    year = {d: w for d, w in before.overrides.items() if d.year == 2026}
    assert rebuilt.overrides == year


@pytest.mark.parametrize(
    "who", ["liaison", "body_head", "leader", "principal", "publisher", "auditor", "stranger"]
)
def test_who_may_not_load(city, who):
    with pytest.raises(PermissionDenied):
        draft(city, (FRIDAY, False), by=getattr(city, who))
    assert not CalendarNotice.objects.filter(number=2).exists()


@pytest.mark.parametrize("who", ["officer", "liaison", "leader", "principal", "auditor"])
def test_who_may_not_confirm(city, who):
    notice = draft(city, (FRIDAY, False), by=city.administrator)

    with pytest.raises(PermissionDenied):
        notices.confirm_notice(notice=notice, by=getattr(city, who), at=NOON)


@pytest.mark.parametrize("who", ["office_head", "administrator"])
def test_nobody_confirms_what_he_loaded(city, who):
    person = getattr(city, who)
    notice = draft(city, (FRIDAY, False), by=person)

    with pytest.raises(PermissionDenied):
        notices.confirm_notice(notice=notice, by=person, at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        CalendarNotice.objects.filter(pk=notice.pk).update(confirmed_by=person)


def test_a_second_confirmation_is_no_offence(city):
    notice = draft(city, (FRIDAY, False))
    notices.confirm_notice(notice=notice, by=city.office_head, at=NOON)

    with pytest.raises(TransitionNotAllowed):
        notices.confirm_notice(notice=notice, by=city.office_head, at=NOON)


def test_one_draft_a_year(city):
    draft(city, (FRIDAY, False))

    with pytest.raises(ActRefused):
        draft(city, (FRIDAY, True))
    with pytest.raises(IntegrityError), transaction.atomic():
        CalendarNotice.objects.create(year=2026, number=9, title="x", loaded_at=NOON)


def test_what_changes_nothing_is_no_notice(city):
    with pytest.raises(ActRefused):
        draft(city)


@pytest.mark.parametrize("year", [2006, 2031])
def test_the_years_of_the_calendar(city, year):
    with pytest.raises(ActRefused):
        notices.load_notice(year=year, by=city.officer, at=NOON, content=CSV)


def test_a_dropped_draft_leaves_its_number_and_its_reason(city):
    notices.drop_notice(notice=draft(city, (FRIDAY, False)), by=city.officer, at=NOON, reason="错")

    assert CalendarNotice.objects.get(number=2).status == "dropped"
    assert Event.objects.get(kind=EventKind.CALENDAR_DROPPED).reason == "错"
    assert draft(city, (FRIDAY, False)).number == 3


def test_dropping_needs_a_reason(city):
    notice = draft(city, (FRIDAY, False))

    with pytest.raises(ActRefused):
        notices.drop_notice(notice=notice, by=city.officer, at=NOON, reason=" ")


def test_a_stale_form_confirms_nothing(city):
    notice = draft(city, (FRIDAY, False))

    with pytest.raises(StaleRow):
        notices.confirm_notice(notice=notice, by=city.office_head, at=NOON, version=7)


def test_a_bad_file_leaves_nothing(city):
    content = b"date,is_working,name\n2027-01-01,0,x\n2027-02-30,0,x\n"

    with pytest.raises(NoticeFileError):
        notices.load_notice(year=2027, by=city.officer, at=NOON, content=content)
    assert not CalendarNotice.objects.filter(year=2027).exists()


def test_the_database_knows_which_notice_is_confirmed(settings_loaded):
    with pytest.raises(IntegrityError), transaction.atomic():
        CalendarNotice.objects.filter(year=2026).update(confirmed_at=None)


# Check 5: a make-up Saturday; a holiday added later


def test_a_make_up_saturday_is_counted_as_work(settings_loaded):
    assert deadline("accept", date(2026, 10, 8)).date == date(2026, 10, 10)
    assert date(2026, 10, 10).weekday() == 5


def test_a_dispatch_keeps_a_receipt_of_every_date(city):
    share = dispatched(city)

    assert share.receipts["accept"]["date"] == "2026-06-12"
    assert share.receipts["object"]["date"] == share.objection_due_date.isoformat() == "2026-06-15"
    assert share.receipts["object"]["skipped"] == ["2026-06-13", "2026-06-14"]
    assert share.receipts["accept"]["calendar_version"] == "2026-1"
    assert share.due_receipt == {"rule": "item", "date": "2026-12-31"}
    assert all(
        period.receipt["date"] == period.due_date.isoformat() for period in share.periods.all()
    )


def test_a_holiday_added_later_moves_future_dates_after_a_preview(city):
    share = dispatched(city)
    late = AssignmentFactory(organization=city.other_bureau, due_date=TODAY - timedelta(days=5))
    notice = draft(city, (FRIDAY, False), (date(2026, 6, 14), True))

    plan = plan_recount(calendar=calendar_with(notice), today=TODAY)

    shown = {(move.key.name, move.key.assignment.organization) for move in plan.moves}
    assert shown == {("accept", city.bureau), ("accept", city.county)}
    assert {(move.old_date, move.new_date) for move in plan.moves} == {(FRIDAY, date(2026, 6, 14))}
    share.refresh_from_db()
    assert share.accept_due_date == FRIDAY

    done = notices.confirm_notice(
        notice=notice, by=city.office_head, at=LATER, expected=digest_of(plan)
    )

    assert (done.moved, done.bodies, done.refused) == (2, 2, 0)
    share.refresh_from_db()
    assert share.accept_due_date == date(2026, 6, 14)
    assert share.receipts["accept"]["calendar_version"] == "2026-2"
    # Monday stands: one day of rest more, one make-up day more. Its receipt is up to date.
    assert share.objection_due_date == date(2026, 6, 15)
    assert share.receipts["object"]["calendar_version"] == "2026-2"
    assert share.receipts["object"]["skipped"] == ["2026-06-12", "2026-06-13"]
    event = share.events.get(kind=EventKind.DATE_RECOUNTED)
    assert event.data == {
        "date_name": "accept",
        "old_date": "2026-06-12",
        "new_date": "2026-06-14",
        "calendar_version": "2026-2",
    }
    assert event.by == city.office_head
    late.refresh_from_db()
    assert late.due_date == TODAY - timedelta(days=5)
    # What a person named stands as well.
    assert share.due_date == share.original_due_date == date(2026, 12, 31)


def test_a_second_recount_moves_nothing(city):
    dispatched(city)
    confirm(city, (FRIDAY, False), at=LATER)
    events = Event.objects.count()

    done = recount_dates(by=None, at=LATER)

    assert (done.moved, done.refreshed, done.bodies) == (0, 0, 0)
    assert Event.objects.count() == events


def test_back_and_forth_ends_where_it_began(city):
    share = dispatched(city)
    confirm(city, (FRIDAY, False))
    restored = notices.draft_notice(
        year=2026, days=notice_of_package(2026), title="更正", by=city.officer, at=NOON
    )
    notices.confirm_notice(notice=restored, by=city.office_head, at=NOON)

    share.refresh_from_db()
    assert share.accept_due_date == FRIDAY
    assert share.receipts["accept"]["calendar_version"] == "2026-3"
    assert share.events.filter(kind=EventKind.DATE_RECOUNTED).count() == 4  # two dates, twice


def test_a_body_hears_once(city):
    dispatched(city)
    dispatched_before = InboxEntry.objects.count()

    confirm(city, (FRIDAY, False))

    told = InboxEntry.objects.filter(event__kind=EventKind.CALENDAR_CHANGED)
    assert {entry.user for entry in told} == {
        city.liaison,
        city.body_head,
        city.county_liaison,
        city.county_head,
    }
    assert told.count() == 4
    assert not InboxEntry.objects.filter(event__kind=EventKind.DATE_RECOUNTED).exists()
    office = InboxEntry.objects.filter(
        event__kind__in=[EventKind.CALENDAR_DRAFTED, EventKind.CALENDAR_CONFIRMED]
    ).count()
    assert InboxEntry.objects.count() == dispatched_before + 4 + office
    sent = Delivery.objects.filter(event__kind=EventKind.CALENDAR_CHANGED)
    assert {delivery.channel for delivery in sent} == {"digest"}
    event = Event.objects.get(kind=EventKind.CALENDAR_CHANGED, organization=city.bureau)
    assert event.data["moved_count"] == len(event.data["moved"]) == 2
    assert event.assignment is None


def test_its_message_may_leave_and_nobody_elses(city):
    from notifications.sending import reasons_against

    dispatched(city)
    confirm(city, (FRIDAY, False))

    for delivery in Delivery.objects.filter(event__kind=EventKind.CALENDAR_CHANGED):
        assert reasons_against(delivery.recipient, [delivery], LATER) == {}
        assert reasons_against(city.other_liaison, [delivery], LATER) != {}


def test_what_was_found_late_stays_late(city):
    """The limit to sign passed on Friday; on Monday a notice says Friday was a holiday."""
    share = dispatched(city)
    monday = datetime(2026, 6, 15, 9, tzinfo=ZoneInfo("Asia/Shanghai"))

    confirm(city, (FRIDAY, False), at=monday)

    share.refresh_from_db()
    assert share.accept_due_date == FRIDAY
    assert share.receipts["accept"]["calendar_version"] == "2026-1"


def test_a_preview_that_no_longer_holds_confirms_nothing(city):
    share = dispatched(city)
    notice = draft(city, (FRIDAY, False))
    expected = digest_of(plan_recount(calendar=calendar_with(notice), today=TODAY))
    acts.accept_assignment(assignment=share, by=city.liaison, at=NOON)

    with pytest.raises(ActRefused):
        notices.confirm_notice(notice=notice, by=city.office_head, at=NOON, expected=expected)
    notice.refresh_from_db()
    assert notice.status == "draft"
    assert working_calendar().is_working(FRIDAY)


def test_a_failure_while_moving_confirms_nothing(city, monkeypatch):
    share = dispatched(city)
    notice = draft(city, (FRIDAY, False))
    monkeypatch.setattr("supervision.services.recount._tell_bodies", lambda *args, **kwargs: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        notices.confirm_notice(notice=notice, by=city.office_head, at=NOON)

    share.refresh_from_db()
    notice.refresh_from_db()
    assert (share.accept_due_date, notice.status) == (FRIDAY, "draft")
    assert working_calendar().is_working(FRIDAY)


# Every kind of date


def moved_names(share):
    events = Event.objects.filter(kind=EventKind.DATE_RECOUNTED, assignment=share)
    return {event.data["date_name"]: event.data["new_date"] for event in events}


def test_the_limits_of_plan_and_objection_move(city):
    share = dispatched(city)
    county = share.item.assignments.get(organization=city.county)
    acts.accept_assignment(assignment=share, by=city.liaison, at=NOON)
    objection = acts.object_to_assignment(
        assignment=county, by=city.county_head, at=NOON, reason="不属本区"
    )
    share.refresh_from_db()
    plan_due, decide_by = share.plan_due_date, objection.decide_by_date

    confirm(city, (FRIDAY, False))

    share.refresh_from_db()
    objection.refresh_from_db()
    assert moved_names(share) == {"plan": share.plan_due_date.isoformat()}
    assert share.plan_due_date == working_calendar().add(TODAY, 10) > plan_due
    assert objection.decide_by_date == date(2026, 6, 16) > decide_by
    assert objection.receipt["calendar_version"] == "2026-2"


def test_a_rejected_objection_ends_the_limit_to_object(city):
    share = dispatched(city)
    objection = acts.object_to_assignment(
        assignment=share, by=city.body_head, at=NOON, reason="不属本局"
    )
    acts.reject_objection(objection=objection, by=city.office_head, at=NOON, opinion="应由你局办理")

    confirm(city, (FRIDAY, False))

    share.refresh_from_db()
    assert share.objection_due_date == TODAY
    assert moved_names(share) == {"accept": "2026-06-15"}


def test_return_days_move_and_keep_their_receipt(city):
    share = dispatched(city)
    day = date(2026, 7, 6)  # the return day, 5 July, is a Sunday
    period = share.periods.get(label="2026-06")
    assert period.due_date == day

    confirm(city, (day, False))

    period.refresh_from_db()
    assert period.due_date == date(2026, 7, 7)
    assert period.receipt["rolled_from"] == "2026-07-05"
    assert Event.objects.filter(kind=EventKind.DATE_RECOUNTED, period=period).exists()


def test_time_to_rework_moves_with_a_row_in_the_ledger_of_slips(city):
    share = AssignmentFactory(
        item=ItemFactory(dispatched=True, due_date=TODAY),
        organization=city.bureau,
        status="under_review",
        due_receipt=given_receipt(TODAY, "item"),
    )
    acts.send_back_assignment(assignment=share, by=city.officer, at=NOON, reason="数据不实")
    share.refresh_from_db()
    assert share.due_date == date(2026, 6, 17)

    confirm(city, (FRIDAY, False), at=LATER)

    share.refresh_from_db()
    assert share.due_date == date(2026, 6, 18)
    assert share.original_due_date == TODAY
    change = share.date_changes.get(cause=DateChange.Cause.CALENDAR)
    assert (change.old_date, change.new_date, change.working_days) == (
        date(2026, 6, 17),
        date(2026, 6, 18),
        1,
    )
    assert "2026年" in change.reason


def test_held_days_are_added_again_and_the_item_follows_its_lead(city):
    item = ItemFactory(dispatched=True, leader=city.leader, due_date=date(2026, 6, 18))
    share = AssignmentFactory(
        item=item,
        organization=city.bureau,
        due_receipt=given_receipt(date(2026, 6, 18), "item"),
    )
    step = MilestoneFactory(assignment=share, planned_date=date(2026, 6, 17))
    early = NOON - timedelta(days=2)
    items.suspend_item(
        item=item, by=city.leader, at=early, basis="批示", expected_end_date=date(2026, 7, 1)
    )
    items.resume_item(item=item, by=city.leader, at=NOON)
    share.refresh_from_db()
    step.refresh_from_db()
    episode = share.episode
    assert (share.due_date, step.planned_date) == (date(2026, 6, 23), date(2026, 6, 22))

    confirm(city, (date(2026, 6, 22), False), at=LATER)

    share.refresh_from_db()
    step.refresh_from_db()
    item.refresh_from_db()
    assert share.due_date == item.due_date == date(2026, 6, 24)
    assert step.planned_date == date(2026, 6, 23)
    assert step.original_date == date(2026, 6, 17)
    assert share.original_due_date == date(2026, 6, 18)
    assert share.episode == episode
    assert share.date_changes.filter(cause=DateChange.Cause.CALENDAR).count() == 2


def test_a_milestone_moved_by_hand_stays(city):
    share = AssignmentFactory(organization=city.bureau)
    step = MilestoneFactory(assignment=share)
    milestones.move_milestone(
        milestone=step, by=city.officer, at=NOON, new_date=date(2026, 6, 22), reason="协调"
    )

    confirm(city, (date(2026, 6, 22), False))

    step.refresh_from_db()
    assert step.planned_date == date(2026, 6, 22)


@pytest.mark.parametrize("status", ["completed", "cancelled"])
def test_what_is_closed_does_not_move(city, status):
    receipt = deadline("plan", TODAY).to_json()
    share = AssignmentFactory(
        organization=city.bureau,
        status=status,
        plan_due_date=date.fromisoformat(receipt["date"]),
        receipts={"plan": receipt},
    )

    confirm(city, (FRIDAY, False))

    share.refresh_from_db()
    assert share.plan_due_date.isoformat() == receipt["date"]


def test_a_provisional_date_is_final_once_the_year_is_confirmed(city):
    december = datetime(2026, 12, 30, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    item = ItemFactory(
        status="initiated", leader=city.leader, number="甲", due_date=date(2027, 12, 31)
    )
    PartyFactory(item=item, organization=city.bureau)
    items.dispatch_item(item=item, by=city.officer, at=december)
    share = item.assignments.get()
    assert share.receipts["accept"]["is_provisional"]
    assert share.accept_due_date == date(2027, 1, 1)

    notice = notices.load_notice(year=2027, by=city.officer, at=december, content=CSV)
    notices.confirm_notice(notice=notice, by=city.office_head, at=december)

    share.refresh_from_db()
    assert share.accept_due_date == date(2027, 1, 4)
    assert not share.receipts["accept"]["is_provisional"]
    assert not share.receipts["object"]["is_provisional"]


def test_recounting_costs_the_same_statements_for_more_shares_that_stand(
    city, django_assert_max_num_queries
):
    item = dispatched(city).item
    for _number in range(30):
        AssignmentFactory(item=item, role="support")

    with django_assert_max_num_queries(12):
        plan_recount(calendar=working_calendar(), today=TODAY)


def test_the_public_site_has_a_word_for_every_cause_that_moves_a_due_date():
    """A milestone that is moved is told as such; every other cause reaches the editions."""
    assert set(CAUSES) == set(DateChange.Cause) - {DateChange.Cause.REPLAN}


# Commands


def run(name, *arguments):
    out, err = io.StringIO(), io.StringIO()
    with time_machine.travel(NOON, tick=False):
        call_command(name, *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_command_loads_a_draft(settings_loaded, tmp_path):
    file = tmp_path / "2027.csv"
    file.write_bytes(CSV)

    out, err = run("calendar_load", "2027", "--file", str(file), "--title", "关于2027年的通知")

    notice = CalendarNotice.objects.get(year=2027)
    assert (notice.status, notice.title, notice.loaded_by) == ("draft", "关于2027年的通知", None)
    assert "2天" in out
    assert "2027-10-01" in err  # a holiday of every year that is missing


def test_the_command_names_who_loaded(city, tmp_path):
    file = tmp_path / "2027.csv"
    file.write_bytes(CSV)

    run("calendar_load", "2027", "--file", str(file), "--by", "officer")

    assert CalendarNotice.objects.get(year=2027).loaded_by == city.officer


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["2030"], "尚未收录2030年"),
        (["2026"], "无需重复导入"),
        (["2027", "--by", "nobody"], "nobody"),
        (["2027", "--file", "/no/such/file.csv"], "无法读取"),
    ],
)
def test_the_command_says_why_not(settings_loaded, arguments, word):
    with pytest.raises(CommandError, match=word):
        run("calendar_load", *arguments)


def test_the_command_names_bad_lines(settings_loaded, tmp_path):
    file = tmp_path / "2027.csv"
    file.write_bytes(b"date,is_working,name\n2027-02-30,0,x\n2026-01-01,0,x\n")

    with pytest.raises(CommandError) as caught:
        run("calendar_load", "2027", "--file", str(file))

    assert "第 2 行" in str(caught.value) and "第 3 行" in str(caught.value)


def test_the_recount_command_previews_then_moves_then_rests(city):
    share = dispatched(city)
    # As if the days had been corrected without their deadlines.
    CalendarDay.objects.create(date=FRIDAY, is_working=False, source="x")
    CalendarYear.objects.filter(year=2026).update(fingerprint="changed")

    preview = run("calendar_recount", "--dry-run")[0].splitlines()
    share.refresh_from_db()
    assert share.accept_due_date == FRIDAY
    assert json.loads(preview[-1])["would_move"] == len(preview) - 1 > 0

    first = json.loads(run("calendar_recount")[0])
    second = json.loads(run("calendar_recount")[0])

    assert first["moved"] == len(preview) - 1
    assert second["moved"] == second["bodies"] == 0
    assert Assignment.objects.get(pk=share.pk).accept_due_date == date(2026, 6, 15)
    assert SupervisionItem.objects.get(pk=share.item_id).due_date == date(2026, 12, 31)
