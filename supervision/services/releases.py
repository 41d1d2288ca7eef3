"""Public editions: propose, read by three people one after the other, release, withdraw.

What is released is byte for byte what was reviewed; any edit voids every step (public-site.md,
section 6). The database refuses a road that leaves out a step (guards.py).
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from supervision import permissions
from supervision.models import (
    EventKind,
    PolicyDocument,
    PublicItem,
    Release,
    ReleaseStep,
    SupervisionItem,
    User,
    slug_of,
)
from supervision.rules.public_checks import findings_in, texts_of
from supervision.rules.secrecy_slip import slip_problems
from supervision.services.acts import (
    ActRefused,
    check_transition,
    local_date,
    lock,
    need_text,
    record_event,
    require,
    save,
)
from supervision.services.edition_content import apply_edits, compose
from supervision.signals import public_set_changed

logger = logging.getLogger(__name__)

EDITABLE = ("text", "hidden_reason", "correction")


def canonical_hash(data) -> str:
    """sha256 of the canonical JSON of `data`; what was reviewed is what is released."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def obstacles_to_release(content: dict) -> list[str]:
    """Machine checks that block: marks of secrecy, personal data, links, in any text."""
    found = []
    for entry in content["items"]:
        for finding in (f for text in texts_of(entry) for f in findings_in(text)):
            found.append(
                _("“%(title)s” contains %(kind)s (%(text)s); reword it for the public first.")
                % {"title": entry["title"], "kind": finding.kind, "text": finding.text}
            )
    for correction in content["corrections"]:
        for finding in findings_in(correction["text"]):
            found.append(
                _("The correction of “%(title)s” contains %(kind)s (%(text)s).")
                % {"title": correction["title"], "kind": finding.kind, "text": finding.text}
            )
    if not content["items"]:
        found.append(_("No item is marked as open to the public."))
    return found


@transaction.atomic
def propose_release(
    *,
    document: PolicyDocument,
    by: User,
    at: datetime,
    as_of: date | None = None,
    embargo_date: date | None = None,
) -> Release:
    """Compose an edition as a draft, to be looked at and handed in by its author.

    Raises PermissionDenied, ActRefused when another edition is on its way or nothing is open.
    """
    require(by.has_role(permissions.PUBLISHER))
    as_of = as_of or local_date(at)
    if document.releases.filter(status__in=Release.ON_ITS_WAY).exists():
        raise ActRefused(
            _("An edition of this document is already on its way. Release it or send it back.")
        )
    release = Release(
        document=document,
        label=f"{as_of:%Y-%m}",
        as_of_date=as_of,
        embargo_date=embargo_date,
        author=by,
        author_deputy=by.deputy,
        created_at=at,
        stage_at=at,
    )
    _fill(release)
    if not release.content["items"]:
        raise ActRefused(_("No item is marked as open to the public."))
    release.save()
    return release


def documents_to_release() -> list[PolicyDocument]:
    """Documents with items open to the public and no edition on its way: a month's batch."""
    open_items = SupervisionItem.objects.filter(
        openness=SupervisionItem.Openness.PROACTIVE, dispatched_at__isnull=False
    ).exclude(status=SupervisionItem.Status.CANCELLED)
    under_way = Release.objects.filter(status__in=Release.ON_ITS_WAY)
    return list(
        PolicyDocument.objects.exclude(status=PolicyDocument.Status.DRAFT)
        .filter(pk__in=open_items.values("document"))
        .exclude(pk__in=under_way.values("document"))
        .order_by("issued_date", "pk")
    )


def _fill(release: Release) -> None:
    release.content = compose(release.document, as_of=release.as_of_date)
    apply_edits(release.content, release.edits)
    release.content_hash = canonical_hash(release.content)


@transaction.atomic
def revise_release(
    *,
    release: Release,
    by: User,
    at: datetime,
    edits: Mapping[str, Mapping[str, str]] | None = None,
    embargo_date: date | None = None,
    version: int | None = None,
) -> Release:
    """Compose a draft afresh, with the author's own words for the public; every step is void.

    `edits` by the key of the item (`edition_content.apply_edits`); left out, the old ones stay.
    Raises TransitionNotAllowed, PermissionDenied, StaleRow, ActRefused for an unknown edit.
    """
    release = lock(release, version=version)
    check_transition(release.revise, by)
    if edits is not None:
        kept = {}
        for key, edit in edits.items():
            if set(edit) - set(EDITABLE):
                raise ActRefused(_("Figures, dates and states are never typed by hand."))
            words = {name: edit[name].strip() for name in EDITABLE if edit.get(name, "").strip()}
            if words:
                kept[key] = words
        release.edits = kept
        release.embargo_date = embargo_date
    release.revise(at=at)
    release.author, release.author_deputy = by, by.deputy
    _fill(release)
    save(release)
    _record(EventKind.RELEASE_REVISED, release, by, at)
    return release


@transaction.atomic
def submit_release(
    *, release: Release, by: User, at: datetime, version: int | None = None
) -> Release:
    """Hand a draft to the first reviewer. Raises ActRefused naming what the checks found."""
    release = lock(release, version=version)
    check_transition(release.submit, by)
    obstacles = obstacles_to_release(release.content)
    if obstacles:
        raise ActRefused(" ".join(obstacles))
    # Whoever hands it in answers for it, whoever composed it.
    release.author, release.author_deputy = by, by.deputy
    _check_content(release)
    release.submit(at=at)
    save(release)
    _sign(release, ReleaseStep.Stage.AUTHOR, by, at)
    _record(EventKind.RELEASE_PROPOSED, release, by, at)
    return release


def _check_content(release: Release) -> None:
    if canonical_hash(release.content) != release.content_hash:
        raise ActRefused(_("The content is not what was submitted. Send it back."))


def _sign(release: Release, stage: int, by: User, at: datetime, opinion="", slip=None) -> None:
    ReleaseStep.objects.create(
        release=release,
        round=release.round,
        stage=stage,
        person=by.deputy or by,
        principal=by,
        signed_at=at,
        seen_hash=release.content_hash,
        opinion=opinion.strip(),
        slip=slip or {},
    )


def _record(kind, release: Release, by: User, at: datetime, reason: str = "", **data) -> None:
    record_event(
        kind,
        document=release.document,
        by=by,
        at=at,
        to_state=release.status,
        reason=reason,
        data={"edition": release.label, "hash": release.content_hash, **data},
    )


@transaction.atomic
def send_back_release(
    *, release: Release, by: User, at: datetime, reason: str, version: int | None = None
) -> Release:
    """Return an edition with a reason; every review step is void."""
    release = lock(release, version=version)
    check_transition(release.send_back, by)
    need_text(reason)
    release.send_back(at=at)
    save(release)
    _record(EventKind.RELEASE_SENT_BACK, release, by, at, reason)
    return release


@transaction.atomic
def approve_release(
    *,
    release: Release,
    by: User,
    at: datetime,
    opinion: str = "",
    slip: Mapping[str, object] | None = None,
    version: int | None = None,
) -> Release:
    """One review passed: the first, second or third, whichever it waits for.

    Nobody signs twice in a round, in person or through a deputy. The third needs the secrecy slip
    (`rules.secrecy_slip`). Raises TransitionNotAllowed, PermissionDenied, StaleRow, ActRefused.
    """
    release = lock(release, version=version)
    stage = release.stage
    transition = {2: release.approve_second, 3: release.approve_third}.get(
        stage, release.approve_first
    )
    check_transition(transition, by)
    _check_content(release)
    obstacles = obstacles_to_release(release.content)
    if obstacles:
        raise ActRefused(" ".join(obstacles))
    if stage == ReleaseStep.Stage.THIRD:
        problems = slip_problems(slip or {})
        if problems:
            raise ActRefused(" ".join(str(problem) for problem in problems))
    _sign(release, stage, by, at, opinion, slip if stage == ReleaseStep.Stage.THIRD else None)
    transition(at=at)
    save(release)
    _record(EventKind.RELEASE_APPROVED, release, by, at, stage=stage)
    return release


@transaction.atomic
def publish_release(
    *, release: Release, by: User, at: datetime, version: int | None = None
) -> Release:
    """Make the edition public; an earlier one of the same document is replaced.

    Public numbers are given here, without gaps; addresses are random and stay. Raises ActRefused
    before its embargo date and when the content is not what the three have read.
    """
    release = lock(release, version=version)
    check_transition(release.release, by)
    if release.embargo_date is not None and local_date(at) < release.embargo_date:
        raise ActRefused(
            _("It is to become public on %(date)s, not before; it then does so by itself.")
            % {"date": release.embargo_date.isoformat()}
        )
    _check_read(release)
    _check_open(release)
    for earlier in Release.objects.select_for_update().filter(
        document=release.document, status=Release.Status.RELEASED
    ):
        earlier.supersede()
        save(earlier)
    release.release(at=at)
    save(release)
    _publish_items(release, at)
    _record(EventKind.RELEASED, release, by, at)
    transaction.on_commit(lambda: public_set_changed.send_robust(sender=Release, release=release))
    return release


def _check_read(release: Release) -> None:
    read = release.steps.filter(round=release.round, stage__gt=0).values_list(
        "seen_hash", flat=True
    )
    digest = canonical_hash(release.content)
    if sum(seen == digest for seen in read) != len(Release.REVIEWS):
        raise ActRefused(_("The content is not what was reviewed. Send it back."))


def _check_open(release: Release) -> None:
    """What was withdrawn or closed to the public since the reviews does not come back by them."""
    keys = [entry["key"] for entry in release.content["items"]]
    closed = release.document.items.filter(uid__in=keys).exclude(
        openness=SupervisionItem.Openness.PROACTIVE
    )
    titles = [str(item.title) for item in closed.order_by("position", "pk")]
    if titles:
        raise ActRefused(
            _("No longer open to the public: %(titles)s. Compose the edition afresh.")
            % {"titles": "、".join(titles)}
        )


def publish_due(*, at: datetime) -> dict[str, int]:
    """Publish the approved editions whose day has come, in the author's name; late is in time.

    One that cannot be published stays where it is, counts as failed, and is tried again.
    """
    result = {"published": 0, "failed": 0}
    waiting = Release.objects.filter(
        status=Release.Status.APPROVED, embargo_date__lte=local_date(at)
    )
    for release in waiting.select_related("author").order_by("pk"):
        try:
            publish_release(release=release, by=release.author, at=at)
        except Exception:
            logger.exception("Could not publish the edition %s", release.uid)
            result["failed"] += 1
        else:
            result["published"] += 1
    return result


def _publish_items(release: Release, at: datetime) -> None:
    for public in _items_after(release, at):
        public.save()


def _items_after(release: Release, at: datetime) -> list[PublicItem]:
    """The public identities of a document that this edition makes or changes; nothing is saved.

    One place for the release and for its preview: what was shown is what comes.
    """
    known = {
        str(public.item.uid): public
        for public in PublicItem.objects.with_last_withdrawal()
        .select_related("item")
        .filter(item__document=release.document)
    }
    items = {str(item.uid): item for item in release.document.items.all()}
    number = PublicItem.objects.aggregate(last=Max("number"))["last"] or 0
    result = []
    for entry in release.content["items"]:
        key = entry["key"]
        data = {name: value for name, value in entry.items() if name != "key"}
        digest = canonical_hash(data)
        public = known.pop(key, None)
        if public is None:
            number += 1
            public = PublicItem(
                item=items[key],
                number=number,
                slug=slug_of(items[key]),
                first_released_at=at,
                changed_at=at,
            )
            public.last_withdrawal_at = None
        elif public.data_hash != digest or public.withdrawn_at:
            public.changed_at = at
        public.data, public.data_hash = data, digest
        public.release, public.withdrawn_at = release, None
        result.append(public)
    for public in known.values():
        if public.withdrawn_at is None:
            public.withdrawn_at = at
            result.append(public)
    return result


def as_if_released(release: Release, *, at: datetime) -> tuple[list[Release], list[PublicItem]]:
    """All editions and public identities as `publish_release` would leave them at `at`.

    For the preview of editors and reviewers. The rows are walked through their machine in memory
    only and must never be saved. Raises TransitionNotAllowed for an edition not yet handed in.
    """
    release = Release.objects.select_related("document").get(pk=release.pk)
    steps = (release.approve_first, release.approve_second, release.approve_third)
    for step in steps[release.stage - 1 :] if release.stage else ():
        step(at=at)
    release.release(at=at)
    editions = list(
        Release.objects.exclude(released_at=None)
        .exclude(pk=release.pk)
        .order_by("released_at", "pk")
    )
    for earlier in editions:
        if earlier.document_id == release.document_id and earlier.status == Release.Status.RELEASED:
            earlier.supersede()
    changed = {public.number: public for public in _items_after(release, at)}
    rows = {
        public.number: public
        for public in PublicItem.objects.with_last_withdrawal().select_related("item")
    }
    after = rows | changed
    return [*editions, release], [after[number] for number in sorted(after)]


@transaction.atomic
def withdraw_release(
    *, release: Release, by: User, at: datetime, reason: str, version: int | None = None
) -> Release:
    """Take the current edition from the public at once; its addresses answer 410."""
    release = lock(release, version=version)
    check_transition(release.withdraw, by)
    need_text(reason)
    release.withdraw(at=at)
    save(release)
    release.public_items.filter(withdrawn_at=None).update(withdrawn_at=at)
    _record(EventKind.WITHDRAWN, release, by, at, reason)
    transaction.on_commit(lambda: public_set_changed.send_robust(sender=Release, release=release))
    return release


@transaction.atomic
def withdraw_item(*, public_item: PublicItem, by: User, at: datetime, reason: str) -> PublicItem:
    """Take one item from the public at once."""
    public_item = PublicItem.objects.select_for_update().get(pk=public_item.pk)
    require(permissions.can_withdraw_release(public_item.release, by))
    need_text(reason)
    if public_item.withdrawn_at:
        raise ActRefused(_("This item is already withdrawn."))
    public_item.withdrawn_at = at
    public_item.save(update_fields=["withdrawn_at"])
    item = lock(public_item.item)
    item.openness = SupervisionItem.Openness.WITHHELD
    item.openness_basis = reason[:200]
    save(item)
    record_event(
        EventKind.WITHDRAWN,
        document=public_item.release.document,
        item=public_item.item,
        by=by,
        at=at,
        reason=reason,
    )
    release = public_item.release
    transaction.on_commit(lambda: public_set_changed.send_robust(sender=Release, release=release))
    return public_item
