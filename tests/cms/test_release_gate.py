"""No road to the public passes by the three other people: not by service, page, nor database."""

import io
import itertools
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django_fsm import TransitionNotAllowed

from cms import snapshot
from notifications.models import InboxEntry
from supervision.models import EventKind, PublicItem, Release, ReleaseStep, Role
from supervision.services import releases as services
from supervision.services.acts import ActRefused
from tests.factories import NOON, SLIP, UserFactory, review_release

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
REFUSALS = (PermissionDenied, TransitionNotAllowed, ActRefused)
STEPS = {
    "submit": lambda row, by: services.submit_release(release=row, by=by, at=NOON),
    "revise": lambda row, by: services.revise_release(release=row, by=by, at=NOON),
    "approve": lambda row, by: services.approve_release(release=row, by=by, at=NOON, slip=SLIP),
    "publish": lambda row, by: services.publish_release(release=row, by=by, at=NOON),
    "publish_due": lambda row, by: services.publish_due(at=NOON),
    "send_back": lambda row, by: services.send_back_release(
        release=row, by=by, at=NOON, reason="改"
    ),
    "withdraw": lambda row, by: services.withdraw_release(release=row, by=by, at=NOON, reason="撤"),
}


@pytest.fixture
def people(city):
    """Everybody who may touch an edition, duties mixed in one person too."""
    mixtures = (
        (Role.PUBLISHER,),
        (Role.PUBLISHER, Role.REVIEWER),
        (Role.REVIEWER,),
        (Role.REVIEWER, Role.OFFICE_HEAD),
        (Role.PUBLISHER, Role.REVIEWER, Role.OFFICE_HEAD),
    )
    return [UserFactory(roles=roles, organization=city.office) for roles in mixtures] + [
        city.officer
    ]


def state_of(row: Release) -> tuple:
    steps = row.steps.filter(round=row.round).values_list("stage", "person")
    return row.status, row.author_id, tuple(sorted(steps))


def snapshot_of(row: Release) -> tuple[dict, list[dict]]:
    return (
        Release.objects.filter(pk=row.pk).values().get(),
        list(row.steps.filter(round=row.round).values()),
    )


def restore(stored: tuple[dict, list[dict]]) -> Release:
    values, steps = stored
    PublicItem.objects.all().delete()
    ReleaseStep.objects.all().delete()
    # What has ended stays ended: the row is made anew.
    Release.objects.all().delete()
    ReleaseStep.objects.bulk_create(ReleaseStep(**step) for step in steps)
    Release.objects.bulk_create([Release(**values)])
    return Release.objects.get(pk=values["id"])


def walk(start: Release, people) -> set[tuple]:
    """Every state that any sequence of acts by these people can reach: the whole model."""
    seen = {state_of(start)}
    todo = [snapshot_of(start)]
    while todo:
        stored = todo.pop()
        restore(stored)
        for name, person in itertools.product(STEPS, people):
            row = Release.objects.get(pk=stored[0]["id"])
            try:
                with transaction.atomic():
                    STEPS[name](row, person)
            except REFUSALS:
                continue  # taken back as a whole
            row = Release.objects.get(pk=stored[0]["id"])
            state = state_of(row)
            if state not in seen:
                seen.add(state)
                todo.append(snapshot_of(row))
            restore(stored)
    return seen


def test_no_sequence_of_acts_reaches_the_public_without_three_other_people(
    world, people, monkeypatch
):
    """From a proposed edition every act by everybody, exhaustively."""
    content = services.compose(world.document, as_of=NOON.date())
    monkeypatch.setattr(services, "compose", lambda document, *, as_of: content)
    monkeypatch.setattr(services, "_publish_items", lambda release, at: None)
    row = services.propose_release(document=world.document, by=people[0], at=NOON)

    reached = walk(row, people)

    assert {status for status, _author, _steps in reached} == set(Release.Status.values) - {
        "superseded"
    }
    assert len(reached) > 100
    for status, author_id, steps in reached:
        signers = [person for _stage, person in steps]
        assert len(signers) == len(set(signers))
        if status in ("approved", "released", "withdrawn"):
            assert [stage for stage, _person in steps] == [0, 1, 2, 3]
            assert signers[0] == author_id
            assert author_id not in signers[1:]


def test_a_reviewer_who_is_also_the_author_finds_no_way_through_the_pages(client, city, world):
    both = UserFactory(roles=[Role.PUBLISHER, Role.REVIEWER], organization=city.office)
    client.force_login(both)
    client.post(
        reverse("supervision:release_propose"), {"document": world.document.pk}, follow=True
    )
    row = Release.objects.get()
    for act in (
        "submit", "approve-first", "approve-second", "approve-third", "publish", "send-back",
        "withdraw",
    ):  # fmt: skip
        client.post(
            reverse("supervision:release_act", args=[row.uid, act]),
            {"version": Release.objects.get().version, "reason": "自审"},
        )

    row = Release.objects.get()
    assert (row.author, row.status) == (both, "first_review")
    assert row.steps.get().stage == 0


@pytest.fixture
def draft(city, world):
    return services.propose_release(document=world.document, by=city.publisher, at=NOON)


@pytest.mark.parametrize("status", ["approved", "released", "superseded"])
@pytest.mark.parametrize("until", [0, 1, 2])
def test_the_database_refuses_what_fewer_than_three_have_read(city, draft, status, until):
    row = review_release(city, draft, until=until)

    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=row.pk).update(status=status, released_at=NOON)


def test_the_database_refuses_an_edition_that_is_born_public(city, world):
    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.create(
            document=world.document, label="2026-06", as_of_date=NOON.date(), status="released",
            released_at=NOON, created_at=NOON, stage_at=NOON, author=city.publisher,
        )  # fmt: skip


def test_the_database_refuses_the_same_person_twice_in_a_round(city, draft):
    row = review_release(city, draft, until=1)
    for again in (city.publisher, city.reviewer):
        for person, principal in ((again, city.stranger), (city.stranger, again)):
            with pytest.raises(IntegrityError), transaction.atomic():
                ReleaseStep.objects.create(
                    release=row, round=row.round, stage=2, person=person, principal=principal,
                    signed_at=NOON, seen_hash=row.content_hash,
                )  # fmt: skip


def test_the_database_keeps_every_step_as_it_was_signed(city, draft):
    row = review_release(city, draft, until=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.steps.filter(stage=1).update(person=city.stranger)


def test_the_database_refuses_a_hash_changed_after_the_reviews(city, draft):
    row = review_release(city, draft)

    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=row.pk).update(content_hash="sha256:other")


def test_steps_taken_away_take_the_road_away(city, draft):
    row = review_release(city, draft)
    row.steps.filter(stage=2).delete()

    with pytest.raises((ActRefused, IntegrityError)), transaction.atomic():
        services.publish_release(release=row, by=city.publisher, at=NOON)


@pytest.mark.parametrize("until", [0, 1, 2])
def test_content_that_was_tampered_with_is_refused_at_every_step(city, draft, until):
    row = review_release(city, draft, until=until)
    row.content["items"][0]["title"] = "偷偷改过的题目"
    # Even with the database's own guard gone the service compares.
    with connection.cursor() as cursor:
        on = "" if connection.vendor == "sqlite" else "ON supervision_release"
        cursor.execute(f"DROP TRIGGER guard_supervision_release_settled {on}")
    Release.objects.filter(pk=row.pk).update(content=row.content)
    row.refresh_from_db()
    status = row.status
    reader = (city.reviewer, city.second_reviewer, city.third_reviewer)[until]

    with pytest.raises(ActRefused):
        STEPS["approve"](row, reader)

    assert not PublicItem.objects.exists()
    assert Release.objects.get().status == status


@pytest.mark.parametrize("until", [0, 1, 2, 3, "released"])
def test_the_database_refuses_another_content_without_another_round(city, draft, until):
    row = review_release(city, draft, until=3 if until == "released" else until)
    if until == "released":
        row = services.publish_release(release=row, by=city.publisher, at=NOON)
    row.content["items"][0]["title"] = "偷偷改过的题目"
    other = {"content": row.content}
    # As a shell may try it: in place, on the way back to a draft, under an earlier round.
    for fields in (other, other | {"status": "draft"}, other | {"round": row.round - 1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Release.objects.filter(pk=row.pk).update(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=row.pk).update(content_hash="sha256:other")


@pytest.mark.parametrize("status", ["draft", "approved", "released"])
def test_the_database_refuses_the_return_of_what_was_withdrawn(city, world, publish, status):
    row = publish(world.document)
    services.withdraw_release(release=row, by=city.reviewer, at=NOON, reason="数字有误")

    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=row.pk).update(status=status)


def test_the_public_reads_the_edition_and_not_what_a_row_was_made_to_say(city, world, publish):
    """Raw writes to a public item: other words, another item, one that was withdrawn."""
    row = publish(world.document)
    shown, gone = world.on_track.item.public_item, world.overdue.item.public_item
    services.withdraw_item(public_item=gone, by=city.reviewer, at=NOON + DAY, reason="个人隐私")
    PublicItem.objects.filter(pk=gone.pk).update(withdrawn_at=None)
    PublicItem.objects.filter(pk=shown.pk).update(data=shown.data | {"title": "没有审过的题目"})
    secret = world.hidden["withheld"].item
    PublicItem.objects.create(
        item=secret, number=99, release=row, data=shown.data | {"title": secret.title},
        data_hash="x", first_released_at=NOON, changed_at=NOON,
    )  # fmt: skip
    snapshot._kept.clear()

    titles = {entry.title for entry in snapshot.read().entries}

    assert world.on_track.item.title in titles
    assert not titles & {"没有审过的题目", world.overdue.item.title, secret.title}


@pytest.mark.parametrize("until", [0, 1, 2, 3])
def test_any_edit_voids_every_step(city, draft, until):
    row = review_release(city, draft, until=until)
    key = row.content["items"][0]["key"]

    row = services.revise_release(
        release=row, by=city.publisher, at=NOON, edits={key: {"text": "换一种说法。"}}
    )

    assert (row.status, row.round) == ("draft", 2)
    assert not row.steps.filter(round=2).exists()
    row = services.submit_release(release=row, by=city.publisher, at=NOON)
    with pytest.raises(TransitionNotAllowed):
        services.publish_release(release=row, by=city.publisher, at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=row.pk).update(status="approved")


def test_a_figure_a_date_or_a_state_is_never_typed(city, draft):
    key = draft.content["items"][0]["key"]
    with pytest.raises(ActRefused):
        services.revise_release(
            release=draft, by=city.publisher, at=NOON, edits={key: {"status": "done"}}
        )


def test_hidden_words_say_why_and_corrections_stand_in_the_edition(city, draft):
    key = draft.content["items"][0]["key"]
    row = services.revise_release(
        release=draft,
        by=city.publisher,
        at=NOON,
        edits={key: {"hidden_reason": "涉及企业商业秘密", "correction": "上期目标值有误。"}},
    )
    entry = row.content["items"][0]
    assert entry["progress_text"] == ""
    assert entry["hidden"] == [{"field": "progress_text", "reason": "涉及企业商业秘密"}]
    assert row.content["corrections"] == [
        {"key": key, "title": entry["title"], "text": "上期目标值有误。"}
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"answers": {}},
        {"answers": SLIP["answers"] | {"state_secret": "yes"}},
        {"attribute": "on_request"},
        {"attribute": ""},
        {"finding": " "},
    ],
)
def test_the_third_review_needs_a_clean_slip(city, draft, change):
    row = review_release(city, draft, until=2)

    with pytest.raises(ActRefused):
        services.approve_release(release=row, by=city.third_reviewer, at=NOON, slip=SLIP | change)

    assert Release.objects.get().status == "third_review"


def test_only_one_edition_of_a_document_is_current(world, publish):
    first = publish(world.document)
    second = publish(world.document, NOON.replace(day=11))

    assert Release.objects.get(pk=first.pk).status == "superseded"
    assert list(Release.objects.current()) == [second]


def test_an_embargo_holds_until_its_day_and_a_late_job_still_publishes(city, world):
    day = NOON + timedelta(days=5)
    row = services.propose_release(
        document=world.document, by=city.publisher, at=NOON, embargo_date=day.date()
    )
    row = review_release(city, row)
    with pytest.raises(ActRefused, match="06-15"):
        services.publish_release(release=row, by=city.publisher, at=day - timedelta(days=1))
    assert services.publish_due(at=day - timedelta(days=1)) == {"published": 0, "failed": 0}

    late = day + timedelta(days=3)
    assert services.publish_due(at=late) == {"published": 1, "failed": 0}
    assert services.publish_due(at=late) == {"published": 0, "failed": 0}

    row = Release.objects.get()
    assert (row.status, row.released_at) == ("released", late)


def test_an_author_who_left_does_not_publish_by_the_job(city, world):
    row = services.propose_release(
        document=world.document, by=city.publisher, at=NOON, embargo_date=NOON.date()
    )
    review_release(city, row)
    city.publisher.groups.clear()

    assert services.publish_due(at=NOON) == {"published": 0, "failed": 1}
    assert Release.objects.get().status == "approved"


def test_what_was_withdrawn_during_the_reviews_does_not_come_back(city, world, publish):
    publish(world.document)
    at = NOON + timedelta(days=1)
    row = services.propose_release(document=world.document, by=city.publisher, at=at)
    row = review_release(city, row, at=at)
    public = PublicItem.objects.public().first()
    services.withdraw_item(public_item=public, by=city.reviewer, at=at, reason="涉及个人隐私")

    with pytest.raises(ActRefused, match=public.item.title):
        services.publish_release(release=row, by=city.publisher, at=at)

    public.refresh_from_db()
    assert public.withdrawn_at is not None
    row = services.revise_release(release=Release.objects.get(pk=row.pk), by=city.publisher, at=at)
    assert str(public.item.uid) not in {entry["key"] for entry in row.content["items"]}


@pytest.mark.parametrize(
    "text",
    [
        "联系人电话13812345678",
        "联系人电话138 1234 5678",
        "身份证110101199003071234",
        "邮箱a.b@example.org",
        "详见 https://example.org/a",
        "卡号6222 0212 3456 7890 128",
        "内部资料，注意保管",
    ],
)
def test_personal_data_links_and_marks_of_secrecy_stop_an_edition(city, world, text):
    report = world.on_track.lead.periods.get(label="2026-05").report
    report.progress_text = text
    report.save()
    row = services.propose_release(document=world.document, by=city.publisher, at=NOON)

    with pytest.raises(ActRefused):
        services.submit_release(release=row, by=city.publisher, at=NOON)
    assert Release.objects.get().status == "draft"

    entry = next(e for e in row.content["items"] if text in e["progress_text"])
    row = services.revise_release(
        release=row, by=city.publisher, at=NOON, edits={entry["key"]: {"text": "已启动。"}}
    )
    services.submit_release(release=row, by=city.publisher, at=NOON)


def test_one_person_withdraws_and_the_others_are_told(city, world, publish):
    row = publish(world.document)
    services.withdraw_release(release=row, by=city.second_reviewer, at=NOON, reason="数字有误")

    told = InboxEntry.objects.filter(event__kind=EventKind.WITHDRAWN)
    names = set(told.values_list("user__username", flat=True))
    assert {"publisher", "reviewer", "third_reviewer", "office_head"} <= names
    assert "second_reviewer" not in names


def test_the_command_takes_one_step_at_a_time_and_leaves_none_out(city, world):
    number = world.document.doc_number

    def step(username, edition="2026-06", **options):
        call_command(
            "release", edition=edition, document=number, username=username,
            stdout=io.StringIO(), **options,
        )  # fmt: skip

    for who in ("publisher", "publisher", "reviewer"):
        step(username=who)
    with pytest.raises(CommandError):  # nobody signs twice
        step(username="reviewer")
    with pytest.raises(CommandError):  # nor does an officer review
        step(username="officer")
    step(username="second_reviewer")
    with pytest.raises(CommandError):  # the slip needs its finding
        step(username="third_reviewer")
    with pytest.raises(CommandError):
        step(username="publisher", edition="2026-05")
    step(username="third_reviewer", finding="不涉密，可以公开。")
    step(username="publisher")
    assert Release.objects.get().status == "released"


def test_the_command_withdraws_one_item_by_number_or_address(city, world, publish):
    publish(world.document)
    first, second, *_rest = PublicItem.objects.public()
    for who in ("officer", "nobody"):
        with pytest.raises(CommandError):
            call_command("withdraw", str(first.number), username=who, reason="有误")
    call_command("withdraw", str(first.number), username="reviewer", reason="有误")
    call_command("withdraw", second.slug, username="office_head", reason="有误")
    assert not PublicItem.objects.public().filter(pk__in=[first.pk, second.pk]).exists()
    with pytest.raises(CommandError):
        call_command("withdraw", first.slug, username="reviewer", reason="有误")


def test_reviewers_read_the_words_the_public_will_read():
    from cms.snapshot import STATUSES
    from supervision.views.releases import STATUS_WORDS

    assert {code: str(word) for code, (word, _light) in STATUSES.items()} == {
        code: str(word) for code, word in STATUS_WORDS.items()
    }
