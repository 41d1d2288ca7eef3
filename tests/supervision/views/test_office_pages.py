"""Matrix, documents, public editions, records: content, acts, hostile text, constant queries."""

from datetime import date

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supervision.desk import SHORT_WORDS, short_word
from supervision.models import (
    Event,
    EventKind,
    PolicyDocument,
    PublicItem,
    Release,
    ReportFigure,
)
from supervision.overview import Lamp
from supervision.rules.lights import Light, LightVerdict, Reason
from supervision.rules.reasons import TEXTS
from supervision.rules.secrecy_slip import QUESTIONS
from supervision.services.kept_lights import keep_lights
from supervision.views.documents import PAGE_SIZE as CLAUSES
from supervision.views.matrix import PAGE_SIZE
from tests.factories import (
    NOON,
    TODAY,
    ClauseFactory,
    DocumentFactory,
    PeriodFactory,
    ReportFactory,
    TargetFactory,
)
from tests.supervision.views.office_world import dispatched_item, draft_item

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOON, tick=False):
        yield


def messages_of(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


# Matrix


def test_the_matrix_has_bodies_in_order_and_their_totals(client, city):
    dispatched_item(city)
    client.force_login(city.officer)

    answer = client.get(reverse("supervision:matrix"))

    totals = answer.context["totals"]
    assert [str(total.body) for total in totals] == ["市工信局", "市科技局", "桃城区"]
    assert [total.total for total in totals] == [1, 1, 1]


def test_the_totals_of_the_matrix_are_of_all_rows_not_of_the_page(client, city):
    """Counted by the lights kept of the day, and by the rule where none is kept."""
    rows = [dispatched_item(city) for _ in range(PAGE_SIZE + 3)]
    keep_lights(TODAY, most=PAGE_SIZE)
    client.force_login(city.officer)

    first = client.get(reverse("supervision:matrix"))
    second = client.get(reverse("supervision:matrix") + "?page=2")
    whole = client.get(reverse("supervision:matrix") + "?print=all")

    shown = [len(answer.context["items"]) for answer in (first, second, whole)]
    assert shown == [PAGE_SIZE, 3, PAGE_SIZE + 3]
    for answer in (first, second, whole):
        assert [total.total for total in answer.context["totals"]] == [len(rows)] * 3
        assert answer.context["all"]["total"] == 3 * len(rows)
    reds = sum(item.sum.red for item in whole.context["items"])
    assert first.context["all"]["red"] == reds
    assert "?print=all" in first.content.decode()
    assert "?print=all" not in whole.content.decode()


@pytest.mark.parametrize(
    "reason, light, word",
    [
        ("behind", Light.RED, "滞后"),
        ("overdue", Light.RED, "逾期"),
        ("stale", Light.GREY, "无报告"),
        ("on_track", Light.GREEN, "正常"),
    ],
)
def test_a_cell_never_calls_overdue_what_is_only_behind(reason, light, word):
    assert short_word(Lamp(light.value, "", LightVerdict(light, Reason(reason)))) == word


def test_every_reason_of_a_light_has_a_short_word():
    described = set(TEXTS) - {"on_track", "ahead", "due_on_rest_day", "stale_undated"}
    lights = {code for code in described if not code.startswith(("ladder", "scheme"))}

    assert lights - {"suspended_without_basis"} <= set(SHORT_WORDS)


def test_the_matrix_of_a_leader_holds_own_items_only(client, city):
    dispatched_item(city)
    client.force_login(city.other_leader)

    assert client.get(reverse("supervision:matrix")).context["items"] == []


# Documents


def test_a_document_shows_coverage_and_goals(client, city):
    world = dispatched_item(city)
    document = world.item.document
    ClauseFactory(document=document, title="没有事项的条款")
    TargetFactory(document=document, clause=world.item.clause, name="孵化器数量")
    client.force_login(city.officer)

    page = client.get(reverse("supervision:document", args=[document.uid])).content.decode()

    assert "2条条款中1条已列入督查" in page
    assert "孵化器数量" in page
    assert "没有可查看的事项" in page


def test_a_document_shows_its_clauses_and_goals_page_by_page(client, city):
    document = DocumentFactory()
    clauses = [
        ClauseFactory(document=document, title=f"第{number}条", quoted_text="原文")
        for number in range(CLAUSES + 2)
    ]
    world = dispatched_item(city, clause=clauses[-1])
    goals = [
        TargetFactory(document=document, clause=clause, name=f"目标{number}")
        for number, clause in enumerate(clauses)
    ]
    for label, start in (("2026-03", date(2026, 3, 1)), ("2026-04", date(2026, 4, 1))):
        report = ReportFactory(
            period=PeriodFactory(assignment=world.lead, label=label, start_date=start),
            status="approved",
        )
        ReportFigure.objects.create(report=report, target=goals[-1], value=start.month)
    client.force_login(city.officer)
    address = reverse("supervision:document", args=[document.uid])

    first, second = client.get(address), client.get(address + "?page=2&goals=2")

    for answer in (first, second):
        assert (answer.context["covered"], answer.context["quoted"]) == (1, len(clauses))
        assert f"{len(clauses)}条条款中1条已列入督查" in answer.content.decode()
    assert [len(answer.context["clauses"]) for answer in (first, second)] == [CLAUSES, 2]
    assert [clause.item for clause in second.context["clauses"]] == [None, world.item]
    last = second.context["targets"][-1]
    assert (last["target"], last["value"], last["period"]) == (goals[-1], "4", "2026-04")
    assert "goals=2&amp;page=2" not in first.content.decode()


@pytest.mark.parametrize(
    "person, status", [("body_head", 200), ("county_head", 200), ("auditor", 404), ("leader", 200)]
)
def test_a_document_is_there_for_those_it_gives_work(client, city, person, status):
    document = dispatched_item(city).item.document
    client.force_login(getattr(city, person))

    answer = client.get(reverse("supervision:document", args=[document.uid]))

    assert answer.status_code == status
    if status == 200:
        assert "导入文件原文" not in answer.content.decode()


def test_the_text_of_a_document_is_taken_in(client, city):
    document = DocumentFactory()
    ClauseFactory(document=document, number="二（1）", position=1)
    client.force_login(city.officer)
    address = reverse("supervision:document_act", args=[document.uid, "text"])

    wrong = client.post(address, {"file": SimpleUploadedFile("a.txt", "无关文字".encode())})
    empty = client.post(address, {})
    binary = client.post(address, {"file": SimpleUploadedFile("a.txt", b"\xff\xff\x81")})

    assert messages_of(wrong)
    assert "必填" in empty.content.decode()
    assert "无法读取" in binary.content.decode()


def test_a_document_is_put_under_supervision_by_the_office_only(client, city):
    document = DocumentFactory(status=PolicyDocument.Status.DRAFT)
    address = reverse("supervision:document_act", args=[document.uid, "activate"])
    client.force_login(city.principal)
    assert client.post(address).status_code == 403
    client.force_login(city.officer)

    client.post(address)

    document = PolicyDocument.objects.get(pk=document.pk)
    assert document.status == "active"


def test_a_document_with_open_items_cannot_be_closed(client, city):
    item = draft_item(city)
    client.force_login(city.office_head)

    answer = client.post(reverse("supervision:document_act", args=[item.document.uid, "close"]))

    assert "1" in messages_of(answer)
    assert PolicyDocument.objects.get(pk=item.document_id).status == "active"


# Public editions


def open_item(city, **fields):
    return dispatched_item(city, openness="proactive", openness_basis="条例", **fields).item


def release_act(client, release, act, **data):
    data.setdefault("version", release.version)
    return client.post(reverse("supervision:release_act", args=[release.uid, act]), data)


ANSWERS = {f"answer_{code}": "no" for code in QUESTIONS} | {
    "attribute": "proactive",
    "finding": "不涉密，可以公开。",
}


def proposed(client, city, item) -> Release:
    client.force_login(city.publisher)
    client.post(reverse("supervision:release_propose"), {"document": item.document_id})
    release = Release.objects.get()
    release_act(client, release, "submit")
    return Release.objects.get()


def reviewed(client, city, item) -> Release:
    proposed(client, city, item)
    for person, act, data in (
        (city.reviewer, "approve-first", {}),
        (city.second_reviewer, "approve-second", {"opinion": "格式无误"}),
        (city.third_reviewer, "approve-third", ANSWERS),
    ):
        client.force_login(person)
        release_act(client, Release.objects.get(), act, **data)
    return Release.objects.get()


def test_an_edition_goes_past_three_people_to_the_public_and_back(client, city):
    item = open_item(city, requirement="<b>建设</b>孵化器")
    release = proposed(client, city, item)
    assert release.status == "first_review"

    client.force_login(city.reviewer)
    page = client.get(reverse("supervision:release", args=[release.uid])).content.decode()
    assert "&lt;b&gt;建设&lt;/b&gt;孵化器" in page
    assert "市工信局" in page
    release_act(client, release, "approve-first")
    assert release_act(client, Release.objects.get(), "approve-second").status_code == 403
    client.force_login(city.second_reviewer)
    release_act(client, Release.objects.get(), "approve-second", opinion="格式无误")
    client.force_login(city.third_reviewer)
    half = release_act(client, Release.objects.get(), "approve-third", **ANSWERS | {"finding": ""})
    assert "必填" in half.content.decode()
    assert Release.objects.get().status == "third_review"
    release_act(client, Release.objects.get(), "approve-third", **ANSWERS)
    client.force_login(city.publisher)
    page = client.get(reverse("supervision:release", args=[release.uid])).content.decode()
    assert "格式无误" in page
    assert "不涉密，可以公开。" in page
    release_act(client, Release.objects.get(), "publish")
    assert PublicItem.objects.public().count() == 1

    release = Release.objects.get()
    client.force_login(city.reviewer)
    refused = release_act(client, release, "withdraw", reason="")
    assert "必填" in refused.content.decode()
    assert PublicItem.objects.public().count() == 1
    release_act(client, release, "withdraw", reason="数据有误")
    assert PublicItem.objects.public().count() == 0


def test_a_slip_answered_with_yes_lets_nothing_pass_and_keeps_what_was_typed(client, city):
    proposed(client, city, open_item(city))
    for person, act in ((city.reviewer, "approve-first"), (city.second_reviewer, "approve-second")):
        client.force_login(person)
        release_act(client, Release.objects.get(), act)
    client.force_login(city.third_reviewer)

    answer = release_act(
        client,
        Release.objects.get(),
        "approve-third",
        **ANSWERS | {"answer_privacy": "yes", "finding": "第三项涉及个人"},
    )

    assert "请退回" in messages_of(answer)
    assert "第三项涉及个人" in answer.content.decode()
    assert Release.objects.get().status == "third_review"


def test_the_author_does_not_review_the_own_edition(client, city):
    item = open_item(city)
    release = proposed(client, city, item)
    from django.contrib.auth.models import Group

    city.publisher.groups.add(Group.objects.get(name="reviewer"))

    page = client.get(reverse("supervision:release", args=[release.uid])).content.decode()

    assert "须由他人审核" in page
    assert release_act(client, release, "approve-first").status_code == 403


def test_an_edition_is_sent_back_composed_afresh_and_handed_in_again(client, city):
    item = open_item(city)
    release = proposed(client, city, item)
    client.force_login(city.reviewer)
    release_act(client, release, "send-back", reason="缺进展")
    client.force_login(city.publisher)

    release_act(client, Release.objects.get(), "refresh")
    assert Release.objects.get().status == "draft"
    release_act(client, Release.objects.get(), "submit")

    assert Release.objects.get().status == "first_review"


def test_the_author_s_words_go_on_one_page_and_void_the_reviews(client, city):
    release = reviewed(client, city, open_item(city))
    client.force_login(city.publisher)
    address = reverse("supervision:release_edit", args=[release.uid])
    assert "公众表述" in client.get(address).content.decode()

    stale = client.post(address, {"version": release.version - 1, "text_0": "旧页面上的话"})
    assert "旧页面上的话" in stale.content.decode()
    assert Release.objects.get().status == "approved"
    client.post(
        address,
        {"version": release.version, "text_0": "孵化器已开园。", "correction_0": "上期误作两家。"},
    )

    release = Release.objects.get()
    assert (release.status, release.round) == ("draft", 2)
    assert release.content["items"][0]["progress_text"] == "孵化器已开园。"
    assert release.content["corrections"][0]["text"] == "上期误作两家。"
    page = client.get(reverse("supervision:release", args=[release.uid])).content.decode()
    assert page.count("review-step-done") == 0


@pytest.mark.parametrize("who", ["reviewer", "office_head", "officer", "liaison"])
def test_only_the_publisher_writes_the_words(client, city, who):
    release = proposed(client, city, open_item(city))
    client.force_login(getattr(city, who))

    assert client.get(reverse("supervision:release_edit", args=[release.uid])).status_code == 403


def test_a_single_item_is_withdrawn_with_a_reason(client, city):
    item = open_item(city)
    release = reviewed(client, city, item)
    client.force_login(city.publisher)
    release_act(client, release, "publish")
    client.force_login(city.reviewer)
    slug = PublicItem.objects.get().slug

    kept = release_act(client, release, "withdraw-item", slug=slug, reason="")
    assert PublicItem.objects.public().count() == 1
    assert "必填" in kept.content.decode()
    release_act(client, release, "withdraw-item", slug=slug, reason="涉及个人")

    assert PublicItem.objects.public().count() == 0


def test_nothing_to_publish_is_said_and_nothing_is_written(client, city):
    item = dispatched_item(city).item
    client.force_login(city.publisher)

    answer = client.post(reverse("supervision:release_propose"), {"document": item.document_id})

    assert messages_of(answer)
    assert Release.objects.count() == 0


@pytest.mark.parametrize("person", ["officer", "reviewer", "office_head"])
def test_only_a_publisher_proposes(client, city, person):
    item = open_item(city)
    client.force_login(getattr(city, person))

    answer = client.post(reverse("supervision:release_propose"), {"document": item.document_id})

    assert answer.status_code == 403


# Records


def note(city, **fields):
    return Event.objects.create(
        **{
            "kind": EventKind.NOTE,
            "by": city.officer,
            "by_name": "officer",
            "happened_at": NOON,
            "recorded_at": NOON,
        }
        | fields
    )


@pytest.mark.parametrize(
    "query, count",
    [
        ("", 2),
        ("?kind=note", 1),
        ("?who=office", 1),
        ("?day=2026-06-10", 2),
        ("?day=2026-06-09", 0),
        ("?kind=nonsense", 0),
        ("?page=99", 2),
    ],
)
def test_records_are_filtered_by_kind_person_and_day(client, city, query, count):
    note(city)
    note(city, kind=EventKind.BECAME_OVERDUE, by=None, by_name="", organization=city.bureau)
    client.force_login(city.auditor)

    answer = client.get(reverse("supervision:audit") + query)

    assert answer.context["page_obj"].paginator.count == count


def test_a_day_that_is_none_is_said(client, city):
    client.force_login(city.auditor)

    page = client.get(reverse("supervision:audit") + "?day=gestern").content.decode()

    assert "2026-11-05" in page


def test_records_escape_reasons(client, city):
    note(city, reason="<script>x</script>")
    client.force_login(city.auditor)

    page = client.get(reverse("supervision:audit")).content.decode()

    assert "&lt;script&gt;x" in page


def test_queries_of_a_document_do_not_grow(client, city):
    world = dispatched_item(city)
    document = world.item.document
    client.force_login(city.officer)
    address = reverse("supervision:document", args=[document.uid])
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for _number in range(9):
        clause = ClauseFactory(document=document)
        dispatched_item(city, clause=clause)
        TargetFactory(document=document, clause=clause)
    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(few) == len(many)
