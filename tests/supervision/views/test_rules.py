"""The settings of the office: shown first, counted after."""

import pytest
import time_machine
from django.urls import reverse

from supervision.models import EscalationLevel, Event, EventKind, LightSchemeRow, TimeLimit
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def head(client, city):
    with time_machine.travel(NOON, tick=False):
        client.force_login(city.office_head)
        yield client


def values_of(response) -> dict:
    """What a browser would post: the values of every form on the page, as shown."""
    data = {}
    for form in _forms(response):
        for field in form:
            value = field.value()
            choices = getattr(field.field, "choices", None)
            if value is None and choices and field.widget_type == "select":
                value = choices[0][0]
            if value is None or value is False or value == "":
                continue
            data[field.html_name] = "on" if value is True else value
    if "formset" in response.context:
        for field in response.context["formset"].management_form:
            data[field.html_name] = field.value()
    return data


def _forms(response):
    context = response.context
    if "formset" in context:
        return [*context["formset"], context["starts"]]
    return [context["form"]]


def test_a_ladder_counts_only_after_its_preview(head):
    address = reverse("supervision:ladder")
    data = values_of(head.get(address))
    index = [row.code for row in EscalationLevel.objects.order_by("number", "-offset_value")].index(
        "yellow"
    )
    data[f"form-{index}-offset_value"] = 6

    refused = head.post(address, data | {"act": "apply"})
    assert "启用前请先看试算结果" in refused.content.decode()
    assert EscalationLevel.objects.get(code="yellow").offset_value == 5

    previewed = head.post(address, data | {"act": "preview"})
    text = previewed.content.decode()
    assert "对以往不追溯（0项）" in text and "是，自今天起" in text
    note = previewed.context["previewed"]

    # What is put into use is what was previewed, not something typed after it.
    other = head.post(
        address, data | {f"form-{index}-offset_value": 9, "act": "apply", "previewed": note}
    )
    assert "启用前请先看试算结果" in other.content.decode()
    assert head.post(address, data | {"act": "apply", "previewed": note}).status_code == 302
    row = EscalationLevel.objects.get(code="yellow")
    assert (row.offset_value, row.armed_from_date) == (6, NOON.date())
    assert Event.objects.get(kind=EventKind.RULES_CHANGED).data["what"] == "ladder"


def test_a_ladder_with_a_gap_is_named_and_what_was_typed_is_kept(head):
    address = reverse("supervision:ladder")
    data = values_of(head.get(address))
    index = [row.code for row in EscalationLevel.objects.order_by("number", "-offset_value")].index(
        "yellow"
    )
    del data[f"form-{index}-is_active"]
    text = head.post(address, data | {"act": "preview"}).content.decode()
    assert "缺少第2级" in text and "未作任何改动" in text


def test_a_step_is_added_with_a_code_of_its_own(head):
    address = reverse("supervision:ladder")
    data = values_of(head.get(address))
    new = int(data["form-TOTAL_FORMS"]) - 1
    data |= {
        f"form-{new}-is_active": "on",
        f"form-{new}-number": 0,
        f"form-{new}-name": "半月前提醒",
        f"form-{new}-trigger": "before",
        f"form-{new}-offset_value": 15,
        f"form-{new}-offset_unit": "day",
        f"form-{new}-audience": ["liaison"],
        f"form-{new}-is_automatic": "on",
    }
    note = head.post(address, data | {"act": "preview"}).context["previewed"]
    assert head.post(address, data | {"act": "apply", "previewed": note}).status_code == 302
    assert EscalationLevel.objects.get(name="半月前提醒").code == "step-0"


def test_limits_are_changed_in_one_submit(head):
    address = reverse("supervision:limits")
    data = values_of(head.get(address))
    row = TimeLimit.objects.get(code="plan", urgency="")
    assert head.post(address, data | {f"value_{row.pk}": 12}).status_code == 302
    row.refresh_from_db()
    assert row.value == 12
    bad = head.post(address, data | {f"value_{row.pk}": "十二"})
    assert bad.status_code == 200 and "十二" in bad.content.decode()


@pytest.mark.parametrize("code", ["ship", "quota", "shortfall", "three-step", "early-blue"])
def test_every_scheme_comes_back_from_its_form_as_it_was(head, code):
    row = LightSchemeRow.objects.get(code=code)
    address = reverse("supervision:light_scheme", args=[code])
    data = values_of(head.get(address))
    note = head.post(address, data | {"act": "preview"}).context["previewed"]
    assert head.post(address, data | {"act": "apply", "previewed": note}).status_code == 302
    assert LightSchemeRow.objects.get(code=code).params == row.params


def test_a_new_scheme_is_made_and_chosen_for_an_item(head):
    address = reverse("supervision:light_scheme", args=["new"])
    data = values_of(head.get(address)) | {"name": "从严", "warn_value": 8}
    preview = head.post(address, data | {"act": "preview"})
    note = preview.context["previewed"]
    assert head.post(address, data | {"act": "apply", "previewed": note}).status_code == 302
    assert LightSchemeRow.objects.get(name="从严").params["warn_value"] == 8


def test_thresholds_that_contradict_each_other_are_named(head):
    address = reverse("supervision:light_scheme", args=["ship"])
    data = values_of(head.get(address)) | {"warn_value": 12}
    text = head.post(address, data | {"act": "preview"}).content.decode()
    assert "提前提醒（10）须早于临期提醒（12）" in text


def test_a_scheme_that_does_not_exist_is_not_found(head):
    assert head.get(reverse("supervision:light_scheme", args=["nothing"])).status_code == 404
