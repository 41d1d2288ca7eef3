"""The list of items, the file of one, drafts, and every act on them."""

from datetime import date, timedelta

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supervision.models import (
    Assignment,
    DateChange,
    Event,
    EventKind,
    Party,
    SupervisionItem,
)
from supervision.services import items as services
from supervision.views.item_acts import ACTS
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    DocumentFactory,
    ItemFactory,
    MilestoneFactory,
    PartyFactory,
)
from tests.supervision.views.office_world import (
    dispatched_item,
    draft_item,
    filed_report,
    many_items,
)

pytestmark = pytest.mark.django_db
Status = SupervisionItem.Status


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def officer(client, city):
    client.force_login(city.officer)
    return city.officer


def messages_of(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def act(client, item, name, **data):
    data.setdefault("version", item.version)
    return client.post(reverse("supervision:item_act", args=[item.uid, name]), data)


# The list


def test_the_list_shows_the_worst_first_and_counts_lights(client, city, officer):
    late = dispatched_item(city, due_date=TODAY - timedelta(days=9)).item
    calm = dispatched_item(city, due_date=TODAY + timedelta(days=200)).item

    answer = client.get(reverse("supervision:items"))

    assert [row.pk for row in answer.context["page_obj"].object_list] == [late.pk, calm.pk]
    chips = {chip.label: chip.count for chip in answer.context["light_chips"]}
    assert chips["全部"] == 2
    assert chips["红灯（逾期或严重滞后）"] == 1


@pytest.mark.parametrize(
    "query, expected",
    [
        ("light=red", {"late"}),
        ("kind=measure", {"measure"}),
        ("state=draft", {"draft"}),
        ("q=孵化器", {"measure"}),
        ("q=%3Cscript%3E", set()),
        ("light=red&kind=measure", set()),
        ("document=not-a-uid", set()),
        ("body=1", set()),
        ("leader=x", set()),
    ],
)
def test_filters_live_in_the_address(client, city, officer, query, expected):
    rows = {
        "late": dispatched_item(city, due_date=TODAY - timedelta(days=9)).item,
        "measure": dispatched_item(city, kind="measure", title="建设孵化器").item,
        "draft": draft_item(city),
    }

    answer = client.get(reverse("supervision:items") + "?" + query)

    found = {row.pk for row in answer.context["page_obj"].object_list}
    assert found == {rows[name].pk for name in expected}
    if not expected:
        assert "没有符合条件的事项" in answer.content.decode()


def test_filters_by_document_body_and_leader(client, city, officer):
    world = dispatched_item(city)
    draft = draft_item(city)
    other = dispatched_item(city)
    other.item.leader = city.other_leader
    SupervisionItem.objects.filter(pk=other.item.pk).update(leader=city.other_leader)

    def found(query):
        rows = client.get(reverse("supervision:items") + query).context["page_obj"].object_list
        return {row.pk for row in rows}

    assert found(f"?document={world.item.document.uid}") == {world.item.pk}
    assert found(f"?leader={city.other_leader.uid}") == {other.item.pk}
    assert found(f"?body={city.bureau.uid}") == {world.item.pk, draft.pk, other.item.pk}
    assert found(f"?body={city.other_bureau.uid}") == set()


def test_an_item_escapes_what_people_typed(client, city, officer):
    world = dispatched_item(
        city,
        title="<script>alert(1)</script>",
        requirement="<b>x</b>",
        due_date=TODAY - timedelta(days=9),
    )

    for address in (
        reverse("supervision:items"),
        reverse("supervision:item", args=[world.item.uid]),
        reverse("supervision:matrix"),
        reverse("supervision:home"),
    ):
        page = client.get(address).content.decode()
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page
        assert "<b>x</b>" not in page


@pytest.mark.parametrize("name", ["items", "matrix", "home", "reviews", "audit", "documents"])
def test_queries_do_not_grow_with_the_rows(client, city, officer, name):
    city.document = DocumentFactory()
    address = reverse(f"supervision:{name}")
    many_items(city, 1)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    many_items(city, 9)
    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(few) == len(many)


def test_queries_of_a_file_do_not_grow_with_its_bodies(client, city, officer):
    world = dispatched_item(city)
    address = reverse("supervision:item", args=[world.item.uid])
    filed_report(world.lead)
    MilestoneFactory(assignment=world.lead)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for _number in range(20):
        share = AssignmentFactory(item=world.item, role="county")
        filed_report(share)
        Event.objects.create(
            kind=EventKind.ACCEPTED,
            item=world.item,
            assignment=share,
            organization=share.organization,
            happened_at=NOON,
            recorded_at=NOON,
        )
    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(few) == len(many)


# The file


def test_the_office_sees_every_body_and_the_whole_history(client, city, officer):
    world = dispatched_item(city)
    for share in (world.lead, world.support):
        Event.objects.create(
            kind=EventKind.ACCEPTED,
            item=world.item,
            assignment=share,
            organization=share.organization,
            happened_at=NOON,
            recorded_at=NOON,
        )

    page = client.get(reverse("supervision:item", args=[world.item.uid])).content.decode()

    assert "市工信局签收" in page
    assert "市科技局签收" in page
    assert str(world.county.uid) in page


def test_a_body_sees_its_own_share_and_nothing_of_its_siblings(client, city):
    world = dispatched_item(city)
    filed_report(world.lead, progress_text="牵头单位的进展")
    MilestoneFactory(assignment=world.lead, title="牵头单位的节点")
    for share, reason in ((world.lead, "牵头单位的机密理由"), (world.support, "本单位的理由")):
        Event.objects.create(
            kind=EventKind.SENT_BACK,
            item=world.item,
            assignment=share,
            organization=share.organization,
            reason=reason,
            happened_at=NOON,
            recorded_at=NOON,
        )
    Event.objects.create(
        kind=EventKind.ITEM_SENT_BACK,
        item=world.item,
        reason="起草时的内部意见",
        happened_at=NOON,
        recorded_at=NOON,
    )
    Event.objects.create(
        kind=EventKind.ITEM_DISPATCHED,
        item=world.item,
        data={"bodies": 3, "notice": "督字〔2026〕1"},
        happened_at=NOON,
        recorded_at=NOON,
    )
    client.force_login(city.other_liaison)

    page = client.get(reverse("supervision:item", args=[world.item.uid])).content.decode()

    assert "本单位的理由" in page
    assert "共3家单位" in page
    assert str(world.support.uid) in page
    for secret in ("机密理由", "牵头单位的节点", "内部意见", str(world.lead.uid)):
        assert secret not in page
    assert "<form" not in page.split("<main")[1]


def test_a_body_that_supports_reads_the_light_of_its_own_share(client, city):
    world = dispatched_item(city)
    Assignment.objects.filter(pk=world.lead.pk).update(due_date=TODAY - timedelta(days=30))
    client.force_login(city.other_liaison)

    answer = client.get(reverse("supervision:item", args=[world.item.uid]))

    assert answer.context["item"].lamp.code != "red"


def test_the_file_shows_how_the_due_date_moved(client, city, officer):
    world = dispatched_item(city)
    DateChange.objects.create(
        assignment=world.lead,
        cause="extension",
        old_date=date(2026, 6, 1),
        new_date=date(2026, 7, 1),
        working_days=21,
        reason="资金未到位",
        changed_at=NOON,
    )

    page = client.get(reverse("supervision:item", args=[world.item.uid])).content.decode()

    assert "2026-06-01 → 2026-07-01" in page
    assert "21个工作日" in page


# Drafts


def form_of(item=None, **changes) -> dict:
    data = {
        "title": "建设孵化器",
        "requirement": "按期建成。",
        "urgency": "normal",
        "cycle": "monthly",
        "share_cycle": "",
        "due_date": "2026-12-31",
        "openness": "undecided",
        "openness_basis": "",
        "is_declared_free_of_secrets": "on",
        "version": item.version if item else "",
        "party-TOTAL_FORMS": "3",
        "party-INITIAL_FORMS": "0",
        "party-MIN_NUM_FORMS": "0",
        "party-MAX_NUM_FORMS": "200",
        "party-0-role": "lead",
        "party-1-role": "support",
        "party-2-role": "lead",
    }
    return data | changes


def test_an_officer_drafts_an_item_with_its_bodies(client, city, officer):
    document = DocumentFactory()
    data = form_of(
        document=document.pk,
        kind="task",
        **{
            "party-0-organization": city.bureau.pk,
            "party-1-named_as": "有关部门",
        },
    )

    answer = client.post(reverse("supervision:item_new"), data)

    item = SupervisionItem.objects.get()
    assert answer.url == reverse("supervision:item", args=[item.uid])
    assert item.drafted_by == city.officer
    assert list(item.parties.values_list("named_as", "organization", "role")) == [
        ("市工信局", city.bureau.pk, "lead"),
        ("有关部门", None, "support"),
    ]
    page = client.get(answer.url).content.decode()
    assert "“有关部门”尚未对应到单位" in page


def test_a_wrong_draft_keeps_what_was_typed(client, city, officer):
    data = form_of(
        document="",
        kind="task",
        title="甲" * 121,
        requirement="这段话不能丢",
        **{"party-0-organization": city.bureau.pk, "party-1-organization": city.bureau.pk},
    )

    answer = client.post(reverse("supervision:item_new"), data)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert SupervisionItem.objects.count() == 0
    assert "这段话不能丢" in page
    assert "市工信局重复列入" in page


def test_an_unresolved_name_is_resolved_in_the_draft(client, city, officer):
    item = ItemFactory(drafted_by=city.officer)
    PartyFactory(item=item, organization=None, named_as="有关部门", role="lead")
    data = form_of(item, **{"party-0-named_as": "有关部门", "party-0-organization": city.bureau.pk})

    client.post(reverse("supervision:item_edit", args=[item.uid]), data)

    assert Party.objects.get(item=item).organization == city.bureau
    assert services.obstacles_to_submission(item) == []


def test_the_second_of_two_editors_keeps_the_text_and_may_send_it_again(client, city, officer):
    item = draft_item(city)
    data = form_of(item, title="第二个人的题目", **{"party-0-organization": city.bureau.pk})
    services.edit_item(item=item, by=city.officer, at=NOON, title="第一个人的题目")
    address = reverse("supervision:item_edit", args=[item.uid])

    answer = client.post(address, data)

    page = answer.content.decode()
    item.refresh_from_db()
    assert item.title == "第一个人的题目"
    assert "第二个人的题目" in page
    assert "他人" in messages_of(answer)
    data["version"] = answer.context["form"]["version"].value()
    client.post(address, data)
    item.refresh_from_db()
    assert item.title == "第二个人的题目"


def test_only_a_draft_can_be_edited(client, city, officer):
    item = dispatched_item(city).item

    answer = client.get(reverse("supervision:item_edit", args=[item.uid]), follow=True)

    assert "拟办稿" in messages_of(answer)
    assert answer.redirect_chain


# Acts


def test_an_item_goes_from_draft_to_its_bodies_through_the_screens(client, city, officer):
    item = draft_item(city)

    act(client, item, "submit")
    client.force_login(city.office_head)
    item.refresh_from_db()
    act(client, item, "approve", opinion="同意")
    client.force_login(city.officer)
    item.refresh_from_db()
    answer = act(client, item, "dispatch")

    item.refresh_from_db()
    assert item.status == Status.IN_PROGRESS
    assert item.number
    assert item.assignments.count() == 2
    assert "已交办" in messages_of(answer)
    assert list(
        Event.objects.filter(item=item, assignment=None)
        .order_by("pk")
        .values_list("kind", flat=True)
    ) == ["item_submitted", "item_approved", "item_dispatched"]


ROUTES = [
    # act, state, person, data, state afterwards
    ("submit", Status.DRAFT, "officer", {}, Status.UNDER_APPROVAL),
    ("send-back", Status.UNDER_APPROVAL, "office_head", {"reason": "不具体"}, Status.DRAFT),
    ("approve", Status.UNDER_APPROVAL, "leader", {}, Status.INITIATED),
    ("dispatch", Status.INITIATED, "officer", {}, Status.IN_PROGRESS),
    (
        "suspend",
        Status.IN_PROGRESS,
        "leader",
        {"basis": "市政府批示", "expected_end_date": "2026-09-01"},
        Status.SUSPENDED,
    ),
    ("resume", Status.SUSPENDED, "leader", {}, Status.IN_PROGRESS),
    ("cancel", Status.IN_PROGRESS, "principal", {"basis": "市政府批示"}, Status.CANCELLED),
    ("complete", Status.IN_PROGRESS, "office_head", {}, Status.COMPLETED),
    ("archive", Status.COMPLETED, "officer", {}, Status.ARCHIVED),
    (
        "reopen",
        Status.COMPLETED,
        "leader",
        {"instruction": "重新办理", "due_date": "2026-09-01"},
        Status.IN_PROGRESS,
    ),
]


def item_in(city, status, *, is_closed=False):
    fields = {"status": status}
    if status in (Status.DRAFT, Status.UNDER_APPROVAL, Status.INITIATED):
        return draft_item(city, **fields)
    if status in (Status.COMPLETED, Status.ARCHIVED):
        fields |= {"outcome": "on_time", "completed_date": TODAY}
    item = ItemFactory(dispatched=True, leader=city.leader, drafted_by=city.officer, **fields)
    share = {Status.SUSPENDED: "in_progress"}.get(status, "in_progress")
    if is_closed or status in (Status.COMPLETED, Status.ARCHIVED):
        share = "completed"
    AssignmentFactory(item=item, organization=city.bureau, status=share)
    return item


@pytest.mark.parametrize("name, status, person, data, after", ROUTES)
def test_each_act_works_for_the_person_whose_duty_it_is(
    client, city, name, status, person, data, after
):
    item = item_in(city, status, is_closed=name == "complete")
    client.force_login(getattr(city, person))
    page = client.get(reverse("supervision:item", args=[item.uid])).content.decode()
    assert reverse("supervision:item_act", args=[item.uid, name]) in page

    answer = act(client, item, name, **data)

    item.refresh_from_db()
    assert item.status == after
    assert str(ACTS[name].done) in messages_of(answer)


@pytest.mark.parametrize("name, status, person, data, after", ROUTES)
def test_each_act_is_refused_to_others_and_not_offered(
    client, city, name, status, person, data, after
):
    item = item_in(city, status, is_closed=name == "complete")
    other = "leader" if person == "officer" else "officer"
    client.force_login(getattr(city, other))
    page = client.get(reverse("supervision:item", args=[item.uid])).content.decode()
    assert reverse("supervision:item_act", args=[item.uid, name]) not in page

    assert act(client, item, name, **data).status_code == 403
    item.refresh_from_db()
    assert item.status == status


@pytest.mark.parametrize("name, status, person, data, after", ROUTES)
def test_a_second_click_is_a_message_and_no_offence(
    client, city, name, status, person, data, after
):
    item = item_in(city, Status.ARCHIVED)
    if name == "reopen":
        SupervisionItem.objects.filter(pk=item.pk).update(status=Status.IN_PROGRESS, outcome="")
    client.force_login(getattr(city, person))

    answer = act(client, item, name, **data)

    assert answer.status_code == 200
    assert "不能" in messages_of(answer) or "当前" in messages_of(answer)


@pytest.mark.parametrize(
    "name, status, person, data, typed",
    [
        ("send-back", Status.UNDER_APPROVAL, "office_head", {"reason": ""}, "必填"),
        ("cancel", Status.IN_PROGRESS, "leader", {"basis": ""}, "必填"),
        (
            "suspend",
            Status.IN_PROGRESS,
            "leader",
            {"basis": "某某批示", "expected_end_date": "2020-01-01"},
            "某某批示",
        ),
        (
            "reopen",
            Status.COMPLETED,
            "leader",
            {"instruction": "某某批示", "due_date": "2020-01-01"},
            "某某批示",
        ),
        ("complete", Status.IN_PROGRESS, "office_head", {"opinion": "某某意见"}, "某某意见"),
    ],
)
def test_a_refused_act_keeps_what_was_typed(client, city, name, status, person, data, typed):
    item = item_in(city, status)
    client.force_login(getattr(city, person))

    answer = act(client, item, name, **data)

    item.refresh_from_db()
    assert item.status == status
    assert typed in answer.content.decode()


def test_an_act_on_a_row_somebody_changed_says_so_and_changes_nothing(client, city):
    item = item_in(city, Status.UNDER_APPROVAL)
    client.force_login(city.office_head)
    SupervisionItem.objects.filter(pk=item.pk).update(version=7)

    answer = act(client, item, "send-back", reason="请补充依据", version=6)

    item.refresh_from_db()
    assert item.status == Status.UNDER_APPROVAL
    assert "请补充依据" in answer.content.decode()
    assert 'name="version" value="7"' in answer.content.decode()


def test_what_is_missing_for_submission_stands_on_the_page(client, city, officer):
    item = ItemFactory(drafted_by=city.officer, due_date=None, is_declared_free_of_secrets=False)

    page = client.get(reverse("supervision:item", args=[item.uid])).content.decode()
    answer = act(client, item, "submit")

    item.refresh_from_db()
    assert item.status == Status.DRAFT
    assert "牵头单位" in page
    assert "牵头单位" in messages_of(answer)


def test_an_unknown_act_is_not_there(client, city, officer):
    assert act(client, draft_item(city), "explode").status_code == 404


def test_openness_is_decided_with_its_basis(client, city, officer):
    item = dispatched_item(city).item

    act(client, item, "openness", openness="proactive", openness_basis="政府信息公开条例")

    item.refresh_from_db()
    assert item.openness == "proactive"
    assert item.openness_basis == "政府信息公开条例"


# Several at once


def bulk(client, name, *items):
    return client.post(
        reverse("supervision:items_dispatch"),
        {"act": name, "items": [str(item.uid) for item in items]},
    )


def test_bulk_does_what_is_possible_and_names_each_refusal(client, city, officer):
    good = draft_item(city)
    bad = ItemFactory(drafted_by=city.officer, title="没有牵头单位的事项")

    answer = bulk(client, "submit", good, bad)

    good.refresh_from_db(), bad.refresh_from_db()
    assert good.status == Status.UNDER_APPROVAL
    assert bad.status == Status.DRAFT
    assert "没有牵头单位的事项" in messages_of(answer)


def test_bulk_writes_the_same_history_as_the_single_act(client, city, officer):
    one, two, three = (draft_item(city, status=Status.INITIATED) for _number in range(3))
    act(client, one, "dispatch")

    bulk(client, "dispatch", two, three)

    def history(item):
        return list(
            Event.objects.filter(item=item)
            .order_by("pk")
            .values_list("kind", "from_state", "to_state", "by", "organization")
        )

    assert history(one) == history(two) == history(three)
    assert len(history(one)) == 4  # the item, two shares, the notice


def test_bulk_approval_leaves_the_drafter_s_own_items(client, city):
    own = draft_item(city, status=Status.UNDER_APPROVAL)
    SupervisionItem.objects.filter(pk=own.pk).update(drafted_by=city.office_head)
    other = draft_item(city, status=Status.UNDER_APPROVAL)
    client.force_login(city.office_head)

    answer = bulk(client, "approve", own, other)

    own.refresh_from_db(), other.refresh_from_db()
    assert (own.status, other.status) == (Status.UNDER_APPROVAL, Status.INITIATED)
    assert "权限" in messages_of(answer)


@pytest.mark.parametrize("person", ["body_head", "leader", "auditor", "publisher", "stranger"])
def test_bulk_dispatch_is_the_officers(client, city, person):
    item = draft_item(city, status=Status.INITIATED)
    client.force_login(getattr(city, person))

    assert bulk(client, "dispatch", item).status_code == 403
    item.refresh_from_db()
    assert item.status == Status.INITIATED


def test_bulk_without_a_choice_says_what_to_do(client, city, officer):
    answer = bulk(client, "submit")

    assert "请先勾选" in messages_of(answer)
    assert bulk(client, "nonsense").status_code == 404
