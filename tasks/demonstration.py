"""Two years of invented work, replayed through the same services with an injected clock.

The real document's clauses and bodies, re-based so that today falls inside the plan; everything
that "happens" is invented and every page says so. Deterministic: the same day gives the same rows.
Refused on a database that holds real work.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

import yaml
from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django_fsm import TransitionNotAllowed

import supervision
from notifications.models import Delivery, FanOut, InboxEntry, SendStatus
from notifications.services import hear
from supervision.models import (
    URGING_KINDS,
    Assignment,
    Demonstration,
    Event,
    EventKind,
    Letter,
    Milestone,
    Organization,
    PolicyDocument,
    ProgressReport,
    Release,
    ReportPeriod,
    Responsibility,
    Role,
    SupervisionItem,
    User,
)
from supervision.rules.policy_file import PolicyFile, parse_policy
from supervision.rules.secrecy_slip import QUESTIONS
from supervision.services import assignments as acts
from supervision.services import (
    documents,
    items,
    letters,
    milestones,
    releases,
    reports,
    requests,
)
from supervision.services.acts import ActRefused, record_event
from supervision.services.reports import targets_of
from supervision.services.roles import sync_roles
from supervision.services.settings import sync_settings, working_calendar
from supervision.signals import event_recorded
from tasks.jobs import sweep

DATA_FILE = Path(supervision.__file__).parent / "data" / "hengshui-2017-1.yaml"
PASSWORD = "Duban-demo-2026"
YEARS_BACK_DAYS = 730
# So many days back the inboxes of the demonstration reach.
HEARD_DAYS = 60

# username, name, role, duty: the office and those above it
PEOPLE = (
    ("ducha", "王敏", (Role.OFFICER,), "督查员"),
    ("zhuren", "李国强", (Role.OFFICE_HEAD,), "督查室主任"),
    ("fushizhang", "赵副市长", (Role.LEADER,), "分管工业副市长"),
    ("kejifu", "孙副市长", (Role.LEADER,), "分管科技副市长"),
    ("shizhang", "周市长", (Role.PRINCIPAL,), "市长"),
    ("fabu", "陈静", (Role.PUBLISHER,), "公开编辑"),
    ("shenhe", "刘洋", (Role.REVIEWER,), "公开一审"),
    ("fushen", "马晓燕", (Role.REVIEWER,), "公开二审"),
    ("baomi", "高建军", (Role.REVIEWER,), "公开三审（保密审查）"),
    ("shenji", "郑宏", (Role.AUDITOR,), "审计管理员"),
    ("guanli", "何平", (Role.ADMINISTRATOR,), "系统管理员"),
)
SIGN_INS = (
    ("ducha", "督查员（市政府办督查室）"),
    ("zhuren", "督查室主任"),
    ("fushizhang", "分管领导"),
    ("gxj", "市工信局联络员"),
    ("gxj-head", "市工信局负责人"),
    ("taocheng", "桃城区联络员"),
    ("taocheng-head", "桃城区负责人"),
    ("fabu", "公开编辑（也可登录 /cms/）"),
    ("shenhe", "公开一审"),
    ("fushen", "公开二审"),
    ("baomi", "公开三审（保密审查）"),
)
SLIP = {
    "answers": dict.fromkeys(QUESTIONS, "no"),
    "attribute": "proactive",
    "finding": "内容来自已审定的报送，不涉及国家秘密和工作秘密，可以公开。",
}
SURNAMES = "张王李赵刘陈杨黄周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余"
GIVEN = ("建国", "志强", "丽华", "晓东", "秀英", "海涛", "文博", "春梅", "立新", "玉兰")

# Days from issue to due, for the 22 clauses in order: some long done, some just due, some far off.
DUE_AFTER_DAYS = (
    420, 480, 540, 560, 600, 620, 650, 680, 695, 706, 715,
    722, 728, 732, 738, 746, 800, 860, 900, 960, 1040, 1100,
)  # fmt: skip
# Leads that are held up: position of the item, working days late. The last ones are not done yet.
HELD_UP = {4: 12, 8: 60, 10: 45, 12: 30}
# How a body works: chance to be late, to miss a return, usual delay in working days.
DILIGENT, AVERAGE, SLOW = (0.04, 0.02, 0), (0.15, 0.10, 2), (0.42, 0.30, 6)
PROFILES = {
    "gxj": DILIGENT,
    "kjj": DILIGENT,
    "taocheng": DILIGENT,
    "jrb": SLOW,
    "zjj": SLOW,
    "wuqiang": SLOW,
    "fucheng": SLOW,
    "bhxq": SLOW,
}
STAGES = ("调查摸底，建立企业清单", "出台配套办法并组织实施", "阶段自查，补齐短板", "总结验收")
DELIVERABLES = ("企业清单", "实施办法", "自查报告", "验收材料")
PROGRESS = (
    "本期走访企业{n}家，解决问题{m}个；“{title}”按计划推进，新增达标企业{m}家。",
    "召开专题会议{m}次，印发通知{m}份；围绕“{title}”完成申报{n}项，已通过{m}项。",
    "完成“{title}”阶段任务{n}项中的{m}项，落实资金{n}0万元，其余事项正在办理。",
    "组织培训{m}场、{n}人次参加；“{title}”涉及的重点项目开工{m}个。",
)
PROBLEMS = ("部分企业配套资金到位慢。", "项目审批环节较多，周期偏长。", "基层专业人员不足。")
NEXT = ("下期重点督促未达标企业整改。", "下期完成第二批申报和验收。", "下期开展现场核查。")
CAUSES = ("funds", "approval", "cooperation", "other")

# Invented instructions beside the document, so that every state of an item can be seen.
DECISIONS = {True: "逾期较久且无正当理由，同意。", False: "已约定办结日期，暂缓。"}
EXTRA_TITLES = (
    ("研究提出工业企业用电成本情况", "draft"),
    ("核实两家企业研发补助到账情况", "under_approval"),
    ("梳理市级技术中心评价结果", "initiated"),
    ("协调园区污水处理扩容手续", "suspended"),
    ("筹备产学研对接会", "cancelled"),
    ("清理涉企检查事项", "archived"),
    ("补充报送产业链图谱", "dispatched"),
    ("核对科技报表口径", "reassigned"),
)


@dataclass(frozen=True)
class Cast:
    """Who acts: the office and above by username; each body's liaison and head by its id."""

    people: dict[str, User]
    liaisons: dict[int, User]
    heads: dict[int, User]

    def __getattr__(self, name: str) -> User:
        return self.people[name]


@contextmanager
def hearing_nothing() -> Iterator[None]:
    """Let events happen that nobody is told of."""
    event_recorded.disconnect(hear, dispatch_uid="notifications.hear")
    try:
        yield
    finally:
        event_recorded.connect(hear, dispatch_uid="notifications.hear")


def refresh_statistics() -> None:
    """Let PostgreSQL know how the tables have grown: nobody else sees our open transaction.

    Our own tables only: shared catalogues would stay locked for every other database.
    """
    if connection.vendor == "postgresql":
        models = [
            *apps.get_app_config("supervision").get_models(),
            *apps.get_app_config("notifications").get_models(),
        ]
        tables = ", ".join(f'"{model._meta.db_table}"' for model in models)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {tables}")


class RealWork(Exception):
    """The database holds work that is no demonstration."""


def load(*, today: date, days_back: int = YEARS_BACK_DAYS) -> dict[str, int]:
    """Fill an empty database with the demonstration as it stands on `today`.

    `days_back`: how many calendar days of work are replayed.

    Raises RealWork when documents or items are already there. Returns counts by kind of event.
    """
    if PolicyDocument.objects.exists() or SupervisionItem.objects.exists():
        raise RealWork("the database already holds work")
    with transaction.atomic():
        return _Replay(today, days_back).run()


class _Replay:
    def __init__(self, today: date, days_back: int) -> None:
        self.today = today
        self.issued_on = today - timedelta(days=days_back)
        self.random = random.Random("衡政字〔2017〕1号")
        # A source of its own: answers to letters leave everybody else's fate as it was.
        self.letters_random = random.Random("文书")
        self.queue: list[tuple[datetime, int, Callable[[datetime], object]]] = []
        self.order = itertools.count()
        self.refused = 0

    # Clock and queue

    def moment(self, day: date, hour: int = 9, minute: int = 0) -> datetime:
        return timezone.make_aware(datetime.combine(day, time(hour, minute)))

    def later(self, day: date, working_days: int) -> date:
        return self.calendar.next_working(self.calendar.add(day, working_days))

    def plan(
        self,
        day: date,
        act: Callable[[datetime], object],
        source: random.Random | None = None,
    ) -> None:
        """Let `act` happen in office hours of `day`, if the demonstration gets that far."""
        if day <= self.today:
            source = source or self.random
            at = self.moment(day, source.randint(9, 16), source.randint(0, 59))
            heapq.heappush(self.queue, (at, next(self.order), act))

    def run(self) -> dict[str, int]:
        start = self.moment(self.issued_on)
        sync_roles()
        sync_settings(at=start)
        self.calendar = working_calendar()
        policy = parse_policy(DATA_FILE.read_text(encoding="utf-8"), filename=DATA_FILE.name)
        document = documents.load_policy(policy=policy, at=start, issued_on=self.issued_on).document
        Demonstration.objects.create(loaded_at=timezone.now(), today_date=self.today)
        self.cast = self.hire()
        self.open_document(document)
        self.instructions(policy)
        self.editions(document)
        day = self.issued_on
        with hearing_nothing():
            while day < self.today - timedelta(days=HEARD_DAYS):
                self.live(day, is_swept=self.is_sweep_day(day))
                day += timedelta(days=1)
            self.settle_the_past()
        while day <= self.today:
            self.live(day, is_swept=self.calendar.is_working(day))
            day += timedelta(days=1)
        self.leave_one_sent_back()
        self.tidy_inboxes()
        record_event(
            EventKind.DEMONSTRATION_LOADED,
            document=document,
            by=None,
            at=self.moment(self.today, 17),
            data={"refused": self.refused},
        )
        return dict(Counter(Event.objects.values_list("kind", flat=True)))

    def answer_letters(self, day: date) -> None:
        """Bodies sign for the morning's letters and answer, each in its own time."""
        new = Letter.objects.filter(
            issued_at__gte=self.moment(day, 0), kind__in=URGING_KINDS, received_at=None
        )
        for row in new.select_related("organization").defer("content"):
            liaison = self.cast.liaisons[row.organization_id]
            _late, missing, delay = self.profile(row.organization)
            if self.letters_random.random() < missing:
                continue
            self.plan(
                self.later(day, delay // 3), self.receiving(row, liaison), self.letters_random
            )
            if self.letters_random.random() > missing:
                self.plan(
                    self.later(day, 2 + delay // 2),
                    self.replying(row, liaison),
                    self.letters_random,
                )

    def receiving(self, row: Letter, liaison: User) -> Callable[[datetime], object]:
        return lambda at: letters.accept_letter(letter=row, by=liaison, at=at)

    def replying(self, row: Letter, liaison: User) -> Callable[[datetime], object]:
        text = "已召开专题会议，明确责任人和完成时间，将按期报送办结材料。"
        return lambda at: letters.reply_letter(letter=row, by=liaison, at=at, text=text)

    def is_sweep_day(self, day: date) -> bool:
        """Long ago twice a week is enough: a sweep makes good what was missed."""
        return self.calendar.is_working(day) and day.weekday() in (0, 3)

    def settle_the_past(self) -> None:
        """What happened before anybody's inbox begins was heard long ago."""
        FanOut.objects.bulk_create(
            [FanOut(event_id=pk) for pk in Event.objects.values_list("pk", flat=True)],
            ignore_conflicts=True,
            batch_size=1000,
        )

    def leave_one_sent_back(self) -> None:
        """Whoever looks around finds a closing that was sent back, also when chance left none."""
        if Assignment.objects.filter(status=Assignment.Status.RETURNED).exists():
            return
        waiting = Assignment.objects.filter(status=Assignment.Status.UNDER_REVIEW)
        first, *others = waiting.order_by("-submitted_at", "-pk")[:2] or [None]
        if others:
            acts.send_back_assignment(
                assignment=first,
                by=self.cast.ducha,
                at=self.moment(self.today, 16, 30),
                reason="缺少验收意见和数据来源说明，请补正。",
            )

    def tidy_inboxes(self) -> None:
        """Old entries are read, older ones done; old mails were never sent and say so."""
        weeks_ago = self.moment(self.today - timedelta(days=14))
        days_ago = self.moment(self.calendar.add(self.today, -1))
        InboxEntry.objects.filter(created_at__lt=days_ago).update(read_at=F("created_at"))
        InboxEntry.objects.filter(created_at__lt=weeks_ago, done_at=None).update(
            done_at=F("created_at")
        )
        Delivery.objects.filter(created_at__lt=days_ago, status=SendStatus.PENDING).update(
            status=SendStatus.EXPIRED, error="演示回放，未实际发送"
        )

    def live(self, day: date, *, is_swept: bool) -> None:
        """One day: the sweep in the morning, then what people do."""
        is_heard = day > self.today - timedelta(days=HEARD_DAYS)
        if day.day == 1 or (is_heard and day.weekday() == 0):
            refresh_statistics()
        if is_swept:
            sweep(day, at=self.moment(day, 7))
            self.answer_letters(day)
        if day.weekday() == 4 or day == self.today:
            self.decide_proposals(day)
        end = self.moment(day + timedelta(days=1), 0)
        while self.queue and self.queue[0][0] < end:
            at, _order, act = heapq.heappop(self.queue)
            try:
                with transaction.atomic():
                    act(at)
            except (ActRefused, TransitionNotAllowed):
                # Life: somebody closed, suspended or extended it meanwhile.
                self.refused += 1

    # People

    def hire(self) -> Cast:
        office = Organization.objects.get(kind=Organization.Kind.OFFICE)
        password = make_password(PASSWORD)
        groups = {group.name: group for group in Group.objects.all()}

        def person(username, name, roles, duty, organization) -> User:
            user = User.objects.create(
                username=username,
                display_name=name,
                duty=duty,
                email=f"{username}@example.org",
                organization=organization,
                password=password,
                is_staff=Role.ADMINISTRATOR in roles or Role.AUDITOR in roles,
            )
            user.groups.set([groups[role] for role in roles])
            return user

        people = {
            username: person(
                username,
                name,
                roles,
                duty,
                None if roles[0] in (Role.LEADER, Role.PRINCIPAL) else office,
            )
            for username, name, roles, duty in PEOPLE
        }
        liaisons, heads = {}, {}
        names = [surname + given for given in GIVEN for surname in SURNAMES]
        bodies = Organization.objects.exclude(pk=office.pk).in_official_order()
        for number, body in enumerate(bodies):
            liaisons[body.pk] = person(
                body.code, names[2 * number], (Role.LIAISON,), "联络员", body
            )
            heads[body.pk] = person(
                f"{body.code}-head", names[2 * number + 1], (Role.BODY_HEAD,), "单位负责人", body
            )
        return Cast(people, liaisons, heads)

    def profile(self, body: Organization) -> tuple[float, float, int]:
        return PROFILES.get(body.code, AVERAGE)

    # The document's life

    def open_document(self, document: PolicyDocument) -> None:
        day = self.later(self.issued_on, 3)
        at = self.moment(day)
        documents.activate_document(document=document, by=self.cast.ducha, at=at)
        rows = document.items.select_related("clause").order_by("position")
        for item, days in zip(rows, DUE_AFTER_DAYS, strict=True):
            leader = self.cast.fushizhang if item.position % 3 else self.cast.kejifu
            item = items.edit_item(
                item=item,
                by=self.cast.ducha,
                at=at,
                leader=leader,
                due_date=self.calendar.next_working(self.issued_on + timedelta(days=days)),
                share_cycle=SupervisionItem.Cycle.HALF_YEARLY,
                is_key=item.position in (1, 11),
                is_declared_free_of_secrets=True,
                openness=SupervisionItem.Openness.PROACTIVE,
                openness_basis="政策文件公开发布，进展主动公开",
            )
            items.submit_item(item=item, by=self.cast.ducha, at=at)
            items.approve_item(
                item=item, by=self.cast.zhuren, at=at + timedelta(hours=2), opinion="同意立项。"
            )
            # Measures follow a quarter after the tasks.
            wait = 8 if item.kind == "task" else 70
            self.plan(self.later(day, wait), self.dispatching(item))

    def dispatching(self, item: SupervisionItem):
        def act(at: datetime) -> None:
            items.dispatch_item(item=item, by=self.cast.ducha, at=at)
            rows = item.assignments.select_related("organization", "item__clause")
            for assignment in rows.order_by("position", "pk"):
                self.begin(assignment, at.date())

        return act

    def begin(self, assignment: Assignment, day: date) -> None:
        late, _missed, delay = self.profile(assignment.organization)
        if assignment.item.position == 13 and assignment.organization.code == "wuqiang":
            self.objecting(assignment, day)
            return
        is_slow = self.random.random() < late
        accept_day = self.later(day, self.random.randint(3, 5) if is_slow else 1)
        liaison = self.cast.liaisons[assignment.organization_id]
        self.plan(
            accept_day,
            lambda at: acts.accept_assignment(assignment=assignment, by=liaison, at=at),
        )
        self.milestones(assignment, self.later(accept_day, 3 + delay))
        self.returns(assignment, accept_day)
        self.closing(assignment)

    def objecting(self, assignment: Assignment, day: date) -> None:
        """One body disputes its share; the office gives it to nobody else and rejects."""
        head = self.cast.heads[assignment.organization_id]
        liaison = self.cast.liaisons[assignment.organization_id]

        def act(at: datetime) -> None:
            objection = acts.object_to_assignment(
                assignment=assignment,
                by=head,
                at=at,
                reason="本县无该类平台企业，建议不承担此项任务。",
            )
            self.plan(
                self.later(at.date(), 2),
                lambda then: acts.reject_objection(
                    objection=objection,
                    by=self.cast.zhuren,
                    at=then,
                    opinion="该项任务各县市区均需落实，请组织摸底后报实际情况。",
                ),
            )
            self.plan(
                self.later(at.date(), 3),
                lambda then: acts.accept_assignment(assignment=assignment, by=liaison, at=then),
            )

        self.plan(self.later(day, 1), act)
        self.milestones(assignment, self.later(day, 12))
        self.returns(assignment, self.later(day, 5))
        self.closing(assignment)

    def milestones(self, assignment: Assignment, day: date) -> None:
        body = assignment.organization
        liaison = self.cast.liaisons[body.pk]
        late, _missed, delay = self.profile(body)
        is_lead = assignment.role == Responsibility.LEAD
        count = 4 if is_lead else 2
        span = max((assignment.due_date - day).days, 40)
        stages = range(4) if is_lead else (1, 3)
        steps = [
            milestones.Step(
                title=STAGES[stage],
                deliverable=DELIVERABLES[stage],
                planned_date=min(
                    self.calendar.previous_working(
                        day + timedelta(days=span * (number + 1) // (count + 1))
                    ),
                    assignment.due_date,
                ),
                weight=(2, 3, 2, 3)[stage],
            )
            for number, stage in enumerate(stages)
        ]

        def file(at: datetime) -> None:
            rows = milestones.file_plan(
                assignment=assignment,
                by=liaison,
                at=at,
                steps=steps,
                handler_name=str(liaison),
            )
            self.plan(self.later(at.date(), 1), agree)
            for row in rows:
                lag = -self.random.randint(0, 4)
                if self.random.random() < late:
                    lag = self.random.randint(2, 10) + delay * 6
                self.plan(self.later(row.planned_date, lag), self.reaching(row, liaison))

        def agree(at: datetime) -> None:
            milestones.agree_plan(assignment=assignment, by=self.cast.ducha, at=at)

        self.plan(day, file)

    def reaching(self, milestone: Milestone, liaison: User):
        def act(at: datetime) -> None:
            row = milestones.submit_milestone(
                milestone=milestone,
                by=liaison,
                at=at,
                actual_date=at.date(),
                evidence_text=f"{milestone.deliverable}已印发，见随附材料。",
            )
            if self.random.random() < 0.06:
                self.plan(self.later(at.date(), 2), lambda then: send_back(row, then))
                self.plan(self.later(at.date(), 6), self.reaching(row, liaison))
            else:
                self.plan(
                    self.later(at.date(), self.random.randint(1, 4)),
                    lambda then: milestones.approve_milestone(
                        milestone=row, by=self.cast.ducha, at=then
                    ),
                )

        def send_back(row: Milestone, at: datetime) -> None:
            milestones.send_back_milestone(
                milestone=row, by=self.cast.ducha, at=at, reason="佐证材料不全，请补充验收意见。"
            )

        return act

    def returns(self, assignment: Assignment, accepted: date) -> None:
        _late, missed, delay = self.profile(assignment.organization)
        periods = assignment.periods.filter(
            due_date__gt=accepted, due_date__lte=self.today + timedelta(days=20)
        )
        for period in periods.order_by("start_date"):
            if period.due_date > self.today:
                # The early ones: on the office's desk, or still with the head of the body.
                if self.random.random() < 0.5:
                    early = self.later(self.today, -self.random.randint(0, 2))
                    self.plan(early, self.reporting(period))
                continue
            if self.random.random() < missed:
                # Sometimes made up weeks later, sometimes never.
                if self.random.random() < 0.4:
                    self.plan(self.later(period.due_date, 15), self.reporting(period))
                continue
            lag = -self.random.randint(0, 3) + (delay if self.random.random() < 0.3 else 0)
            self.plan(self.later(period.due_date, lag), self.reporting(period))

    def reporting(self, period: ReportPeriod):
        assignment = period.assignment
        body = assignment.organization_id
        liaison, head = self.cast.liaisons[body], self.cast.heads[body]
        number = self.random.randint(3, 40)
        small = self.random.randint(1, 9)
        text = self.random.choice(PROGRESS).format(n=number, m=small, title=assignment.item.title)
        is_held_up = self.random.random() < 0.2
        will_return = self.random.random() < 0.05
        stays_open = self.random.random() < 0.3

        def act(at: datetime) -> None:
            report = reports.open_report(period=period, by=liaison, at=at)
            if report.status not in ProgressReport.EDITABLE_STATES:
                return
            elapsed = (at.date() - assignment.dispatched_date).days
            span = max((assignment.due_date - assignment.dispatched_date).days, 1)
            share = min(elapsed / span, 1)
            report = reports.save_report(
                report=report,
                by=liaison,
                at=at,
                progress_text=text,
                problem_text=self.random.choice(PROBLEMS) if is_held_up else "",
                cause=self.random.choice(CAUSES) if is_held_up else "",
                next_text=self.random.choice(NEXT),
                self_percent=min(int(share * 100) + small - 4, 100) if share * 100 > 4 else 4,
                figures=self.figures(assignment, share),
            )
            is_new = at.date() >= self.later(self.today, -3)
            if is_new and stays_open:
                reports.ask_sign_off(report=report, by=liaison, at=at)
                return
            report = reports.submit_report(report=report, by=head, at=at)
            review_day = self.later(at.date(), self.random.randint(1, 3))
            if will_return:
                self.plan(review_day, lambda then: send_back(report, then))
                self.plan(self.later(review_day, 2), lambda then: again(report, then))
                review_day = self.later(review_day, 4)
            self.plan(review_day, lambda then: approve(report, then))

        def send_back(report: ProgressReport, at: datetime) -> None:
            reports.send_back_report(
                report=report,
                by=self.cast.ducha,
                at=at,
                reason="内容与上期基本相同，请写明本期实际进展和数据。",
            )

        def again(report: ProgressReport, at: datetime) -> None:
            report = reports.save_report(
                report=report, by=liaison, at=at, progress_text=text + "（已按要求补充台账。）"
            )
            reports.submit_report(report=report, by=head, at=at)

        def approve(report: ProgressReport, at: datetime) -> None:
            verified = None
            if number % 7 == 0 and report.self_percent:
                verified = max(report.self_percent - 5, 0)
            reports.approve_report(
                report=report, by=self.cast.ducha, at=at, verified_percent=verified
            )

        return act

    def figures(self, assignment: Assignment, share: float):
        if assignment.role != Responsibility.LEAD:
            return None
        return {
            target: (
                (target.value * Decimal(str(round(0.25 + share * 0.7, 2)))).quantize(
                    Decimal("0.1") if target.unit == "%" else Decimal(1), ROUND_DOWN
                ),
                "",
            )
            for target in targets_of(assignment)
            if target.value is not None
        }

    # Ends, delays, requests

    def closing(self, assignment: Assignment) -> None:
        late, _missed, delay = self.profile(assignment.organization)
        lag = -self.random.randint(0, 8)
        if assignment.role == Responsibility.LEAD and assignment.item.position in HELD_UP:
            lag = HELD_UP[assignment.item.position]
        elif self.random.random() < late:
            lag = self.random.randint(2, 9) + delay * 3
        elif self.random.random() < 0.06:
            self.plan(self.later(assignment.due_date, -8), self.extending(assignment, 45))
            lag = self.random.randint(15, 30)
        if self.random.random() < late / 3:
            # Asked too late: accepted as late, repairs nothing.
            self.plan(self.later(assignment.due_date, 3), self.extending(assignment, 30))
        self.plan(self.later(assignment.due_date, lag), self.finishing(assignment))

    def extending(self, assignment: Assignment, days: int):
        head = self.cast.heads[assignment.organization_id]

        def act(at: datetime) -> None:
            assignment.refresh_from_db()
            extension = requests.ask_extension(
                assignment=assignment,
                by=head,
                at=at,
                asked_date=assignment.due_date + timedelta(days=days),
                cause="approval",
                reason="项目环评批复晚于计划，需顺延验收时间。",
                progress_text="主体工作已完成，剩余验收环节。",
            )
            self.plan(self.later(at.date(), 1), lambda then: endorse(extension, then))

        def endorse(extension, at: datetime) -> None:
            extension = requests.endorse_extension(
                extension=extension, by=self.cast.ducha, at=at, opinion="情况属实，建议同意。"
            )
            self.plan(self.later(at.date(), 2), lambda then: decide(extension, then))

        def decide(extension, at: datetime) -> None:
            leader = extension.assignment.item.leader
            if extension.is_late and self.random.random() < 0.5:
                requests.refuse_extension(
                    extension=extension,
                    by=leader,
                    at=at,
                    opinion="已逾期，不同意延期，请抓紧办结。",
                )
                return
            requests.grant_extension(
                extension=extension,
                by=leader,
                at=at,
                granted_date=self.calendar.next_working(
                    max(extension.asked_date, at.date() + timedelta(days=1))
                ),
                opinion="同意，原定时限保留备查。",
            )

        return act

    def finishing(self, assignment: Assignment):
        body = assignment.organization_id
        will_return = self.random.random() < 0.07

        def act(at: datetime) -> None:
            assignment.refresh_from_db()
            if assignment.milestones.filter(status=Milestone.Status.UNDER_REVIEW).exists():
                self.plan(self.later(at.date(), 3), act)
                return
            acts.draft_closing(
                assignment=assignment,
                by=self.cast.liaisons[body],
                at=at,
                closing_text=f"“{assignment.item.title}”各项工作已完成，材料已归集，请予审核。",
            )
            submit(at)

        def submit(at: datetime) -> None:
            row = acts.submit_assignment(
                assignment=assignment,
                by=self.cast.heads[body],
                at=at,
                open_milestones_reason="其余节点并入总体验收。",
            )
            review_day = self.later(at.date(), self.random.randint(1, 5))
            if will_return:
                self.plan(review_day, lambda then: send_back(row, then))
                self.plan(self.later(review_day, 4), submit)
                review_day = self.later(review_day, 7)
            self.plan(review_day, lambda then: review(row, then))

        def send_back(row: Assignment, at: datetime) -> None:
            acts.send_back_assignment(
                assignment=row,
                by=self.cast.ducha,
                at=at,
                reason="缺少验收意见和数据来源说明，请补正。",
            )

        def review(row: Assignment, at: datetime) -> None:
            row = acts.approve_assignment(
                assignment=row, by=self.cast.ducha, at=at, opinion="要件齐全。"
            )
            self.plan(
                self.later(at.date(), self.random.randint(1, 6)), lambda then: close(row, then)
            )

        def close(row: Assignment, at: datetime) -> None:
            row = acts.complete_assignment(
                assignment=row, by=self.cast.zhuren, at=at, opinion="核查属实，同意办结。"
            )
            item = row.item
            if not item.assignments.open().exists():
                by = item.leader if item.is_key else self.cast.zhuren
                self.plan(
                    self.later(at.date(), 2),
                    lambda then: items.complete_item(
                        item=item, by=by, at=then, opinion="同意销号。"
                    ),
                )

        return act

    def decide_proposals(self, day: date) -> None:
        """On Fridays the head of the office decides on the red sheets proposed in the week."""
        decided = {
            (event.assignment_id, event.data["level"])
            for event in Event.objects.filter(
                kind=EventKind.ESCALATION_DECIDED,
                happened_at__gte=self.moment(day - timedelta(days=60)),
            )
        }
        proposed = Event.objects.filter(
            kind=EventKind.ESCALATION_PROPOSED,
            recorded_at__gte=self.moment(day - timedelta(days=7)),
            recorded_at__lt=self.moment(self.later(self.today, -1)),
        ).select_related("assignment")
        for event in proposed.order_by("pk"):
            level = event.data["level"]
            if (event.assignment_id, level) in decided:
                continue
            is_issued = self.random.random() < 0.8
            try:
                acts.decide_escalation(
                    assignment=event.assignment,
                    level=level,
                    by=self.cast.zhuren,
                    at=self.moment(day, 15),
                    is_issued=is_issued,
                    opinion="逾期较久且无正当理由，同意。"
                    if is_issued
                    else "已约定办结日期，暂缓。",
                )
            except ActRefused:
                self.refused += 1

    # Invented instructions: every state of an item

    def instructions(self, policy: PolicyFile) -> None:
        text = yaml.safe_load(DATA_FILE.read_text(encoding="utf-8"))
        text["document"] |= {
            "doc_number": "演示批示〔2026〕1号",
            "title": "领导批示事项（演示）",
            "issued_date": (self.today - timedelta(days=120)).isoformat(),
            "horizon_date": (self.today + timedelta(days=400)).isoformat(),
        }
        text["document"]["issuing_body"] = policy.office_code and "市政府办公室"
        text.pop("targets", None)
        clause = text["clauses"][0]
        text["clauses"] = [
            {
                "number": f"批（{number}）",
                "chapter": clause["chapter"],
                "kind": "task",
                "title": title,
                "theme": "领导批示",
                "summary": f"{title}，报送书面情况。",
                "bodies": ["市工信局", "市科技局"],
                "cycle": "once",
                "due_date": (self.today + timedelta(days=30 + number)).isoformat(),
            }
            for number, (title, _state) in enumerate(EXTRA_TITLES, start=1)
        ]
        extra = parse_policy(
            yaml.safe_dump(text, allow_unicode=True, sort_keys=False), filename="demonstration"
        )
        start = self.calendar.next_working(self.today - timedelta(days=118))

        def load(at: datetime) -> None:
            document = documents.load_policy(policy=extra, at=at).document
            documents.activate_document(document=document, by=self.cast.ducha, at=at)
            for item in document.items.order_by("position"):
                self.instruct(item, EXTRA_TITLES[item.position - 1][1], at)

        self.plan(start, load)

    def instruct(self, item: SupervisionItem, state: str, at: datetime) -> None:
        officer, head, leader = self.cast.ducha, self.cast.zhuren, self.cast.fushizhang

        def initiate(then: datetime) -> None:
            items.submit_item(item=item, by=officer, at=then)
            if state != "under_approval":
                items.approve_item(item=item, by=head, at=then, opinion="同意。")

        item = items.edit_item(
            item=item, by=officer, at=at, leader=leader, is_declared_free_of_secrets=True
        )
        if state == "draft":
            return

        def dispatch(then: datetime) -> None:
            initiate(then)
            items.dispatch_item(item=item, by=officer, at=then)
            last = item.assignments.order_by("-position").first()
            self.plan(self.later(self.today, -1), lambda later: dispute(last, later))

        def dispute(share: Assignment, then: datetime) -> None:
            objection = acts.object_to_assignment(
                assignment=share,
                by=self.cast.heads[share.organization_id],
                at=then,
                reason="该项数据由市发改委统计，建议改由其承办。",
            )
            if state == "reassigned":
                acts.uphold_objection(
                    objection=objection,
                    by=head,
                    at=then + timedelta(hours=1),
                    opinion="异议成立，改由市发改委承办。",
                    organization=Organization.objects.get(code="fgw"),
                )

        if state in ("dispatched", "reassigned"):
            self.plan(self.later(self.today, -2), dispatch)
            return
        if state in ("under_approval", "initiated"):
            self.plan(self.later(self.today, -1), lambda then: initiate(then))
            return
        items.submit_item(item=item, by=officer, at=at)
        items.approve_item(item=item, by=head, at=at, opinion="同意。")
        items.dispatch_item(item=item, by=officer, at=at)
        shares = list(item.assignments.select_related("organization", "item").order_by("pk"))
        for share in shares:
            liaison = self.cast.liaisons[share.organization_id]
            acts.accept_assignment(assignment=share, by=liaison, at=at)
        day = at.date()
        if state == "cancelled":
            self.plan(
                self.later(day, 20),
                lambda then: items.cancel_item(
                    item=item, by=leader, at=then, basis="对接会并入全省活动，不再单独办理。"
                ),
            )
        elif state == "suspended":
            self.plan(
                self.later(day, 30),
                lambda then: items.suspend_item(
                    item=item,
                    by=leader,
                    at=then,
                    basis="省级规划调整，待新规划批复后继续。",
                    expected_end_date=self.today + timedelta(days=90),
                ),
            )
        elif state == "archived":
            for share in shares:
                self.plan(self.later(day, 15), self.finishing(share))
            self.plan(
                self.later(day, 40),
                lambda then: items.archive_item(item=item, by=officer, at=then),
            )

    # Public editions

    def editions(self, document: PolicyDocument) -> None:
        """A reviewed edition a month over the last year, on the tenth or the working day after."""
        for months_back in range(12, -1, -1):
            first = self.today.replace(day=10)
            month = first.month - months_back
            year = first.year + (month - 1) // 12
            day = self.calendar.next_working(date(year, (month - 1) % 12 + 1, 10))
            if day <= self.today:
                self.plan(day, self.publishing(document))

    def publishing(self, document: PolicyDocument):
        def act(at: datetime) -> None:
            release: Release = releases.propose_release(document=document, by=self.cast.fabu, at=at)
            release = releases.submit_release(
                release=release, by=self.cast.fabu, at=at + timedelta(minutes=10)
            )
            readers = (self.cast.shenhe, self.cast.fushen, self.cast.baomi)
            for number, reader in enumerate(readers):
                release = releases.approve_release(
                    release=release,
                    by=reader,
                    at=at + timedelta(minutes=15 + 5 * number),
                    slip=SLIP if reader == self.cast.baomi else None,
                )
            releases.publish_release(
                release=release, by=self.cast.fabu, at=at + timedelta(minutes=40)
            )

        return act
