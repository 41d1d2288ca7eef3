"""No road to the public passes by the other person: not by service, page, nor the database."""

import itertools

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from django_fsm import TransitionNotAllowed

from supervision.models import PublicItem, Release, Role
from supervision.services import releases as services
from supervision.services.acts import ActRefused
from tests.factories import NOON, UserFactory

pytestmark = pytest.mark.django_db
REFUSALS = (PermissionDenied, TransitionNotAllowed, ActRefused)
STEPS = {
    "resubmit": lambda row, by: services.resubmit_release(release=row, by=by, at=NOON),
    "approve": lambda row, by: services.approve_release(release=row, by=by, at=NOON),
    "publish": lambda row, by: services.publish_release(release=row, by=by, at=NOON),
    "send_back": lambda row, by: services.send_back_release(
        release=row, by=by, at=NOON, reason="改"
    ),
    "withdraw": lambda row, by: services.withdraw_release(release=row, by=by, at=NOON, reason="撤"),
}


@pytest.fixture
def people(city):
    """Every mixture of duties that touches an edition, in one person each."""
    mixtures = [
        roles
        for size in (1, 2, 3)
        for roles in itertools.combinations((Role.PUBLISHER, Role.REVIEWER, Role.OFFICE_HEAD), size)
    ]
    made = [UserFactory(roles=roles, organization=city.office) for roles in mixtures]
    return [*made, city.officer, city.leader, city.principal, city.body_head, city.stranger]


def state_of(row: Release) -> tuple:
    return row.status, row.author_id, row.reviewer_id


def walk(start: Release, people) -> dict[tuple, Release]:
    """Every state that any sequence of acts by these people can reach: the whole model."""
    seen = {state_of(start): {}}
    todo = [(state_of(start), snapshot_of(start))]
    while todo:
        _state, stored = todo.pop()
        for name, person in itertools.product(STEPS, people):
            row = restore(stored)
            try:
                with transaction.atomic():
                    STEPS[name](row, person)
            except REFUSALS:
                continue
            row = Release.objects.get(pk=stored["id"])
            if state_of(row) not in seen:
                seen[state_of(row)] = {"by": person.pk, "step": name}
                todo.append((state_of(row), snapshot_of(row)))
    return seen


def snapshot_of(row: Release) -> dict:
    return Release.objects.filter(pk=row.pk).values().get()


def restore(stored: dict) -> Release:
    PublicItem.objects.all().delete()
    Release.objects.filter(pk=stored["id"]).update(
        **{name: value for name, value in stored.items() if name != "id"}
    )
    return Release.objects.get(pk=stored["id"])


def test_no_sequence_of_acts_reaches_the_public_without_another_person(world, people):
    """One author of each mixture; from a proposed edition, every act by everybody, exhaustively."""
    authors = [person for person in people if person.has_role(Role.PUBLISHER)]
    assert len(authors) == 4
    for author in authors:
        row = services.propose_release(document=world.document, by=author, at=NOON)
        reached = walk(row, people)

        statuses = {status for status, _author, _reviewer in reached}
        assert statuses == {"draft", "under_review", "approved", "released", "withdrawn"}
        for status, author_id, reviewer_id in reached:
            if status in ("approved", "released", "withdrawn"):
                assert reviewer_id is not None
                assert reviewer_id != author_id
        PublicItem.objects.all().delete()
        Release.objects.all().delete()


def test_a_reviewer_who_is_also_the_author_finds_no_way_through_the_pages(client, city, world):
    both = UserFactory(roles=[Role.PUBLISHER, Role.REVIEWER], organization=city.office)
    client.force_login(both)
    client.post(
        reverse("supervision:release_propose"), {"document": world.document.pk}, follow=True
    )
    row = Release.objects.get()
    for act in ("approve", "publish", "send-back", "resubmit", "withdraw"):
        client.post(
            reverse("supervision:release_act", args=[row.uid, act]),
            {"version": row.version, "reason": "自审"},
        )

    row = Release.objects.get()
    assert (row.author, row.status, row.reviewer) == (both, "under_review", None)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "released"},
        {"status": "approved"},
        {"status": "superseded"},
        {"status": "released", "reviewed_hash": "sha256:x"},
    ],
)
def test_the_database_refuses_what_nobody_reviewed(city, world, change):
    row = services.propose_release(document=world.document, by=city.publisher, at=NOON)

    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=row.pk).update(**change)


def test_the_database_refuses_the_author_as_reviewer(city, world):
    row = services.propose_release(document=world.document, by=city.publisher, at=NOON)

    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=row.pk).update(
            status="released", reviewer=city.publisher, reviewed_hash=row.content_hash
        )


def test_the_database_refuses_a_hash_changed_after_the_review(city, world):
    row = services.propose_release(document=world.document, by=city.publisher, at=NOON)
    services.approve_release(release=row, by=city.reviewer, at=NOON)

    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=row.pk).update(content_hash="sha256:other")


@pytest.mark.parametrize("step", ["approve", "publish"])
def test_content_that_was_tampered_with_is_refused(city, world, step):
    row = services.propose_release(document=world.document, by=city.publisher, at=NOON)
    if step == "publish":
        services.approve_release(release=row, by=city.reviewer, at=NOON)
    content = Release.objects.get().content
    content["items"][0]["title"] = "偷偷改过的题目"
    Release.objects.filter(pk=row.pk).update(content=content)

    with pytest.raises(ActRefused):
        STEPS[step](Release.objects.get(), city.reviewer if step == "approve" else city.publisher)

    assert not PublicItem.objects.exists()
    assert Release.objects.get().status == ("under_review" if step == "approve" else "approved")


def test_only_one_edition_of_a_document_is_current(world, publish):
    first = publish(world.document)
    second = publish(world.document, NOON.replace(day=11))

    assert Release.objects.get(pk=first.pk).status == "superseded"
    assert list(Release.objects.current()) == [second]


@pytest.mark.parametrize(
    "text",
    [
        "联系人电话13812345678",
        "身份证110101199003071234",
        "邮箱a.b@example.org",
        "内部资料，注意保管",
    ],
)
def test_personal_data_and_marks_of_secrecy_stop_an_edition(city, world, text):
    report = world.on_track.lead.periods.get(label="2026-05").report
    report.progress_text = text
    report.save()

    with pytest.raises(ActRefused):
        services.propose_release(document=world.document, by=city.publisher, at=NOON)

    assert not Release.objects.exists()
