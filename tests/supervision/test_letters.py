"""Letters: one for each event, numbered without gaps, frozen, answered, void with a reason."""

import threading
from datetime import date, timedelta
from time import sleep

import pytest
from django.core.exceptions import PermissionDenied
from django.db import (
    IntegrityError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)
from django_fsm import TransitionNotAllowed

from notifications.models import InboxEntry
from supervision.models import (
    Assignment,
    Event,
    EventKind,
    Letter,
    LetterKind,
    LetterTemplate,
    NumberSeries,
    SupervisionItem,
)
from supervision.rules.letter_text import paragraphs, secrecy_word, template_problems, title_lines
from supervision.services import assignments, items, letters, requests
from supervision.services.acts import ActRefused
from supervision.services.facts import apply_effect, due_effects
from supervision.services.settings import shipped_templates
from tasks.jobs import draw_letters, sweep
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ExtensionFactory,
    ItemFactory,
    PartyFactory,
)

pytestmark = pytest.mark.django_db
MONDAY = NOON + timedelta(days=5)


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def late(city):
    """A share of the bureau, one working day over."""
    item = ItemFactory(
        dispatched=True,
        leader=city.leader,
        due_date=TODAY - timedelta(days=1),
        number="督字〔2026〕9",
    )
    return AssignmentFactory(item=item, organization=city.bureau)


@pytest.fixture
def blue(late):
    sweep(TODAY, at=NOON)
    return Letter.objects.get(assignment=late)


@pytest.fixture
def red(late):
    """The draft of a red sheet: ten working days over, nobody has decided yet."""
    for days in (0, 7, 16):
        day = TODAY + timedelta(days=days)
        sweep(day, at=NOON + timedelta(days=days))
    return Letter.objects.get(assignment=late, kind=LetterKind.URGING_RED)


@pytest.fixture
def initiated(city):
    item = ItemFactory(
        status="initiated", leader=city.leader, drafted_by=city.officer, number="督字〔2026〕3"
    )
    PartyFactory(item=item, organization=city.bureau, role="lead", position=1)
    PartyFactory(item=item, organization=city.county, role="county", position=2)
    return item


# Dispatch


def test_a_dispatch_issues_one_notice_to_the_lead_and_sends_it_to_the_others(city, initiated):
    item = items.dispatch_item(item=initiated, by=city.officer, at=NOON)

    notice = Letter.objects.get()
    assert notice.number == item.dispatch_number == "政督〔2026〕1号"
    assert (notice.organization, notice.item) == (city.bureau, item)
    assert list(notice.copied_to.all()) == [city.county]
    assert notice.content["to"] == "市工信局、桃城区"
    assert notice.event.kind == EventKind.ITEM_DISPATCHED
    assert notice.issued_by == city.officer


def test_a_dispatch_without_a_notice_takes_no_number(city, initiated):
    item = items.dispatch_item(item=initiated, by=city.officer, at=NOON, has_notice=False)

    assert item.dispatch_number == item.document.doc_number
    assert not Letter.objects.exists()
    assert not NumberSeries.objects.filter(kind="dispatch").exists()


def test_signing_for_the_work_signs_for_its_notice(city, initiated):
    item = items.dispatch_item(item=initiated, by=city.officer, at=NOON)
    notice = Letter.objects.get()
    with pytest.raises(ActRefused):
        letters.accept_letter(letter=notice, by=city.liaison, at=NOON)

    assignments.accept_assignment(
        assignment=item.assignments.get(role="lead"), by=city.liaison, at=MONDAY
    )

    notice.refresh_from_db()
    assert (notice.received_by, notice.received_at) == (city.liaison, MONDAY)


# The ladder


def test_an_automatic_step_issues_its_sheet_with_the_fact_and_once(late):
    effects = [one for one in due_effects(TODAY) if one.kind == EventKind.ESCALATED]
    assert len(effects) == 1

    first = apply_effect(effects[0], recorded_at=NOON)
    again = apply_effect(effects[0], recorded_at=NOON)

    letter = Letter.objects.get()
    assert again is None
    assert letter.event == first
    assert letter.kind == LetterKind.URGING_BLUE
    assert letter.issued_by is None
    assert first.data["letter_number"] == letter.number == "政督催〔2026〕1号"
    assert NumberSeries.objects.get(kind="urging").last == 1


def test_a_sheet_says_how_late_as_of_a_stated_day(blue):
    text = "".join(one["text"] for one in blue.content["paragraphs"])

    assert "截至2026年6月10日，已逾期1天（1个工作日）。" in text
    assert "至今未报送进展。" in text
    assert "第1次催办" in text
    assert (blue.content["colour"], blue.content["colour_word"]) == ("blue", "蓝单")
    assert blue.receipt_due_date == date(2026, 6, 11)
    assert blue.reply_due_date == date(2026, 6, 15)


def test_fifty_sweeps_of_a_day_write_one_sheet(late):
    for _time in range(50):
        sweep(TODAY, at=NOON)

    assert Letter.objects.count() == 1
    assert Event.objects.filter(kind=EventKind.LETTER_ISSUED).count() == 1


def test_nobody_is_told_of_the_same_urging_twice(city, blue):
    told = InboxEntry.objects.filter(user=city.liaison, event__assignment=blue.assignment)

    kinds = list(told.values_list("event__kind", flat=True))
    assert kinds.count(EventKind.ESCALATED) == 1
    assert EventKind.LETTER_ISSUED not in kinds


def test_a_mark_of_secrecy_costs_the_letter_and_never_the_fact(late):
    SupervisionItem.objects.update(title="机密项目")

    sweep(TODAY, at=NOON)

    assert Event.objects.filter(kind=EventKind.ESCALATED).count() == 1
    letter = Letter.objects.get()
    assert (letter.status, letter.number) == (Letter.Status.DRAFT, None)
    assert "机密" in letter.content["problem"]
    assert not NumberSeries.objects.filter(kind="urging", last__gt=0).exists()


def test_a_red_sheet_waits_for_the_decision_and_leaves_with_it(city, red):
    assert (red.status, red.number) == (Letter.Status.DRAFT, None)
    with pytest.raises(ActRefused):
        letters.issue_letter(letter=red, by=city.office_head, at=NOON + timedelta(days=17))

    assignments.decide_escalation(
        assignment=red.assignment,
        level=3,
        by=city.office_head,
        at=NOON + timedelta(days=17),
        is_issued=True,
        opinion="同意",
    )

    red.refresh_from_db()
    assert (red.status, red.issued_by) == (Letter.Status.ISSUED, city.office_head)
    assert red.number == "政督催〔2026〕3号"


def test_a_step_declined_leaves_its_sheet_unissued(city, red):
    assignments.decide_escalation(
        assignment=red.assignment,
        level=3,
        by=city.office_head,
        at=NOON + timedelta(days=17),
        is_issued=False,
        opinion="已约定日期",
    )

    red.refresh_from_db()
    assert (red.status, red.number, red.void_reason) == ("dropped", None, "已约定日期")
    assert NumberSeries.objects.get(kind="urging").last == 2


def test_a_draft_overtaken_by_time_is_dropped(red):
    assert draw_letters()["dropped"] == 0
    Assignment.objects.filter(pk=red.assignment_id).update(episode=9)

    assert draw_letters()["dropped"] == 1

    red.refresh_from_db()
    assert red.status == Letter.Status.DROPPED


# Extensions


def test_a_decision_on_an_extension_is_answered_by_letter(city):
    item = ItemFactory(dispatched=True, leader=city.leader)
    share = AssignmentFactory(item=item, organization=city.bureau)
    extension = ExtensionFactory(assignment=share, asked_by=city.body_head, status="endorsed")

    requests.grant_extension(
        extension=extension,
        by=city.leader,
        at=NOON,
        granted_date=extension.asked_date,
        opinion="同意",
    )

    reply = Letter.objects.get()
    assert (reply.kind, reply.issued_by) == (LetterKind.EXTENSION_REPLY, city.leader)
    assert reply.event.kind == EventKind.EXTENSION_GRANTED
    assert reply.event.data["letter_number"] == reply.number == "政督函〔2026〕1号"
    assert "同意将办结时限由2026年12月31日延至2027年3月1日" in str(reply.content["paragraphs"])
    assert (reply.receipt_due_date, reply.reply_due_date) == (None, None)


def test_a_refusal_is_answered_by_letter_too(city):
    extension = ExtensionFactory(
        assignment=AssignmentFactory(organization=city.bureau), asked_by=city.body_head
    )

    requests.refuse_extension(extension=extension, by=city.officer, at=NOON, opinion="理由不足")

    text = str(Letter.objects.get().content["paragraphs"])
    assert "不同意延期" in text
    assert "理由不足" in text


# Receipt and reply


def test_a_body_signs_and_answers_once(city, blue):
    letters.accept_letter(letter=blue, by=city.liaison, at=NOON)
    with pytest.raises(ActRefused):
        letters.accept_letter(letter=blue, by=city.body_head, at=NOON)
    letters.reply_letter(letter=blue, by=city.body_head, at=MONDAY, text="已制定措施。")
    with pytest.raises(ActRefused):
        letters.reply_letter(letter=blue, by=city.body_head, at=MONDAY, text="再报。")

    blue.refresh_from_db()
    assert (blue.received_by, blue.replied_by) == (city.liaison, city.body_head)
    assert blue.reply_text == "已制定措施。"
    replied = Event.objects.get(kind=EventKind.LETTER_REPLIED)
    assert replied.data["is_in_time"] is True
    assert InboxEntry.objects.filter(user=city.officer, event=replied).exists()


def test_a_late_reply_says_so_and_counts_as_receipt(city, blue):
    letters.reply_letter(
        letter=blue, by=city.liaison, at=MONDAY + timedelta(days=1), text="已制定措施。"
    )

    assert Event.objects.get(kind=EventKind.LETTER_REPLIED).data["is_in_time"] is False
    assert Event.objects.get(kind=EventKind.LETTER_ACCEPTED).data["is_in_time"] is False


@pytest.mark.parametrize("who", ["officer", "office_head", "other_liaison", "leader", "stranger"])
def test_nobody_answers_for_another_body(city, blue, who):
    for act in (
        lambda by: letters.accept_letter(letter=blue, by=by, at=NOON),
        lambda by: letters.reply_letter(letter=blue, by=by, at=NOON, text="回复"),
    ):
        with pytest.raises(PermissionDenied):
            act(getattr(city, who))


def test_an_empty_reply_is_refused(city, blue):
    with pytest.raises(ActRefused):
        letters.reply_letter(letter=blue, by=city.liaison, at=NOON, text=" ")


def test_what_is_late_is_found_and_not_when_the_work_has_ended(blue):
    rows = Letter.objects.filter(pk=blue.pk)

    assert not rows.unsigned(today=date(2026, 6, 11)).exists()
    assert rows.unsigned(today=date(2026, 6, 12)).exists()
    assert not rows.unanswered(today=date(2026, 6, 15)).exists()
    assert rows.unanswered(today=date(2026, 6, 16)).exists()
    Assignment.objects.filter(pk=blue.assignment_id).update(
        status="completed", outcome="late", completed_date=TODAY, days_late=1, days_late_original=1
    )
    assert not rows.unanswered(today=date(2026, 6, 16)).exists()


# Acts by state and duty


@pytest.fixture
def circular(city):
    return letters.draft_circular(by=city.officer, at=NOON, period="2026-05")


ACTS = {
    "issue": lambda row, by: letters.issue_letter(letter=row, by=by, at=NOON),
    "drop": lambda row, by: letters.drop_letter(letter=row, by=by, at=NOON, reason="理由"),
    "void": lambda row, by: letters.void_letter(letter=row, by=by, at=NOON, reason="理由"),
}
MAY = {"issue": {"office_head"}, "drop": {"officer", "office_head"}, "void": {"office_head"}}
FROM = {"issue": "draft", "drop": "draft", "void": "issued"}
PEOPLE = ("officer", "office_head", "leader", "principal", "liaison", "body_head", "stranger")


def in_state(city, circular, state):
    if state in ("issued", "void"):
        circular = letters.issue_letter(letter=circular, by=city.office_head, at=NOON)
    if state == "void":
        circular = ACTS["void"](circular, city.office_head)
    if state == "dropped":
        circular = ACTS["drop"](circular, city.office_head)
    return circular


@pytest.mark.parametrize("state", Letter.Status.values)
@pytest.mark.parametrize("act", ACTS)
def test_every_act_in_every_state_by_every_duty(city, circular, state, act):
    row = in_state(city, circular, state)
    for who in PEOPLE:
        with transaction.atomic():
            if state != FROM[act]:
                with pytest.raises(TransitionNotAllowed):
                    ACTS[act](row, getattr(city, who))
            elif who in MAY[act]:
                assert ACTS[act](row, getattr(city, who)).status != state
            else:
                with pytest.raises(PermissionDenied):
                    ACTS[act](row, getattr(city, who))
            transaction.set_rollback(True)


@pytest.mark.parametrize("act", ["drop", "void"])
def test_no_letter_ends_without_a_reason(city, circular, act):
    row = in_state(city, circular, FROM[act])
    service = letters.drop_letter if act == "drop" else letters.void_letter

    with pytest.raises(ActRefused):
        service(letter=row, by=city.office_head, at=NOON, reason=" ")


def test_a_letter_has_a_number_exactly_when_it_was_issued(circular):
    with pytest.raises(IntegrityError), transaction.atomic():
        Letter.objects.filter(pk=circular.pk).update(number="政督通〔2026〕7号")


# Numbers


def test_numbers_have_no_gap_and_a_void_one_stays(city):
    numbers = []
    for month in ("2026-02", "2026-03", "2026-04"):
        row = letters.draft_circular(by=city.officer, at=NOON, period=month)
        row = letters.issue_letter(letter=row, by=city.office_head, at=NOON)
        numbers.append(row.number)
        if month == "2026-03":
            letters.void_letter(letter=row, by=city.office_head, at=NOON, reason="数字有误")
    anew = letters.draft_circular(by=city.officer, at=NOON, period="2026-03")
    anew = letters.issue_letter(letter=anew, by=city.office_head, at=NOON)

    assert [*numbers, anew.number] == [f"政督通〔2026〕{n}号" for n in (1, 2, 3, 4)]
    assert Letter.objects.get(number=numbers[1]).status == Letter.Status.VOID


def test_every_year_begins_with_one(city):
    for period, at in (("2026-04", NOON), ("2026-12", NOON + timedelta(days=300))):
        row = letters.draft_circular(by=city.officer, at=at, period=period)
        letters.issue_letter(letter=row, by=city.office_head, at=at)

    assert sorted(Letter.objects.values_list("number", flat=True)) == [
        "政督通〔2026〕1号",
        "政督通〔2027〕1号",
    ]


def test_an_act_rolled_back_gives_its_number_back(city, circular):
    with pytest.raises(RuntimeError), transaction.atomic():
        letters.issue_letter(letter=circular, by=city.office_head, at=NOON)
        raise RuntimeError

    assert letters.issue_letter(letter=circular, by=city.office_head, at=NOON).n == 1


@pytest.mark.django_db(transaction=True)
def test_issued_at_once_by_many_the_numbers_are_still_without_gap(city):
    months = [f"2025-{month:02}" for month in range(1, 9)]
    rows = [letters.draft_circular(by=city.officer, at=NOON, period=one) for one in months]
    gate, failures = threading.Barrier(len(rows)), []

    def issue(row):
        gate.wait()
        try:
            for _attempt in range(1000):
                try:
                    letters.issue_letter(letter=row, by=city.office_head, at=NOON)
                    break
                except OperationalError:  # the tests' SQLite lies in memory and does not queue
                    sleep(0.005)
        except Exception as error:
            failures.append(error)
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=issue, args=[row]) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sorted(Letter.objects.values_list("n", flat=True)) == list(range(1, 9))


# Circulars


def test_a_circular_counts_frozen_verdicts_and_names_the_laggards(city, late):
    sweep(TODAY, at=NOON)
    for kind, day in ((EventKind.ITEM_DISPATCHED, 90), (EventKind.DISPATCHED, 90)):
        Event.objects.create(
            kind=kind,
            item=late.item,
            assignment=late if kind == EventKind.DISPATCHED else None,
            happened_at=NOON - timedelta(days=day),
            recorded_at=NOON,
        )
    july = NOON + timedelta(days=25)

    row = letters.draft_circular(by=city.officer, at=july, period="2026-06")

    text = "".join(one["text"] for one in row.content["paragraphs"])
    assert "事项共1项，办结0项，占0%；在办1项，占100%" in text
    assert "共1件，其中逾期未办结1件，占100%" in text
    assert "市工信局（1件）" in text
    assert row.content["annex"]["rows"] == [["1", "市工信局", late.item.title, "2026-06-09", "21"]]
    assert list(row.copied_to.all()) == [city.bureau]


def test_what_is_repaired_after_the_month_stays_in_its_circular(city, late):
    sweep(TODAY, at=NOON)
    july = NOON + timedelta(days=25)
    Event.objects.create(
        kind=EventKind.COMPLETED,
        assignment=late,
        item=late.item,
        happened_at=july,
        recorded_at=july,
    )

    june = letters.draft_circular(by=city.officer, at=july, period="2026-06")

    assert len(june.content["annex"]["rows"]) == 1


def test_a_circular_tells_each_body_once(city, late, circular):
    circular.copied_to.set([city.bureau, city.county])

    letters.issue_letter(letter=circular, by=city.office_head, at=NOON)

    for person in (city.liaison, city.body_head, city.county_liaison):
        entries = InboxEntry.objects.filter(user=person, event__kind=EventKind.LETTER_ISSUED)
        assert entries.count() == 1
    assert not InboxEntry.objects.filter(user=city.other_liaison).exists()


@pytest.mark.parametrize("period", ["2026-06", "2026-13", "", "五月"])
def test_a_month_that_is_not_over_or_no_month_is_refused(city, period):
    with pytest.raises(ActRefused):
        letters.draft_circular(by=city.officer, at=NOON, period=period)


def test_one_circular_for_each_month(city, circular):
    with pytest.raises(ActRefused, match="2026-05"):
        letters.draft_circular(by=city.officer, at=NOON, period="2026-05")


def test_what_the_office_wrote_into_a_draft_is_what_is_issued(city, circular):
    letters.edit_draft(
        letter=circular, by=city.officer, at=NOON, title="关于五月情况的通报", body="第一段\n第二段"
    )

    row = letters.issue_letter(letter=circular, by=city.office_head, at=NOON)

    assert row.title == "关于五月情况的通报"
    assert [one["text"] for one in row.content["paragraphs"]] == ["第一段", "第二段"]
    with pytest.raises(ActRefused):
        letters.edit_draft(letter=row, by=city.officer, at=NOON, title="改", body="改")


@pytest.mark.parametrize(
    ("title", "body"), [("", "文"), ("题", " "), ("题", "{due}"), ("题", "绝密")]
)
def test_a_draft_keeps_its_words_when_the_new_ones_are_no_good(city, circular, title, body):
    with pytest.raises(ActRefused):
        letters.edit_draft(letter=circular, by=city.officer, at=NOON, title=title, body=body)

    circular.refresh_from_db()
    assert "texts" not in circular.content


# Who reads what


def test_everybody_reads_his_own_letters_only(city, blue):
    def seen(person):
        return set(Letter.objects.visible_to(person).values_list("pk", flat=True))

    for person in (city.liaison, city.body_head, city.officer, city.office_head, city.leader):
        assert seen(person) == {blue.pk}
    for person in (city.other_liaison, city.county_head, city.other_leader, city.stranger):
        assert seen(person) == set()
    assert seen(city.auditor) == seen(city.publisher) == set()


def test_a_body_sees_no_draft(city, red):
    assert red not in Letter.objects.visible_to(city.liaison)
    assert red in Letter.objects.visible_to(city.officer)


def test_a_share_given_away_takes_its_letters_along(city, blue):
    new = AssignmentFactory(item=ItemFactory(dispatched=True), organization=city.county)
    Assignment.objects.filter(pk=blue.assignment_id).update(transferred_to=new)

    assert not Letter.objects.visible_to(city.liaison).exists()


def test_a_copy_is_read_by_those_who_still_share_the_item(city, initiated):
    items.dispatch_item(item=initiated, by=city.officer, at=NOON)

    assert Letter.objects.visible_to(city.county_liaison).count() == 1
    assert Letter.objects.visible_to(city.other_liaison).count() == 0


# The file


def test_the_file_is_drawn_once_and_its_hash_kept(blue):
    assert letters.render_letters() == {"drawn": 1, "failed": 0}
    blue.refresh_from_db()
    first = blue.docx.read()

    assert letters.render_letters() == {"drawn": 0, "failed": 0}

    assert len(blue.docx_sha256) == 64
    assert letters.build_letter(blue.content) == first


def test_two_that_draw_at_once_keep_one_file(blue, tmp_path):
    twin = Letter.objects.get(pk=blue.pk)
    letters.render_letter(blue)

    letters.render_letter(twin)

    assert twin.docx.name == blue.docx.name
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_letter_that_cannot_be_drawn_does_not_stop_the_others(city, blue):
    broken = letters.draft_circular(by=city.officer, at=NOON, period="2026-05")
    broken = letters.issue_letter(letter=broken, by=city.office_head, at=NOON - timedelta(days=1))
    Letter.objects.filter(pk=broken.pk).update(content={"title": "残"})

    assert letters.render_letters() == {"drawn": 1, "failed": 1}


# Templates


@pytest.mark.parametrize("kind", LetterKind.values)
def test_what_is_shipped_is_in_order(kind):
    template = shipped_templates()[kind]

    assert template_problems(kind, title=template.title, body=template.body) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"body": "{item_title}{due_date}{situation}"}, "reply_due_date"),
        ({"body": "{item_titel}"}, "item_titel"),
        ({"body": "{item_title"}, "花括号"),
        ({"body": "{item_title.pk}"}, "item_title.pk"),
        ({"body": ""}, "为空"),
        ({"copies": "机密"}, "机密"),
        ({"line_pitch_points": 31}, "30"),
        ({"prefix": "政督2026"}, "政督2026"),
        ({"prefix": "政督函"}, "其他序列"),
    ],
)
def test_every_problem_of_a_template_is_named_and_nothing_is_half_applied(city, change, named):
    template = LetterTemplate.objects.get(kind=LetterKind.URGING_BLUE)

    with pytest.raises(ActRefused, match=named):
        letters.edit_template(
            template=template, by=city.office_head, at=NOON, **{"contact": "王敏", **change}
        )

    template.refresh_from_db()
    assert (template.version, template.contact) == (1, "")


def test_a_changed_text_holds_for_letters_issued_after_it(city, late):
    template = LetterTemplate.objects.get(kind=LetterKind.URGING_BLUE)
    body = template.body + "\n特此通知。"
    letters.edit_template(
        template=template, by=city.office_head, at=NOON, body=body, prefix="云督催"
    )

    sweep(TODAY, at=NOON)

    letter = Letter.objects.get()
    assert letter.number == "云督催〔2026〕1号"
    assert letter.template_version == 2
    assert letter.content["paragraphs"][-1]["text"] == "特此通知。"
    others = LetterTemplate.objects.filter(series="urging")
    assert set(others.values_list("prefix", flat=True)) == {"云督催"}


@pytest.mark.parametrize("who", ["officer", "leader", "liaison", "stranger"])
def test_only_the_head_of_the_office_changes_a_text(city, who):
    template = LetterTemplate.objects.get(kind=LetterKind.CIRCULAR)

    with pytest.raises(PermissionDenied):
        letters.edit_template(
            template=template, by=getattr(city, who), at=NOON, contact="王敏 0318"
        )


# Plain rules


def test_a_paragraph_of_empty_fields_only_is_left_out():
    body = "甲{a}\n乙{b}\n丙{a}{b}\n丁"

    assert paragraphs(body, {"a": "1", "b": ""}, nothing="无") == ["甲1", "丙1无", "丁"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("机密★1年", "机密"),
        ("属于秘密", "秘密"),
        ("绝密", "绝密"),
        ("加强商业秘密保护", ""),
        ("不含国家秘密", ""),
        ("秘书处密切配合", ""),
    ],
)
def test_marks_of_secrecy_and_words_that_only_look_like_them(text, word):
    assert secrecy_word([text]) == word


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("督办通知单", ["督办通知单"]),
        ("关于2026年10月督查事项办理情况的通报", ["关于2026年10月督查事项办理情况的通报"]),
        (
            "关于建立规模以上工业企业研发机构和创新平台延期申请的批复",
            ["关于建立规模以上工业企业研发机构和", "创新平台延期申请的批复"],
        ),
    ],
)
def test_a_long_title_breaks_at_a_seam(title, lines):
    assert title_lines(title, 20) == lines
