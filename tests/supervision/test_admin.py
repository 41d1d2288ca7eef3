"""Django's admin changes reference data only: no states, no deletion, no edited events."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse
from django_fsm import FSMField

from supervision.models import (
    Assignment,
    CalendarDay,
    Event,
    EventKind,
    ProgressReport,
    Release,
    SupervisionItem,
    TimeLimit,
)
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client, city):
    """Every permission Django knows: the admin's own rules still hold."""
    user = city.administrator
    user.is_staff = True
    user.is_superuser = True
    user.save()
    user.user_permissions.set(Permission.objects.all())
    client.force_login(user)
    return user


def test_nothing_with_a_state_is_registered():
    for model in apps.get_app_config("supervision").get_models():
        has_state = any(isinstance(field, FSMField) for field in model._meta.fields)
        assert not (has_state and admin.site.is_registered(model)), model


@pytest.mark.parametrize("model", [SupervisionItem, Assignment, ProgressReport, Release])
def test_business_rows_are_not_there(model):
    assert not admin.site.is_registered(model)


def test_every_list_opens(client, boss):
    Event.objects.create(kind=EventKind.NOTE, happened_at=NOON, recorded_at=NOON)
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label == "supervision":
            address = reverse(f"admin:supervision_{model._meta.model_name}_changelist")
            assert client.get(address).status_code == 200, model
            assert not model_admin.has_delete_permission(None)


def test_an_event_is_read_and_never_written(client, boss):
    event = Event.objects.create(
        kind=EventKind.NOTE, reason="原文", happened_at=NOON, recorded_at=NOON
    )
    address = reverse("admin:supervision_event_change", args=[event.pk])

    assert client.get(address).status_code == 200
    assert client.post(address, {"reason": "改过"}).status_code == 403
    assert client.get(reverse("admin:supervision_event_add")).status_code == 403
    event.refresh_from_db()
    assert event.reason == "原文"


def test_nothing_can_be_deleted(client, boss):
    day = CalendarDay.objects.first()

    address = reverse("admin:supervision_calendarday_delete", args=[day.pk])

    assert client.post(address, {"post": "yes"}).status_code == 403
    assert CalendarDay.objects.filter(pk=day.pk).exists()


def test_a_limit_keeps_its_code(client, boss):
    limit = TimeLimit.objects.get(code="accept", urgency="")
    client.post(
        reverse("admin:supervision_timelimit_change", args=[limit.pk]),
        {"code": "other", "name": limit.name, "value": 4, "unit": "working_day", "basis": ""},
    )

    limit.refresh_from_db()
    assert (limit.code, limit.value) == ("accept", 4)
