"""Who hears of what, and when a message has nothing left to say."""

from datetime import timedelta

import pytest

from notifications import rules, services
from notifications.models import Delivery, FanOut, InboxEntry, Watermark
from supervision.models import Event, EventKind, Organization
from supervision.services.acts import record_event
from supervision.services.assignments import (
    accept_assignment,
    cancel_assignment,
    remind_body,
    suspend_assignment,
)
from tests.factories import NOON, TODAY, AssignmentFactory


@pytest.fixture
def mine(city):
    row = AssignmentFactory(organization=city.bureau, due_date=TODAY + timedelta(days=30))
    row.item.leader = city.leader
    row.item.save()
    return row


def told(event) -> dict[str, str]:
    return {
        entry.user.username: entry.reason_code
        for entry in InboxEntry.objects.filter(event=event).select_related("user")
    }


def by_mail(event) -> dict[str, str]:
    return {
        delivery.recipient.username: delivery.channel
        for delivery in Delivery.objects.filter(event=event).select_related("recipient")
    }


def happen(kind, row, *, by=None, **fields) -> Event:
    return record_event(kind, assignment=row, by=by, at=NOON, **fields)


def test_only_the_body_concerned_and_the_office_hear_of_it(city, mine):
    event = happen(EventKind.BECAME_OVERDUE, mine, data={"episode": 1})
    assert told(event) == {
        "liaison": "liaison",
        "body_head": "body_head",
        "officer": "officer",
        "leader": "leader_in_charge",
    }
    assert by_mail(event) == {"liaison": "digest", "body_head": "digest"}


def test_nobody_is_told_of_his_own_act(city, mine):
    remind = happen(EventKind.REMINDED, mine, by=city.officer)
    assert set(told(remind)) == {"liaison", "body_head"}
    event = happen(EventKind.SUBMITTED, mine, by=city.officer)
    assert told(event) == {}


def test_who_has_left_hears_nothing(city, mine):
    city.liaison.is_active = False
    city.liaison.save()
    assert set(told(happen(EventKind.REMINDED, mine))) == {"body_head"}


def test_red_is_sent_at_once_and_the_rest_with_the_digest(city, mine):
    data = {"level": 3, "is_sent": True, "audience": ["body_head"], "episode": 1}
    assert by_mail(happen(EventKind.ESCALATION_PROPOSED, mine, data=data)) == {
        "office_head": "mail"
    }
    assert by_mail(happen(EventKind.ESCALATED, mine, data=data)) == {"body_head": "mail"}
    data |= {"level": 2, "audience": ["body_head", "section"]}
    event = happen(EventKind.ESCALATED, mine, data=data)
    assert by_mail(event) == {"body_head": "digest", "liaison": "digest"}
    assert set(told(event)) == {"body_head", "liaison", "officer"}


def test_who_has_no_address_still_has_an_inbox(city, mine):
    city.liaison.email = ""
    city.liaison.save()
    event = happen(EventKind.REMINDED, mine)
    assert "liaison" in told(event)
    assert "liaison" not in by_mail(event)


def test_telling_twice_adds_nothing(city, mine):
    event = happen(EventKind.REMINDED, mine)
    before = InboxEntry.objects.count(), Delivery.objects.count()
    services.fan_out(event)
    assert (InboxEntry.objects.count(), Delivery.objects.count()) == before


def test_a_failing_rule_undoes_no_act_and_is_made_good(city, mine, monkeypatch):
    def broken(event):
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(services, "fan_out", broken)
        event = remind_body(assignment=mine, by=city.officer, at=NOON, text="请抓紧")
    assert Event.objects.filter(pk=event.pk).exists()
    assert told(event) == {}
    assert services.fan_out_missed() == {"written": 1, "failed": 0}
    assert set(told(event)) == {"liaison", "body_head"}
    assert services.fan_out_missed() == {"written": 0, "failed": 0}


def test_the_search_for_forgotten_events_does_not_grow_with_history(
    city, mine, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(services, "OVERLAP", 2)
    for _ in range(5):
        happen(EventKind.REMINDED, mine)
    services.fan_out_missed()
    mark = Watermark.objects.get()
    assert mark.event_id == Event.objects.latest("pk").pk - 2
    FanOut.objects.all().delete()
    assert services.fan_out_missed()["written"] == 2
    assert services.fan_out_missed(is_wide=True)["written"] == 3
    with django_assert_num_queries(4):
        services.fan_out_missed()


def test_one_bad_event_does_not_stop_the_others_and_is_looked_at_again(city, mine, monkeypatch):
    events = [happen(EventKind.REMINDED, mine) for _ in range(3)]
    FanOut.objects.all().delete()
    real = services.fan_out

    def sometimes(event):
        if event.pk == events[0].pk:
            raise RuntimeError("broken")
        return real(event)

    monkeypatch.setattr(services, "OVERLAP", 0)
    with monkeypatch.context() as patch:
        patch.setattr(services, "fan_out", sometimes)
        assert services.fan_out_missed() == {"written": 2, "failed": 1}
    assert services.fan_out_missed() == {"written": 1, "failed": 0}


@pytest.mark.parametrize("act", ["suspend", "cancel"])
def test_what_ends_a_share_cancels_its_open_messages_with_it(city, mine, act):
    happen(EventKind.REMINDED, mine)
    if act == "suspend":
        suspend_assignment(
            assignment=mine,
            by=city.leader,
            at=NOON,
            basis="市长办公会",
            expected_end_date=TODAY + timedelta(days=20),
        )
    else:
        cancel_assignment(assignment=mine, by=city.office_head, at=NOON, basis="市长办公会")
    reminded = Delivery.objects.filter(event__kind=EventKind.REMINDED)
    assert {delivery.status for delivery in reminded} == {"cancelled"}
    assert not InboxEntry.objects.filter(event__kind=EventKind.REMINDED).to_do().exists()
    news = Delivery.objects.exclude(event__kind=EventKind.REMINDED)
    assert {delivery.status for delivery in news} == {"pending"}


def test_signing_ticks_off_the_call_to_sign(city):
    row = AssignmentFactory(status="pending", organization=city.bureau)
    happen(EventKind.DISPATCHED, row)
    happen(EventKind.ACCEPT_OVERDUE, row)
    accept_assignment(assignment=row, by=city.liaison, at=NOON)
    assert not InboxEntry.objects.to_do().filter(user=city.liaison).exists()


def test_a_granted_extension_stops_the_chasing_only(city, mine):
    happen(EventKind.REPORT_SENT_BACK, mine)
    happen(EventKind.BECAME_OVERDUE, mine, data={"episode": 1})
    happen(EventKind.EXTENSION_GRANTED, mine)
    states = dict(
        Delivery.objects.filter(recipient=city.liaison).values_list("event__kind", "status")
    )
    assert states == {
        "report_sent_back": "pending",
        "became_overdue": "cancelled",
        "extension_granted": "pending",
    }


def test_every_duty_of_the_table_can_say_why():
    duties = {hearing.duty for found in rules.HEARINGS.values() for hearing in found}
    for duty in duties:
        assert "市工信局" in rules.why(duty, {"body": "市工信局"}) or duty not in rules.BODY_DUTIES


def test_another_body_never_hears(city, mine):
    assert isinstance(city.other_bureau, Organization)
    for kind in rules.HEARINGS:
        if kind.startswith(("release", "item")):
            continue
        happen(kind, mine, data={"is_sent": True, "level": 4, "audience": ["liaison"]})
    outsiders = [city.other_liaison, city.other_head, city.county_liaison, city.county_head]
    assert not InboxEntry.objects.filter(user__in=[*outsiders, city.other_leader]).exists()
