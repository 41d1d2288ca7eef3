"""The register, the paper on the screen, its acts, and the office's texts."""

import pytest
import time_machine
from django.urls import reverse

from supervision.models import Event, EventKind, Letter, LetterKind, LetterTemplate
from supervision.services import letters
from tasks.jobs import sweep
from tests.factories import NOON, TODAY, AssignmentFactory, ItemFactory, LetterFactory
from tests.supervision.views.office_world import draft_item

pytestmark = pytest.mark.django_db
REGISTER = reverse("supervision:letters")


@pytest.fixture(autouse=True)
def now(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def blue(city):
    """A blue sheet to the bureau, issued by the rules this morning."""
    share = AssignmentFactory(
        item=ItemFactory(
            dispatched=True,
            leader=city.leader,
            title="建立研发机构",
            due_date=TODAY.replace(day=9),
            number="督字〔2026〕9",
        ),
        organization=city.bureau,
    )
    sweep(TODAY, at=NOON)
    return Letter.objects.get(assignment=share)


@pytest.fixture
def circular(city):
    return letters.draft_circular(by=city.officer, at=NOON, period="2026-05")


def page(client, who, address):
    client.force_login(who)
    return client.get(address)


def act(client, who, row, name, **data):
    client.force_login(who)
    address = reverse("supervision:letter_act", args=[row.uid, name])
    return client.post(address, {"version": row.version} | data, follow=True)


def test_the_register_shows_each_what_concerns_him(client, city, blue):
    for who in (city.officer, city.leader, city.liaison):
        assert blue.number in page(client, who, REGISTER).content.decode()
    for who in (city.other_liaison, city.other_leader):
        assert blue.number not in page(client, who, REGISTER).content.decode()


@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ("kind=urging_blue", True),
        ("kind=circular", False),
        ("kind=nonsense", True),
        ("state=issued", True),
        ("state=void", False),
        ("year=2026", True),
        ("year=2025", False),
        ("year=99999999999", True),
        ("body=999999999999999999999", False),
        ("late=unsigned", False),
    ],
)
def test_the_filters_live_in_the_address(client, city, blue, query, is_shown):
    text = page(client, city.officer, f"{REGISTER}?{query}").content.decode()

    assert (blue.number in text) is is_shown


def test_a_late_receipt_says_how_late_as_of_which_day(client, city, blue):
    with time_machine.travel(NOON.replace(day=15), tick=False):
        text = page(client, city.officer, f"{REGISTER}?late=unsigned").content.decode()

    assert "截至2026-06-15超期2个工作日" in text


def test_the_paper_is_shown_word_for_word(client, city, blue):
    text = page(client, city.liaison, blue.get_absolute_url()).content.decode()

    assert blue.number in text
    assert "蓝单" in text
    for one in blue.content["paragraphs"]:
        assert one["text"] in text


def test_the_body_signs_and_answers_on_the_page(client, city, blue):
    act(client, city.liaison, blue, "accept")
    blue.refresh_from_db()
    answer = act(client, city.liaison, blue, "reply", text="已明确责任人。")

    blue.refresh_from_db()
    assert blue.received_by == blue.replied_by == city.liaison
    assert "已明确责任人。" in answer.content.decode()


def test_a_second_signature_is_a_message_and_no_offence(client, city, blue):
    act(client, city.liaison, blue, "accept")
    blue.refresh_from_db()

    answer = act(client, city.body_head, blue, "accept")

    assert answer.status_code == 200
    assert "已签收本文书" in answer.content.decode()


def test_a_stale_reply_keeps_what_was_typed(client, city, blue):
    old = Letter.objects.get(pk=blue.pk)
    act(client, city.liaison, blue, "accept")

    answer = act(client, city.body_head, old, "reply", text="我们的说明")

    blue.refresh_from_db()
    assert blue.replied_at is None
    assert "我们的说明" in answer.content.decode()


@pytest.mark.parametrize("who", ["officer", "office_head", "leader"])
def test_the_office_does_not_answer_for_a_body(client, city, blue, who):
    assert act(client, getattr(city, who), blue, "accept").status_code == 403


def test_an_officer_drafts_a_circular_and_the_head_issues_it(client, city):
    client.force_login(city.officer)
    client.post(reverse("supervision:letter_circular"), {"period": "2026-05"})
    row = Letter.objects.get()
    assert act(client, city.officer, row, "issue").status_code == 403

    act(client, city.office_head, row, "issue")

    row.refresh_from_db()
    assert row.number == "政督通〔2026〕1号"
    assert row.docx
    assert len(row.docx_sha256) == 64


def test_a_month_that_is_not_offered_is_named(client, city):
    client.force_login(city.officer)

    answer = client.post(reverse("supervision:letter_circular"), {"period": "2026-06"})

    assert answer.status_code == 200
    assert not Letter.objects.exists()
    assert "2026-06" in answer.content.decode()


def test_the_text_of_a_draft_is_changed_on_the_page(client, city, circular):
    act(client, city.officer, circular, "edit", title="关于五月的通报", body="只有一段。")

    circular.refresh_from_db()
    assert [one["text"] for one in circular.content["paragraphs"]] == ["只有一段。"]


def test_a_void_letter_stays_readable_and_says_why(client, city, blue):
    act(client, city.office_head, blue, "void", reason="日期有误")

    text = page(client, city.liaison, blue.get_absolute_url()).content.decode()
    assert "作废" in text
    assert "日期有误" in text
    assert blue.number in page(client, city.officer, REGISTER).content.decode()


def test_without_a_reason_nothing_is_made_void(client, city, blue):
    answer = act(client, city.office_head, blue, "void", reason=" ")

    blue.refresh_from_db()
    assert blue.status == Letter.Status.ISSUED
    assert answer.status_code == 200


def test_the_file_is_made_on_demand_and_leaves_as_a_download(client, city, blue):
    address = reverse("supervision:letter_docx", args=[blue.uid])
    assert page(client, city.liaison, address).status_code == 404
    act(client, city.liaison, blue, "draw")

    answer = client.get(address)

    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"".join(answer.streaming_content).startswith(b"PK")


def test_an_unknown_act_is_not_found(client, city, blue):
    assert act(client, city.office_head, blue, "burn").status_code == 404


def test_a_sheet_of_a_proposed_step_leads_to_the_decision(client, city, blue):
    for days in (7, 16):
        sweep(TODAY.replace(day=10 + days), at=NOON.replace(day=10 + days))
    red = Letter.objects.get(kind=LetterKind.URGING_RED)

    text = page(client, city.office_head, red.get_absolute_url()).content.decode()

    assert f"kind=escalations&amp;open={red.assignment.uid}" in text
    assert reverse("supervision:letter_act", args=[red.uid, "issue"]) not in text


def test_letters_stand_on_the_pages_of_item_and_share(client, city, blue):
    for address in (blue.item.get_absolute_url(), blue.assignment.get_absolute_url()):
        assert blue.number in page(client, city.officer, address).content.decode()


def test_a_body_sees_no_number_of_its_neighbours_on_the_item(client, city, blue):
    AssignmentFactory(item=blue.item, organization=city.other_bureau, role="support")

    text = page(client, city.other_liaison, blue.item.get_absolute_url()).content.decode()

    assert blue.number not in text


@pytest.mark.parametrize(("paper", "count"), [("notice", 1), ("", 1), ("none", 0)])
def test_the_dispatch_asks_which_paper_tells_the_bodies(client, city, paper, count):
    item = draft_item(city, status="initiated", number="督字〔2026〕4")
    client.force_login(city.officer)

    client.post(
        reverse("supervision:item_act", args=[item.uid, "dispatch"]),
        {"version": item.version, "has_notice": paper},
    )

    item.refresh_from_db()
    assert item.status == "in_progress"
    assert Letter.objects.filter(kind=LetterKind.DISPATCH_NOTICE).count() == count


def test_a_body_that_was_sent_a_copy_reads_it_without_the_leads_share(client, city):
    item = draft_item(city, status="initiated", number="督字〔2026〕4")
    client.force_login(city.officer)
    client.post(
        reverse("supervision:item_act", args=[item.uid, "dispatch"]), {"version": item.version}
    )
    notice = Letter.objects.get()

    text = page(client, city.other_liaison, notice.get_absolute_url()).content.decode()

    assert notice.number in text
    assert notice.assignment.get_absolute_url() not in text


# The office's texts


def values_of(template: LetterTemplate) -> dict:
    return {
        "version": template.version,
        "title": template.title,
        "body": template.body,
        "prefix": template.prefix,
        "issuer_name": template.issuer_name,
        "line_pitch_points": template.line_pitch_points,
        "has_red_head": "on",
        "copies": template.copies,
        "contact": template.contact,
    }


@pytest.fixture
def template(city):
    return LetterTemplate.objects.get(kind=LetterKind.CIRCULAR)


def change(client, who, template, **data):
    client.force_login(who)
    address = reverse("supervision:letter_template", args=[template.kind])
    return client.post(address, values_of(template) | data)


def test_the_head_changes_a_text(client, city, template):
    answer = change(client, city.office_head, template, contact="王敏 2010000", act="save")

    template.refresh_from_db()
    assert answer.status_code == 302
    assert (template.contact, template.version) == ("王敏 2010000", 2)
    changed = Event.objects.get(kind=EventKind.LETTER_TEMPLATE_CHANGED)
    assert list(changed.data["changes"]) == ["contact"]


def test_trying_out_changes_nothing_and_shows_the_paper(client, city, template):
    body = template.body + "\n请遵照执行。"
    answer = change(client, city.office_head, template, act="preview", body=body)

    template.refresh_from_db()
    assert template.version == 1
    assert '<p class="paper-text">请遵照执行。</p>' in answer.content.decode()


def test_problems_are_named_and_what_was_typed_is_kept(client, city, template):
    answer = change(client, city.office_head, template, body="写错的{tital}", act="save")

    text = answer.content.decode()
    template.refresh_from_db()
    assert template.version == 1
    assert "“tital”不是这类文书的字段" in text
    assert "缺少字段 {laggards}" in text
    assert "写错的{tital}" in text


def test_a_stale_form_overwrites_nothing(client, city, template):
    old = values_of(template)
    change(client, city.office_head, template, contact="甲", act="save")
    client.force_login(city.office_head)
    address = reverse("supervision:letter_template", args=[template.kind])

    answer = client.post(address, old | {"contact": "乙", "act": "save"})

    template.refresh_from_db()
    assert template.contact == "甲"
    assert answer.status_code == 200
    assert 'value="乙"' in answer.content.decode()


def test_an_officer_reads_the_texts_and_changes_none(client, city, template):
    address = reverse("supervision:letter_template", args=[template.kind])

    assert 'name="body"' not in page(client, city.officer, address).content.decode()
    assert change(client, city.officer, template, act="save").status_code == 403
    assert page(client, city.liaison, address).status_code == 403


@pytest.mark.parametrize("kind", LetterKind.values)
def test_every_kind_has_its_page(client, city, kind):
    address = reverse("supervision:letter_template", args=[kind])

    assert page(client, city.office_head, address).status_code == 200


def test_a_letter_of_an_older_make_is_still_shown(client, city):
    row = LetterFactory(assignment=AssignmentFactory(organization=city.bureau))

    assert "请抓紧办理。" in page(client, city.liaison, row.get_absolute_url()).content.decode()
