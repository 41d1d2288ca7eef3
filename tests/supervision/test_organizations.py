"""Bodies merged, split, renamed: the open work moves, the past stays what it was."""

from datetime import date, timedelta
from io import BytesIO

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from openpyxl import load_workbook

from supervision.history import sentence
from supervision.models import (
    Assignment,
    BodyChange,
    Event,
    EventKind,
    Milestone,
    Organization,
    OrganizationAlias,
    Succession,
    User,
)
from supervision.services.acts import ActRefused
from supervision.services.organizations import (
    Successor,
    change_bodies,
    plan_succession,
    present_bodies,
    resolve_bodies,
)
from supervision.spreadsheets.ledger import write_ledger
from tests.factories import (
    NOON,
    TODAY,
    AssignmentFactory,
    ExtensionFactory,
    ItemFactory,
    LetterFactory,
    MilestoneFactory,
    ObjectionFactory,
    OrganizationFactory,
    PartyFactory,
    PeriodFactory,
    ReportFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
YESTERDAY = TODAY - timedelta(days=1)
MARKET = Successor("市市场监管局", "云溪市市场监督管理局")


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOON, tick=False):
        yield


def body(name: str, **fields) -> Organization:
    found = OrganizationFactory(short_name=name, full_name=f"云溪{name}", **fields)
    for one in (found.short_name, found.full_name):
        OrganizationAlias.objects.create(
            organization=found, region_code=found.region_code, name=one
        )
    return found


def share(of: Organization, *, item=None, role="lead", status="in_progress", **fields):
    found = AssignmentFactory(
        item=item or ItemFactory(dispatched=True),
        organization=of,
        role=role,
        status=status,
        **fields,
    )
    MilestoneFactory(assignment=found, planned_date=TODAY - timedelta(days=8))
    MilestoneFactory(assignment=found, status="completed")
    period = PeriodFactory(assignment=found)
    ReportFactory(period=period, status="approved", reviewed_at=NOON, self_percent=40)
    return found


def ledger(day: date, of: Organization | None = None) -> list[list]:
    """Every cell of the ledger as it stands on a day."""
    target = BytesIO()
    write_ledger(
        target,
        assignments=Assignment.objects.all(),
        today=day,
        as_of=NOON,
        title="台账",
        body=of,
    )
    book = load_workbook(BytesIO(target.getvalue()))
    return [
        [sheet.title, *(tuple(row) for row in sheet.iter_rows(values_only=True))] for sheet in book
    ]


def change(city, old, successors, **options):
    options = {"from_date": TODAY, "basis": "云办发〔2026〕9号", "by": city.office_head} | options
    return change_bodies(old=old, successors=successors, at=NOON, today=TODAY, **options)


@pytest.mark.parametrize(
    "names, successor",
    [
        (["市质监局", "市食品和市场监管局"], MARKET),
        (["市国税局", "市地税局"], Successor("市税务局", "国家税务总局云溪市税务局")),
        (["市国土局"], Successor("市自然资源和规划局", "云溪市自然资源和规划局")),
        (["市环保局"], Successor("市生态环境局", "云溪市生态环境局")),
    ],
)
def test_open_work_moves_and_the_past_stays(city, names, successor):
    former = [body(name) for name in names]
    together = ItemFactory(dispatched=True)
    shares = [
        share(one, item=together, role="support" if place else "lead")
        for place, one in enumerate(former)
    ]
    alone = [share(one) for one in former]
    closed = [share(one, status="completed") for one in former]
    person = UserFactory(roles=["liaison"], organization=former[-1])
    letter = LetterFactory(assignment=alone[-1], reply_due_date=TODAY)
    draft = PartyFactory(organization=former[0])
    before = {day: ledger(day) for day in (YESTERDAY, TODAY - timedelta(days=30))}
    of_each = [ledger(YESTERDAY, one) for one in former]

    change(city, former, [successor])

    new = Organization.objects.get(short_name=successor.short_name)
    assert {day: ledger(day) for day in before} == before
    assert [ledger(YESTERDAY, one) for one in former] == of_each
    assert str(new) in str(ledger(TODAY))
    for row in [shares[0], *alone]:
        row = Assignment.objects.get(pk=row.pk)
        assert (row.organization, row.status) == (new, "in_progress")
    for row, old in zip(closed, former, strict=True):
        assert Assignment.objects.get(pk=row.pk).organization == old
    assert User.objects.get(pk=person.pk).organization == new
    assert type(letter).objects.get(pk=letter.pk).organization == new
    assert type(draft).objects.get(pk=draft.pk).organization == new
    for old in former:
        old.refresh_from_db()
        assert old.valid_to_date == YESTERDAY
        assert resolve_bodies(old.short_name, on=TODAY) == [new]
        assert resolve_bodies(old.full_name, on=TODAY) == [new]
        assert resolve_bodies(old.short_name, on=YESTERDAY) == [old]
    assert resolve_bodies(successor.short_name, on=TODAY) == [new]
    event = Event.objects.get(kind=EventKind.BODIES_CHANGED)
    assert all(name in sentence(event) for name in [*names, successor.short_name])


def test_two_shares_of_one_item_become_one(city):
    quality, food = body("市质监局"), body("市食品和市场监管局")
    item = ItemFactory(dispatched=True)
    lead, support = share(quality, item=item), share(food, item=item, role="support")
    waiting = ExtensionFactory(assignment=support)
    ObjectionFactory(assignment=share(food, status="disputed"))

    change(city, [food, quality], [MARKET])

    lead, support = (Assignment.objects.get(pk=row.pk) for row in (lead, support))
    assert (lead.status, str(lead.organization)) == ("in_progress", "市市场监管局")
    assert (support.status, support.organization) == ("cancelled", food)
    told = BodyChange.objects.get(assignment=support)
    assert (told.joined_to, told.status_before) == (lead, "in_progress")
    assert [step.pk for step in lead.milestones.filter(pk__in=told.added_milestones)]
    assert type(waiting).objects.get(pk=waiting.pk).status == "withdrawn"
    moved = Event.objects.filter(kind=EventKind.BODY_CHANGED, assignment=lead)
    assert {sentence(one) for one in moved} == {
        "市食品和市场监管局承担的任务并入市市场监管局在同一事项中的任务，继续办理",
        "任务由市质监局转由市市场监管局承担",
    }
    assert not Milestone.objects.filter(assignment=lead, original_date=None).exclude(status="draft")


def test_a_split_asks_for_each_open_share(city):
    development = body("市发改委")
    two = [Successor("市发改局", "云溪市发改局"), Successor("市数据局", "云溪市数据局")]
    first, second, closed = (
        share(development),
        share(development),
        share(development, status="completed"),
    )
    person = UserFactory(roles=["liaison"], organization=development)
    with pytest.raises(ActRefused):
        change(city, [development], two, choices={first.pk: 0})
    assert Organization.objects.filter(short_name="市数据局").count() == 0
    before = ledger(YESTERDAY)

    change(
        city,
        [development],
        two,
        choices={first.pk: 0, second.pk: 1},
        person_choices={person.pk: 1},
    )

    names = [
        str(Assignment.objects.select_related("organization").get(pk=row.pk).organization)
        for row in (first, second, closed)
    ]
    assert names == ["市发改局", "市数据局", "市发改委"]
    assert str(User.objects.get(pk=person.pk).organization) == "市数据局"
    assert [str(one) for one in resolve_bodies("市发改委", on=TODAY)] == ["市发改局", "市数据局"]
    assert ledger(YESTERDAY) == before


def test_an_existing_body_can_take_over(city):
    former, present = body("市地震局"), body("市应急局")
    mine, theirs = share(former), share(present)
    item = theirs.item
    joined = share(former, item=item, role="support")

    change(city, [former], [Successor("市应急局", body=present)])

    assert Assignment.objects.get(pk=mine.pk).organization == present
    assert Assignment.objects.get(pk=joined.pk).status == "cancelled"
    assert Assignment.objects.get(pk=theirs.pk).status == "in_progress"


@pytest.mark.parametrize("role, status", [("lead", "in_progress"), ("support", "completed")])
def test_a_share_that_cannot_carry_another_stops_everything(city, role, status):
    former, present = body("市地震局"), body("市应急局")
    item = ItemFactory(dispatched=True)
    own_role = "support" if role == "lead" else "lead"
    share(present, item=item, role=own_role, status=status)
    mine = share(former, item=item, role=role)

    with pytest.raises(ActRefused):
        change(city, [former], [Successor("市应急局", body=present)])

    assert Assignment.objects.get(pk=mine.pk).organization == former
    assert not Succession.objects.exists()


def test_a_chain_of_names_leads_to_the_present_body(city):
    land = body("市国土局")
    change(city, [land], [Successor("市自然资源局", "云溪市自然资源局")], from_date=YESTERDAY)
    second = Organization.objects.get(short_name="市自然资源局")
    change(city, [second], [Successor("市自然资源和规划局", "云溪市自然资源和规划局")])

    assert [str(one) for one in resolve_bodies("市国土局", on=TODAY)] == ["市自然资源和规划局"]
    land.refresh_from_db()
    second.refresh_from_db()
    assert present_bodies([land, second], on=TODAY) == resolve_bodies("市国土局", on=TODAY)
    assert resolve_bodies("没有这个局", on=TODAY) == []


@pytest.mark.parametrize(
    "old, successors, options",
    [
        (["甲局"], ["乙局"], {"from_date": TODAY + timedelta(days=1)}),
        (["甲局", "丙局"], ["乙局", "丁局"], {}),
        (["甲局"], ["丙局"], {}),
        (["甲局"], ["乙局", "乙局"], {}),
        ([], ["乙局"], {}),
        (["甲局"], [], {}),
        (["旧局"], ["乙局"], {}),
        (["甲局"], ["乙局"], {"basis": " "}),
        (["甲局"], ["乙局"], {"stamp": "another"}),
    ],
)
def test_what_makes_no_sense_is_refused(city, old, successors, options):
    bodies = {name: body(name) for name in ("甲局", "丙局")}
    bodies["旧局"] = body("旧局", valid_to_date=YESTERDAY)

    with pytest.raises(ActRefused):
        change(
            city,
            [bodies[name] for name in old],
            [Successor(name, f"云溪{name}") for name in successors],
            **options,
        )

    assert not Succession.objects.exists()


@pytest.mark.parametrize("who", ["officer", "leader", "principal", "body_head", "administrator"])
def test_only_the_head_of_the_office_changes_bodies(city, who):
    former = body("市环保局")

    with pytest.raises(PermissionDenied):
        change(city, [former], [MARKET], by=getattr(city, who))


def test_the_successor_reads_what_ended_under_the_former_name(city):
    former = body("市环保局")
    mine, closed = share(former), share(former, status="completed")
    person = UserFactory(roles=["liaison"], organization=former)
    stranger = share(body("市水利局"))

    change(city, [former], [Successor("市生态环境局", "云溪市生态环境局")])

    person = User.objects.get(pk=person.pk)
    assert set(Assignment.objects.visible_to(person)) == {mine, closed}
    assert stranger not in Assignment.objects.visible_to(person)


def test_the_screen_shows_what_moves_before_it_moves(client, city):
    former = [body("市国税局"), body("市地税局")]
    mine = share(former[1])
    UserFactory(display_name="赵六", roles=["liaison"], organization=former[0])
    address = reverse("supervision:organizations_change")
    typed = {
        "old": [one.pk for one in former],
        "successors": "市税务局 国家税务总局云溪市税务局",
        "from_date": TODAY.isoformat(),
        "basis": "云办发〔2026〕9号",
    }
    client.force_login(city.office_head)

    unseen = client.post(address, typed | {"act": "apply"})
    preview = client.post(address, typed | {"act": "preview"})

    page = preview.content.decode()
    assert not Succession.objects.exists()
    assert unseen.status_code == 200
    assert all(text in page for text in (mine.item.title, "市地税局", "市税务局", "赵六"))
    stamp = preview.context["plan"].stamp
    changed = client.post(address, typed | {"act": "apply", "stamp": stamp, "basis": "另一文件"})
    assert changed.status_code == 302
    assert str(Assignment.objects.get(pk=mine.pk).organization) == "市税务局"
    shown = client.get(changed.url).content.decode()
    assert "市国税局、市地税局 → 市税务局" in shown


def test_the_screen_of_a_split_asks_row_by_row(client, city):
    former = body("市发改委")
    mine = share(former)
    address = reverse("supervision:organizations_change")
    typed = {
        "old": [former.pk],
        "successors": "市发改局 云溪市发改局\n市数据局 云溪市数据局",
        "from_date": TODAY.isoformat(),
        "basis": "云办发〔2026〕9号",
    }
    client.force_login(city.office_head)
    asked = client.post(address, typed | {"act": "preview"})
    assert f'name="share-{mine.pk}"' in asked.content.decode()
    assert 'value="apply"' not in asked.content.decode()

    decided = client.post(address, typed | {"act": "preview", f"share-{mine.pk}": "1"})
    stamp = decided.context["plan"].stamp
    client.post(address, typed | {"act": "apply", f"share-{mine.pk}": "1", "stamp": stamp})

    assert str(Assignment.objects.get(pk=mine.pk).organization) == "市数据局"


def test_both_names_are_found_by_search(client, city):
    former = body("市环保局")
    change(city, [former], [Successor("市生态环境局", "云溪市生态环境局")])
    client.force_login(city.officer)

    for name in ("环保局", "生态环境局"):
        answer = client.get(reverse("supervision:search"), {"q": name})
        assert {str(one) for one in answer.context["bodies"]} == {"市环保局", "市生态环境局"}
        assert "现为市生态环境局" in answer.content.decode()
        assert "原为市环保局" in answer.content.decode()


def test_a_plan_changes_nothing(city):
    former = body("市环保局")
    share(former)

    plan = plan_succession(
        old=[former], successors=[Successor("市生态环境局", "全称")], from_date=TODAY, today=TODAY
    )

    assert (len(plan.moves), plan.milestone_count, plan.problems) == (1, 1, [])
    assert not Succession.objects.exists()
    assert not Event.objects.exists()
