"""Every road to the public walked at random, far from home: no state that three have not read.

First everything the services offer, exhaustively, as the suite does. Then random walks in which
services, the pages of the desk and of both admins, the jobs, and whatever a shell can do (`save`,
`bulk_update`, `update`, raw SQL, rows made and taken away) come in any order, by everybody. After
each act the state and what the public would read are judged by rules written here anew.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from unittest import mock

from tests.proofs.common import TODAY, Outcome, Scale, empty, noon

WALKS = {Scale.QUICK: 4, Scale.FIRST: 150, Scale.AIM: 1_000}
ACTS = 50
PUBLIC = ("approved", "released", "superseded")


def prove(*, seed: int, scale: Scale) -> Outcome:
    from django.db import transaction

    from cms.services import sync_site
    from supervision.models import Role
    from supervision.services import releases as services
    from supervision.services.roles import sync_roles
    from tests.cms.test_release_gate import STEPS, walk
    from tests.cms.world import public_world
    from tests.factories import UserFactory, build_city

    empty()
    sync_roles()
    city = build_city()
    sync_site()
    world = public_world(city)
    mixtures = (
        (Role.PUBLISHER,),
        (Role.PUBLISHER, Role.REVIEWER),
        (Role.REVIEWER,),
        (Role.REVIEWER,),
        (Role.REVIEWER, Role.OFFICE_HEAD),
        (Role.PUBLISHER, Role.REVIEWER, Role.OFFICE_HEAD),
    )
    people = [UserFactory(roles=roles, organization=city.office) for roles in mixtures]
    people += [city.officer]
    root = UserFactory(organization=city.office, is_staff=True, is_superuser=True)
    problems: list[str] = []

    content = services.compose(world.document, as_of=TODAY)
    with (
        mock.patch.object(services, "compose", lambda document, *, as_of: content),
        mock.patch.object(services, "_publish_items", lambda release, at: None),
        transaction.atomic(),
    ):
        row = services.propose_release(document=world.document, by=people[0], at=noon(TODAY))
        reached = walk(row, people[: 3 if scale is Scale.QUICK else 6])
        transaction.set_rollback(True)
    for status, author, steps in reached:
        if status in (*PUBLIC, "withdrawn") and not _three_others(author, steps):
            problems.append(f"services reached {status} with {steps}")

    chance = random.Random(seed)
    walker = Walker(world, city, [*people, root], STEPS, chance, problems)
    # Thousands of refusals need not be logged.
    logging.disable(logging.CRITICAL)
    try:
        for _ in range(WALKS[scale]):
            with transaction.atomic():
                walker.walk()
                transaction.set_rollback(True)
    finally:
        logging.disable(logging.NOTSET)
    figures = {
        "states by services": len(reached),
        "walks": WALKS[scale],
        "acts": sum(walker.acts.values()),
        "refused": walker.refused,
        "states": len(walker.states),
        "times public": walker.times_public,
        "roads": dict(sorted(walker.acts.items())),
        "illegal": len(problems),
    }
    if not walker.times_public:
        problems.append("no walk ever reached the public: nothing is proved")
    return Outcome(not problems, figures, problems)


def _three_others(author: int, steps) -> bool:
    """Stages 0 to 3 once each, the author first, everybody another."""
    people = [person for _stage, person in steps]
    stages = [stage for stage, _person in steps]
    return stages == [0, 1, 2, 3] and people[0] == author and len(set(people)) == 4


class Walker:
    """Takes any act in any state, and judges what is left after it."""

    def __init__(self, world, city, people, services, chance, problems) -> None:
        self.world, self.city, self.people = world, city, people
        self.services, self.chance, self.problems = services, chance, problems
        self.acts: Counter = Counter()
        self.states: set[tuple] = set()
        self.refused = self.times_public = 0
        self.minutes = 0

    def walk(self) -> None:
        from cms import snapshot

        snapshot._kept.clear()
        self.minutes = 0
        roads: list[tuple[str, Callable, int]] = [
            ("propose", self._propose, 4),
            ("service, the right one", self._forward, 60),
            *((f"service {name}", self._service(name), 2) for name in self.services),
            ("withdraw item", self._withdraw_item, 1),
            ("page of the desk", self._desk, 4),
            ("admin", self._admin, 2),
            ("Wagtail's admin", self._wagtail, 1),
            ("job", self._job, 2),
            ("shell save", self._save, 2),
            ("shell update", self._update, 3),
            ("shell bulk_update", self._bulk, 2),
            ("shell raw SQL", self._raw, 3),
            ("shell create", self._create, 1),
            ("shell content", self._content, 2),
            ("shell steps", self._steps, 2),
            ("shell public item", self._public_item, 2),
        ]
        names, acts, weights = zip(*roads, strict=True)
        for _ in range(ACTS):
            place = self.chance.choices(range(len(acts)), weights)[0]
            self.minutes += 1
            self._try(names[place], acts[place])
            self._judge(names[place])

    @property
    def at(self):
        return noon(TODAY, 8) + timedelta(minutes=self.minutes)

    def _try(self, name: str, act: Callable) -> None:
        from django.core.exceptions import PermissionDenied, ValidationError
        from django.db import DatabaseError, transaction
        from django_fsm import TransitionNotAllowed

        from supervision.services.acts import ActRefused

        self.acts[name] += 1
        refusals = (
            PermissionDenied, TransitionNotAllowed, ActRefused, DatabaseError, ValidationError,
            AttributeError,
        )  # fmt: skip
        try:
            with transaction.atomic():
                act()
        except refusals:
            self.refused += 1

    def _row(self):
        from supervision.models import Release

        rows = list(Release.objects.order_by("pk"))
        return self.chance.choice(rows) if rows else None

    def _person(self):
        return self.chance.choice(self.people)

    def _status(self) -> str:
        from supervision.models import Release

        return self.chance.choice(Release.Status.values)

    # The roads

    def _propose(self) -> None:
        from supervision.services import releases

        releases.propose_release(document=self.world.document, by=self._person(), at=self.at)

    def _service(self, name: str) -> Callable:
        def act() -> None:
            row = self._row()
            if row is not None:
                with mock.patch("tests.cms.test_release_gate.NOON", self.at):
                    self.services[name](row, self._person())

        return act

    def _forward(self) -> None:
        """The step an edition waits for, by anybody: what makes a walk come far."""
        from supervision.models import Release

        row = Release.objects.filter(status__in=Release.ON_ITS_WAY).order_by("pk").last()
        if row is None:
            self._propose()
            return
        name = {"draft": "submit", "approved": "publish"}.get(row.status, "approve")
        by = row.author if name != "approve" else self._person()
        with mock.patch("tests.cms.test_release_gate.NOON", self.at):
            self.services[name](row, by)

    def _withdraw_item(self) -> None:
        from supervision.models import PublicItem
        from supervision.services import releases

        public = list(PublicItem.objects.public())
        if public:
            releases.withdraw_item(
                public_item=self.chance.choice(public), by=self._person(), at=self.at, reason="误"
            )

    def _client(self):
        from django.test import Client

        client = Client(raise_request_exception=False)
        client.force_login(self._person())
        return client

    def _desk(self) -> None:
        from django.urls import reverse

        row = self._row()
        if row is None:
            return
        act = self.chance.choice(
            ("submit", "approve-first", "approve-second", "approve-third", "publish", "send-back",
             "withdraw", "revise")
        )  # fmt: skip
        data = {"version": row.version, "reason": "改", "finding": "可以", "attribute": "proactive"}
        self._client().post(reverse("supervision:release_act", args=[row.uid, act]), data)

    def _admin(self) -> None:
        """Django's admin, its adding and changing of every model that has to do with it."""
        from supervision.models import PublicItem, Release

        row = self._row()
        model = self.chance.choice(("release", "releasestep", "publicitem", "supervisionitem"))
        path = f"/admin/supervision/{model}/"
        client = self._client()
        if row is not None:
            data = {
                "status": self._status(),
                "openness": "proactive",
                "released_at_0": f"{TODAY}",
            }
            client.post(f"{path}{row.pk}/change/", data)
        client.post(f"{path}add/", {"status": "released", "document": self.world.document.pk})
        counts = (Release.objects.count(), PublicItem.objects.count())
        client.post(path, {"action": "delete_selected", "_selected_action": [1], "post": "yes"})
        if (Release.objects.count(), PublicItem.objects.count()) != counts:
            self.problems.append(f"the admin took rows of {model} away")

    def _wagtail(self) -> None:
        """A page for an item that is not public, made by an editor."""
        from cms.models import ItemPage, ProgressPage

        parent = ProgressPage.objects.first()
        before = ItemPage.objects.count()
        hidden = self.world.hidden["withheld"].item
        data = {"title": hidden.title, "slug": "0123456789", "action-publish": "1"}
        self._client().post(f"/cms/pages/add/cms/itempage/{parent.pk}/", data)
        if ItemPage.objects.count() != before:
            self.problems.append("Wagtail's admin made the page of an item")

    def _job(self) -> None:
        from supervision.services import releases

        releases.publish_due(at=self.at)

    def _save(self) -> None:
        row = self._row()
        if row is not None:
            row.__dict__["status"] = self._status()
            row.released_at = row.released_at or self.at
            row.save()

    def _update(self) -> None:
        from supervision.models import Release

        row = self._row()
        if row is not None:
            fields = {"status": self._status()}
            if self.chance.random() < 0.5:
                fields |= {"released_at": self.at, "withdrawn_at": None}
            if self.chance.random() < 0.2:
                fields |= {"content_hash": "sha256:other"}
            if self.chance.random() < 0.2:
                fields |= {"author": self._person()}
            if self.chance.random() < 0.2:
                fields |= {"round": self.chance.randint(1, 3)}
            Release.objects.filter(pk=row.pk).update(**fields)

    def _bulk(self) -> None:
        from supervision.models import Release

        row = self._row()
        if row is not None:
            row.__dict__["status"] = self._status()
            row.released_at = row.released_at or self.at
            Release.objects.bulk_update([row], ["status", "released_at"])

    def _raw(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE supervision_release SET status = %s, released_at = %s, withdrawn_at = NULL",
                [self._status(), self.at],
            )

    def _create(self) -> None:
        """A row that is born public, copied from another."""
        from supervision.models import Release

        row = self._row()
        if row is not None:
            row.pk = row.uid = None
            fields = {f.attname: getattr(row, f.attname) for f in Release._meta.concrete_fields}
            fields = {name: value for name, value in fields.items() if name not in ("id", "uid")}
            Release.objects.bulk_create([Release(**fields | {"status": self._status()})])

    def _content(self) -> None:
        """Other words in an edition, with or without their hash."""
        from supervision.models import Release
        from supervision.services.releases import canonical_hash

        row = self._row()
        if row is not None and row.content["items"]:
            row.content["items"][0]["title"] = "没有审过的题目"
            fields = {"content": row.content}
            if self.chance.random() < 0.5:
                fields["content_hash"] = canonical_hash(row.content)
            if self.chance.random() < 0.3:
                fields["status"] = self._status()
            Release.objects.filter(pk=row.pk).update(**fields)

    def _steps(self) -> None:
        from supervision.models import ReleaseStep

        row = self._row()
        if row is None:
            return
        steps = ReleaseStep.objects.filter(release=row)
        turn = self.chance.random()
        if turn < 0.4:
            steps.update(person=self._person())
        elif turn < 0.7:
            steps.update(round=row.round, seen_hash=row.content_hash)
        elif row.status not in PUBLIC:
            # Afterwards nothing more is public than before; see `_judge`.
            steps.filter(stage=self.chance.randint(0, 3)).delete()

    def _public_item(self) -> None:
        """Rows of the public's identities written by hand."""
        from supervision.models import PublicItem, Release

        rows = list(PublicItem.objects.all())
        edition = Release.objects.filter(status="released").first()
        turn = self.chance.random()
        if rows and turn < 0.3:
            PublicItem.objects.filter(pk=self.chance.choice(rows).pk).update(withdrawn_at=None)
        elif rows and turn < 0.6:
            public = self.chance.choice(rows)
            data = public.data | {"title": "没有审过的题目"}
            PublicItem.objects.filter(pk=public.pk).update(data=data)
        elif edition is not None:
            hidden = self.world.hidden["withheld"].item
            PublicItem.objects.create(
                item=hidden,
                number=900 + self.minutes,
                release=edition,
                data={"title": hidden.title},
                data_hash="sha256:other",
                first_released_at=self.at,
                changed_at=self.at,
            )

    # The rules, written anew

    def _judge(self, road: str) -> None:
        from cms import snapshot
        from supervision.models import Event, Release
        from supervision.services.releases import canonical_hash

        readable: dict[str, str] = {}
        for row in Release.objects.all():
            steps = list(
                row.steps.filter(round=row.round).values_list(
                    "stage", "person_id", "principal_id", "seen_hash"
                )
            )
            self.states.add((row.status, len(steps), row.round))
            if row.status not in PUBLIC:
                continue
            self.times_public += row.status == "released"
            stages = sorted(stage for stage, *_rest in steps if stage)
            readers = [person for stage, person, *_rest in steps if stage]
            principals = [principal for stage, _person, principal, _seen in steps if stage]
            is_read = (
                stages == [1, 2, 3]
                and len(set(readers)) == len(set(principals)) == 3
                and {seen for stage, *_rest, seen in steps if stage} == {row.content_hash}
                and canonical_hash(row.content) == row.content_hash
            )
            authors = {person for stage, person, *_rest in steps if stage == 0}
            if not is_read or authors & {*readers, *principals}:
                self.problems.append(f"{road}: {row.status} with {steps}")
            if row.status == "released":
                for data in row.content["items"]:
                    readable[data["key"]] = data["title"]
        snapshot._kept.clear()
        withdrawn = dict(
            Event.objects.filter(kind="withdrawn")
            .exclude(item=None)
            .order_by("happened_at")
            .values_list("item__uid", "happened_at")
        )
        for entry in snapshot.read().entries:
            if readable.get(entry.key) != entry.title:
                self.problems.append(f"{road}: the public reads “{entry.title}” unreviewed")
            gone = next((at for uid, at in withdrawn.items() if str(uid) == entry.key), None)
            edition = Release.objects.filter(status="released").latest("released_at")
            if gone is not None and edition.released_at <= gone:
                self.problems.append(f"{road}: “{entry.title}” came back after its withdrawal")
