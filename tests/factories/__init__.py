"""One valid row of each kind, with a trait per state, and a small city full of people."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import factory
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile

from supervision.models import (
    Assignment,
    Clause,
    ExtensionRequest,
    Letter,
    Milestone,
    Objection,
    Organization,
    Party,
    PolicyDocument,
    ProgressReport,
    ReportPeriod,
    Role,
    SupervisionItem,
    Target,
    User,
)
from supervision.rules.secrecy_slip import QUESTIONS
from supervision.services import releases

NOON = datetime(2026, 6, 10, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
TODAY = NOON.date()
PASSWORD = "Correct-horse-9"


class OrganizationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Organization

    region_code = "999900"
    code = factory.Sequence(lambda n: f"body{n}")
    kind = Organization.Kind.BUREAU
    kind_position = factory.LazyAttribute(lambda o: Organization.KIND_POSITIONS[o.kind])
    position = factory.Sequence(lambda n: n + 1)
    short_name = factory.Sequence(lambda n: f"测试局{n}")
    full_name = factory.LazyAttribute(lambda o: f"云溪市{o.short_name}")

    class Params:
        county = factory.Trait(
            kind=Organization.Kind.COUNTY, short_name=factory.Sequence(lambda n: f"测试县{n}")
        )
        office = factory.Trait(kind=Organization.Kind.OFFICE, short_name="市政府办公室")


class UserFactory(factory.django.DjangoModelFactory):
    """`UserFactory(roles=[Role.LIAISON], organization=body)`; the password is PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    display_name = factory.Sequence(lambda n: f"张三{n}")
    email = factory.LazyAttribute(lambda o: f"{o.username}@example.org")
    organization = None

    @factory.post_generation
    def roles(self, create, extracted, **kwargs):
        for role in extracted or []:
            group, _created = Group.objects.get_or_create(name=str(role))
            self.groups.add(group)
        self.set_password(PASSWORD)
        self.save()


class DocumentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PolicyDocument

    doc_number = factory.Sequence(lambda n: f"云政发〔2026〕{n + 1}号")
    title = "关于测试的实施意见"
    issuing_body = "云溪市人民政府"
    region_code = "999900"
    region_name = "云溪市"
    issued_date = date(2026, 1, 5)
    horizon_date = date(2028, 12, 31)
    status = PolicyDocument.Status.ACTIVE


class ClauseFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Clause

    document = factory.SubFactory(DocumentFactory)
    kind = Clause.Kind.TASK
    number = factory.Sequence(lambda n: f"二（{n + 1}）")
    position = factory.Sequence(lambda n: n + 1)
    title = factory.Sequence(lambda n: f"测试条款{n + 1}")
    theme = "研发机构"
    summary = "建立研发机构。"


class TargetFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Target

    document = factory.SubFactory(DocumentFactory)
    code = factory.Sequence(lambda n: f"target-{n}")
    position = factory.Sequence(lambda n: n + 1)
    name = factory.Sequence(lambda n: f"指标{n + 1}")
    comparison = Target.Comparison.AT_LEAST
    value = 80
    unit = "项"
    due_date = date(2027, 12, 31)


class ItemFactory(factory.django.DjangoModelFactory):
    """A draft unless `status` says more; with `dispatched=True` it is in progress."""

    class Meta:
        model = SupervisionItem

    clause = factory.SubFactory(ClauseFactory)
    document = factory.LazyAttribute(lambda o: o.clause.document)
    kind = Clause.Kind.TASK
    position = factory.Sequence(lambda n: n + 1)
    title = factory.LazyAttribute(lambda o: o.clause.title if o.clause else "测试事项")
    requirement = "按期完成。"
    due_date = date(2026, 12, 31)
    is_declared_free_of_secrets = True
    created_at = NOON - timedelta(days=100)

    class Params:
        dispatched = factory.Trait(
            status=SupervisionItem.Status.IN_PROGRESS,
            number=factory.Sequence(lambda n: f"督字〔2026〕{n + 1}"),
            original_due_date=factory.SelfAttribute("due_date"),
            approved_at=NOON - timedelta(days=95),
            dispatched_at=NOON - timedelta(days=90),
        )


class PartyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Party

    item = factory.SubFactory(ItemFactory)
    organization = factory.SubFactory(OrganizationFactory)
    named_as = factory.LazyAttribute(lambda o: o.organization.short_name)
    role = "lead"
    position = 1


class AssignmentFactory(factory.django.DjangoModelFactory):
    """A share in any state: `AssignmentFactory(status="under_review")` is consistent."""

    class Meta:
        model = Assignment

    item = factory.SubFactory(ItemFactory, dispatched=True)
    organization = factory.SubFactory(OrganizationFactory)
    role = "lead"
    status = Assignment.Status.IN_PROGRESS
    dispatched_date = TODAY - timedelta(days=90)
    episode_start_date = factory.SelfAttribute("dispatched_date")
    accept_due_date = factory.LazyAttribute(lambda o: o.dispatched_date + timedelta(days=2))
    objection_due_date = factory.LazyAttribute(lambda o: o.dispatched_date + timedelta(days=3))
    due_date = factory.LazyAttribute(lambda o: o.item.due_date)
    original_due_date = factory.LazyAttribute(lambda o: o.due_date)

    @factory.lazy_attribute
    def submitted_date(self):
        return TODAY if self.status in ("under_review", "approved", "completed") else None

    @factory.lazy_attribute
    def submitted_at(self):
        return NOON if self.status in ("under_review", "approved", "completed") else None

    @factory.lazy_attribute
    def outcome(self):
        return {"completed": "on_time", "cancelled": "cancelled"}.get(str(self.status), "")

    @factory.lazy_attribute
    def completed_date(self):
        return TODAY if self.status == "completed" else None

    @factory.lazy_attribute
    def days_late(self):
        return 0 if self.status == "completed" else None

    @factory.lazy_attribute
    def days_late_original(self):
        return 0 if self.status == "completed" else None

    @factory.lazy_attribute
    def suspended_from(self):
        return "in_progress" if self.status == "suspended" else ""

    @factory.lazy_attribute
    def suspended_date(self):
        return TODAY - timedelta(days=5) if self.status == "suspended" else None


class MilestoneFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Milestone

    assignment = factory.SubFactory(AssignmentFactory)
    title = factory.Sequence(lambda n: f"节点{n + 1}")
    planned_date = TODAY + timedelta(days=30)
    status = Milestone.Status.PLANNED

    @factory.lazy_attribute
    def original_date(self):
        return None if self.status == "draft" else self.planned_date

    @factory.lazy_attribute
    def verified_date(self):
        return TODAY if self.status == "completed" else None

    @factory.lazy_attribute
    def actual_date(self):
        return TODAY if self.status in ("completed", "under_review", "returned") else None


class PeriodFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ReportPeriod

    assignment = factory.SubFactory(AssignmentFactory)
    label = "2026-05"
    start_date = date(2026, 5, 1)
    end_date = date(2026, 5, 31)
    due_date = date(2026, 6, 5)


class ReportFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ProgressReport

    period = factory.SubFactory(PeriodFactory)
    status = ProgressReport.Status.DRAFT
    progress_text = "本月新增研发机构12家。"
    created_at = NOON

    @factory.lazy_attribute
    def submitted_at(self):
        return NOON if self.status in ("submitted", "returned", "approved") else None


class ExtensionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ExtensionRequest

    assignment = factory.SubFactory(AssignmentFactory)
    status = ExtensionRequest.Status.SUBMITTED
    cause = "funds"
    reason = "资金未到位。"
    progress_text = "已完成八成。"
    due_date_then = factory.LazyAttribute(lambda o: o.assignment.due_date)
    asked_date = factory.LazyAttribute(lambda o: o.due_date_then + timedelta(days=60))
    asked_by = factory.SubFactory(UserFactory)

    @factory.lazy_attribute
    def granted_date(self):
        return self.asked_date if self.status == "granted" else None


class ObjectionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Objection

    assignment = factory.SubFactory(AssignmentFactory, status="disputed")
    reason = "不属本局职责。"
    submitted_by = factory.SubFactory(UserFactory)
    submitted_at = NOON
    decide_by_date = TODAY + timedelta(days=5)


class LetterFactory(factory.django.DjangoModelFactory):
    """An urging sheet to the body of a share, issued and drawn, waiting for receipt and reply."""

    class Meta:
        model = Letter

    kind = "urging_blue"
    series = "urging"
    status = Letter.Status.ISSUED
    assignment = factory.SubFactory(AssignmentFactory)
    item = factory.LazyAttribute(lambda o: o.assignment.item)
    organization = factory.LazyAttribute(lambda o: o.assignment.organization)
    episode = 1
    year = 2026
    n = factory.Sequence(lambda n: n + 1000)
    number = factory.LazyAttribute(lambda o: f"政督催〔2026〕{o.n}号")
    title = "催办通知单"
    content = factory.LazyAttribute(
        lambda o: {
            "kind": o.kind,
            "title": o.title,
            "number": o.number,
            "paragraphs": [{"level": 0, "text": "请抓紧办理。"}],
        }
    )
    template_version = 1
    created_at = NOON
    issued_at = NOON
    receipt_due_date = TODAY + timedelta(days=1)
    reply_due_date = TODAY + timedelta(days=5)
    docx = factory.LazyFunction(lambda: ContentFile(b"PK", name="letter.docx"))
    docx_sha256 = "0" * 64


SLIP = {
    "answers": dict.fromkeys(QUESTIONS, "no"),
    "attribute": "proactive",
    "finding": "不涉密，可以公开。",
}


def review_release(city, release, *, at=NOON, until: int = 3):
    """Hand an edition in and let three people read it, as far as review `until`."""
    release = releases.submit_release(release=release, by=city.publisher, at=at)
    readers = (city.reviewer, city.second_reviewer, city.third_reviewer)
    for stage, reader in enumerate(readers[:until], start=1):
        release = releases.approve_release(
            release=release, by=reader, at=at, slip=SLIP if stage == 3 else None
        )
    return release


def release_edition(city, document, *, at=NOON):
    """Compose, review, publish."""
    row = releases.propose_release(document=document, by=city.publisher, at=at)
    row = review_release(city, row, at=at)
    return releases.publish_release(release=row, by=city.publisher, at=at + timedelta(minutes=1))


def build_city() -> SimpleNamespace:
    """Bodies and people by name: `city.bureau`, `city.county_head`, `city.officer` …"""
    office = OrganizationFactory(office=True)
    bureau = OrganizationFactory(short_name="市工信局")
    other_bureau = OrganizationFactory(short_name="市科技局")
    county = OrganizationFactory(county=True, short_name="桃城区")
    other_county = OrganizationFactory(county=True, short_name="冀州区")

    people = {
        "officer": ([Role.OFFICER], office),
        "office_head": ([Role.OFFICE_HEAD], office),
        "leader": ([Role.LEADER], None),
        "other_leader": ([Role.LEADER], None),
        "principal": ([Role.PRINCIPAL], None),
        "liaison": ([Role.LIAISON], bureau),
        "body_head": ([Role.BODY_HEAD], bureau),
        "other_liaison": ([Role.LIAISON], other_bureau),
        "other_head": ([Role.BODY_HEAD], other_bureau),
        "county_liaison": ([Role.LIAISON], county),
        "county_head": ([Role.BODY_HEAD], county),
        "publisher": ([Role.PUBLISHER], office),
        "reviewer": ([Role.REVIEWER], office),
        "second_reviewer": ([Role.REVIEWER], office),
        "third_reviewer": ([Role.REVIEWER], office),
        "auditor": ([Role.AUDITOR], office),
        "administrator": ([Role.ADMINISTRATOR], office),
        "stranger": ([], None),
    }
    groups = {group.name: group.pk for group in Group.objects.all()}
    password = make_password(PASSWORD)
    rows = User.objects.bulk_create(
        User(
            username=name,
            display_name=name,
            email=f"{name}@example.org",
            organization=organization,
            password=password,
        )
        for name, (_roles, organization) in people.items()
    )
    User.groups.through.objects.bulk_create(
        User.groups.through(user_id=row.pk, group_id=groups[role])
        for row in rows
        for role in people[row.username][0]
    )
    return SimpleNamespace(
        office=office,
        bureau=bureau,
        other_bureau=other_bureau,
        county=county,
        other_county=other_county,
        **{row.username: row for row in rows},
    )
