"""Bodies that are merged, split or renamed: one act moves the open work, the past stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import (
    Assignment,
    BodyChange,
    Contact,
    EventKind,
    Letter,
    Milestone,
    Objection,
    Organization,
    OrganizationAlias,
    Party,
    Responsibility,
    Succession,
    SuccessionLink,
    SupervisionItem,
    User,
)
from supervision.services.acts import ActRefused, lock, need_text, record_event, require, save

# Which of two shares of one item goes on when their bodies become one.
STRENGTH = {Responsibility.LEAD: 0, Responsibility.SUPPORT: 1, Responsibility.COUNTY: 2}


@dataclass(frozen=True)
class Successor:
    """A body that takes over: one that exists, or a new one by its names."""

    short_name: str
    full_name: str = ""
    body: Organization | None = None

    def __str__(self) -> str:
        return self.short_name


@dataclass
class ShareMove:
    """One open share and where it goes. `joined_to`: the share that carries it on."""

    assignment: Assignment
    target: int
    joined_to: Assignment | None = None
    open_milestones: list[Milestone] = field(default_factory=list)


@dataclass
class Plan:
    """What a change of bodies would do. `problems` must be empty before it can be done.

    `undecided` are open shares of a split nobody has assigned yet.
    """

    old: list[Organization]
    successors: list[Successor]
    from_date: date
    moves: list[ShareMove]
    people: list[User]
    letters: list[Letter]
    drafts: list[Party]
    contacts: list[Contact]
    undecided: list[Assignment]
    problems: list[str]

    @property
    def is_split(self) -> bool:
        return len(self.successors) > 1

    @property
    def milestone_count(self) -> int:
        return sum(len(move.open_milestones) for move in self.moves)

    @property
    def stamp(self) -> str:
        """Changes whenever what would be moved changes; a preview carries it."""
        parts = [(m.assignment.pk, m.assignment.version) for m in self.moves]
        parts += [(a.pk, a.version) for a in self.undecided]
        parts += [("letter", row.pk) for row in self.letters]
        parts += [("person", row.pk) for row in self.people]
        parts += [("draft", row.pk) for row in self.drafts]
        parts += [("from", self.from_date), *(("old", row.pk) for row in self.old)]
        parts += [("to", row.short_name, row.full_name) for row in self.successors]
        return sha256(repr(sorted(parts, key=repr)).encode()).hexdigest()[:16]


def resolve_bodies(name: str, *, on: date) -> list[Organization]:
    """The bodies that answer to a name on a day: its own names first, then its successors.

    One row for a name that is clear, several for a body that was split, none for an unknown name.
    """
    found = list(Organization.objects.named(name.strip()).in_official_order())
    return present_bodies(found, on=on)


def present_bodies(bodies: Sequence[Organization], *, on: date) -> list[Organization]:
    """These bodies, the gone ones replaced by those that carry their work on, each once."""
    known: dict[int, Organization] = {}
    rows, seen = list(bodies), set()
    while rows:
        body = rows.pop(0)
        if body.pk in seen:
            continue
        seen.add(body.pk)
        heirs = list(_heirs(body)) if body.has_ended(on) else []
        if heirs:
            rows = heirs + rows
        else:
            known[body.pk] = body
    return list(known.values())


def _heirs(body: Organization):
    return Organization.objects.filter(predecessor_links__old=body).in_official_order()


def plan_succession(
    *,
    old: Sequence[Organization],
    successors: Sequence[Successor],
    from_date: date,
    today: date,
    choices: Mapping[int, int] | None = None,
) -> Plan:
    """What would move, row by row. `choices`: assignment → index of its successor, for a split."""
    old, successors = list(old), list(successors)
    choices = choices or {}
    shares = (
        Assignment.objects.open()
        .filter(organization__in=old)
        .select_related("item", "organization")
        .prefetch_related("milestones")
        .order_by("item__position", "item", "position", "pk")
    )
    moves, undecided = [], []
    for share in shares:
        target = 0 if len(successors) == 1 else choices.get(share.pk, -1)
        if 0 <= target < len(successors):
            steps = [m for m in share.milestones.all() if m.status in Milestone.UNFINISHED_STATES]
            moves.append(ShareMove(share, target, open_milestones=steps))
        else:
            undecided.append(share)
    plan = Plan(
        old=old,
        successors=successors,
        from_date=from_date,
        moves=moves,
        people=list(User.objects.filter(organization__in=old, is_active=True).order_by("pk")),
        letters=list(_waiting_letters(old)),
        drafts=list(
            Party.objects.filter(organization__in=old, item__dispatched_at=None)
            .exclude(item__status=SupervisionItem.Status.CANCELLED)
            .select_related("item", "organization")
            .order_by("item", "position", "pk")
        ),
        contacts=list(Contact.objects.filter(organization__in=old).order_by("pk")),
        undecided=undecided,
        problems=_problems(old, successors, from_date, today),
    )
    _join(plan)
    return plan


def _waiting_letters(old: Sequence[Organization]):
    """Letters sent to these bodies that are still to be signed for or answered."""
    unanswered = Q(received_at=None) | Q(reply_due_date__isnull=False, replied_at=None)
    is_open = Q(assignment=None) | Q(assignment__status__in=Assignment.OPEN_STATES)
    return (
        Letter.objects.filter(unanswered, is_open, organization__in=old)
        .filter(status__in=[Letter.Status.ISSUED, Letter.Status.DRAFT])
        .select_related("organization", "assignment")
        .order_by("pk")
    )


def _problems(old, successors, from_date: date, today: date) -> list[str]:
    found = []
    if not old or not successors:
        found.append(_("Name the bodies that end and those that take over."))
    if len(old) > 1 and len(successors) > 1:
        found.append(
            _("Either several bodies become one or one becomes several. Do it in two steps.")
        )
    if from_date > today:
        found.append(_("The day lies in the future. Record the change on that day or later."))
    for body in old:
        if body.valid_to_date is not None:
            found.append(_("%(body)s has already ended.") % {"body": body})
        if body.valid_from_date is not None and body.valid_from_date >= from_date:
            found.append(_("%(body)s did not exist before that day.") % {"body": body})
        if body.kind == Organization.Kind.OFFICE:
            found.append(_("The supervision office itself is not changed here."))
    names = [successor.short_name for successor in successors]
    if len(set(names)) != len(names):
        found.append(_("The bodies that take over need different names."))
    for successor in successors:
        if successor.body is None and not successor.full_name:
            found.append(
                _("Give the full name of %(name)s: it is a new body.")
                % {"name": successor.short_name}
            )
        if successor.body is not None and successor.body in old:
            found.append(_("%(body)s cannot take its own place.") % {"body": successor.body})
        if successor.body is None and _is_taken(successor, old):
            found.append(
                _("Another body already has the name %(name)s.") % {"name": successor.short_name}
            )
    return found


def _is_taken(successor: Successor, old) -> bool:
    names = [name for name in (successor.short_name, successor.full_name) if name]
    others = Organization.objects.exclude(pk__in=[body.pk for body in old])
    named = Q(short_name__in=names) | Q(full_name__in=names) | Q(aliases__name__in=names)
    return others.filter(named).exists()


def _join(plan: Plan) -> None:
    """Find shares of one item that would meet in one body: the stronger one carries the others."""
    ids = [successor.body.pk for successor in plan.successors if successor.body]
    held = Assignment.objects.filter(
        organization__in=ids, item__in=[move.assignment.item_id for move in plan.moves]
    ).exclude(status=Assignment.Status.CANCELLED)
    present = {(row.item_id, row.organization_id): row for row in held.select_related("item")}
    kept: dict[tuple[int, int], ShareMove] = {}
    for move in sorted(plan.moves, key=lambda m: (STRENGTH[m.assignment.role], m.assignment.pk)):
        share, place = move.assignment, (move.assignment.item_id, move.target)
        body = plan.successors[move.target].body
        own = present.get((share.item_id, body.pk)) if body else None
        if own is not None and (
            own.status not in Assignment.OPEN_STATES or STRENGTH[share.role] < STRENGTH[own.role]
        ):
            plan.problems.append(
                _(
                    "%(body)s already has a share of “%(item)s” that cannot carry this one. Decide "
                    "on the two shares first."
                )
                % {"body": body, "item": share.item}
            )
        elif own is not None:
            move.joined_to = own
        elif place in kept:
            move.joined_to = kept[place].assignment
        else:
            kept[place] = move


@transaction.atomic
def change_bodies(
    *,
    old: Sequence[Organization],
    successors: Sequence[Successor],
    from_date: date,
    basis: str,
    by: User,
    at: datetime,
    today: date,
    choices: Mapping[int, int] | None = None,
    person_choices: Mapping[int, int] | None = None,
    stamp: str | None = None,
) -> Succession:
    """Merge, split or rename bodies: from `from_date` on the successors carry the open work.

    The old rows end on the day before. Open shares, their milestones, periods and requests, the
    letters still to be answered, drafts, contacts and accounts go over; what has ended stays under
    the old name. `stamp` is that of the preview a person agreed to.

    Raises PermissionDenied; ActRefused with what is wrong, for open shares of a split nobody
    assigned, or when what would move is not what was previewed.
    """
    require(permissions.can_change_bodies(by))
    need_text(basis)
    old = [lock_body(body) for body in old]
    plan = plan_succession(
        old=old, successors=successors, from_date=from_date, today=today, choices=choices
    )
    if plan.problems:
        raise ActRefused(" ".join(plan.problems))
    if plan.undecided:
        raise ActRefused(
            _("Say for each open share which body takes it; %(count)s are left.")
            % {"count": len(plan.undecided)}
        )
    if stamp is not None and stamp != plan.stamp:
        raise ActRefused(
            _("What would move has changed since the preview. Look at it again, then confirm.")
        )
    new = [_body_of(successor, old[0], from_date) for successor in plan.successors]
    succession = Succession.objects.create(
        from_date=from_date, basis=basis, decided_by=by, decided_at=at
    )
    for body in old:
        body.valid_to_date = from_date - timedelta(days=1)
        body.save(update_fields=["valid_to_date"])
        SuccessionLink.objects.bulk_create(
            [SuccessionLink(succession=succession, old=body, new=heir) for heir in new]
        )
    record_event(
        EventKind.BODIES_CHANGED,
        by=by,
        at=at,
        reason=basis,
        data={
            "from_date": from_date.isoformat(),
            "old_names": "、".join(str(body) for body in old),
            "new_names": "、".join(str(body) for body in new),
            "shares": len(plan.moves),
            "people": len(plan.people),
            "letters": len(plan.letters),
        },
    )
    _move_people(plan, new, person_choices or {})
    # First what ends in another share: an item has room for one share of a body.
    for move in sorted(plan.moves, key=lambda one: one.joined_to is None):
        _move_share(move, succession, new[move.target], by, at)
    _move_letters(plan, new)
    _move_drafts(plan, new)
    open_objections = Objection.objects.open().filter(proposed_organization__in=old)
    open_objections.update(proposed_organization=new[0])
    Contact.objects.filter(pk__in=[row.pk for row in plan.contacts]).exclude(
        Exists(Contact.objects.filter(organization=new[0], name=OuterRef("name")))
    ).update(organization=new[0])
    return succession


def lock_body(body: Organization) -> Organization:
    """The row afresh, locked until the transaction ends."""
    return Organization.objects.select_for_update().get(pk=body.pk)


def _body_of(successor: Successor, first: Organization, from_date: date) -> Organization:
    if successor.body is not None:
        return successor.body
    code = f"{first.code[:28]}-{from_date:%Y%m%d}"
    taken = Organization.objects.filter(region_code=first.region_code, code__startswith=code)
    body = Organization.objects.create(
        region_code=first.region_code,
        code=f"{code}-{taken.count() + 1}",
        kind=first.kind,
        kind_position=first.kind_position,
        position=first.position,
        short_name=successor.short_name,
        full_name=successor.full_name,
        valid_from_date=from_date,
    )
    for name in dict.fromkeys([body.short_name, body.full_name]):
        # An alias of the former body that is the new one's name is the new one's from now on.
        OrganizationAlias.objects.update_or_create(
            region_code=body.region_code, name=name, defaults={"organization": body}
        )
    return body


def _move_people(plan: Plan, new: list[Organization], choices: Mapping[int, int]) -> None:
    for person in plan.people:
        index = choices.get(person.pk, 0)
        person.organization = new[index if 0 <= index < len(new) else 0]
        person.save(update_fields=["organization"])


def _move_share(
    move: ShareMove, succession: Succession, body: Organization, by: User, at: datetime
) -> None:
    share = lock(move.assignment)
    former, before, added = share.organization, share.status, []
    if move.joined_to is None:
        share.organization = body
        save(share)
    else:
        added = _join_share(share, move, by, at, succession.basis)
    BodyChange.objects.create(
        succession=succession,
        assignment=share,
        old=former,
        new=body,
        from_date=succession.from_date,
        status_before=before,
        joined_to=move.joined_to,
        added_milestones=added,
    )
    record_event(
        EventKind.BODY_CHANGED,
        assignment=move.joined_to or share,
        by=by,
        at=at,
        reason=succession.basis,
        organization_id=body.pk,
        data={
            "old_name": str(former),
            "new_name": str(body),
            "is_joined": move.joined_to is not None,
        },
    )


def _join_share(
    share: Assignment, move: ShareMove, by: User, at: datetime, basis: str
) -> list[int]:
    """End a share whose work goes on in another one of the same body; returns the copied steps."""
    added = [
        Milestone.objects.create(
            assignment=move.joined_to,
            position=step.position,
            title=step.title,
            deliverable=step.deliverable,
            weight=step.weight,
            original_date=step.original_date,
            planned_date=step.planned_date,
            receipt=step.receipt,
            status=step.status
            if step.status in (Milestone.Status.DRAFT, Milestone.Status.IN_PROGRESS)
            else Milestone.Status.PLANNED,
        ).pk
        for step in move.open_milestones
    ]
    for request in [*share.extensions.open(), *share.objections.open()]:
        request.withdraw()
        save(request)
    before = share.status
    share.cancel()
    save(share)
    record_event(
        EventKind.CANCELLED,
        assignment=share,
        by=by,
        at=at,
        from_state=before,
        to_state=share.status,
        reason=basis,
    )
    return added


def _move_letters(plan: Plan, new: list[Organization]) -> None:
    target_of = {move.assignment.pk: move for move in plan.moves}
    for letter in plan.letters:
        move = target_of.get(letter.assignment_id)
        letter.organization = new[move.target if move else 0]
        save(letter)


def _move_drafts(plan: Plan, new: list[Organization]) -> None:
    """Drafts name the first successor; of two mentions of one body the stronger stays."""
    for party in sorted(plan.drafts, key=lambda row: STRENGTH[row.role]):
        twice = Party.objects.filter(item=party.item, organization=new[0]).exists()
        if twice:
            party.delete()
        else:
            party.organization = new[0]
            party.save(update_fields=["organization"])
