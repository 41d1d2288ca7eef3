"""Every state × every transition, against tables written from domain.md, section 3."""

import pytest
from django.apps.registry import Apps
from django.db import models
from django.db.models.signals import class_prepared
from django_fsm import FSMField, can_proceed

from supervision.models import (
    Assignment,
    ExtensionRequest,
    Handover,
    HelpRequest,
    Milestone,
    Objection,
    PolicyDocument,
    ProgressReport,
    Release,
    ReportPeriod,
    SupervisionItem,
)

RUNNING = {"pending", "disputed", "in_progress", "under_review", "returned", "approved"}
REVIEWS = {"first_review", "second_review", "third_review"}
ITEM_OPEN = {"draft", "under_approval", "initiated", "in_progress", "suspended"}

TABLES = {
    PolicyDocument: {
        "activate": ({"draft", "closed"}, "active"),
        "close": ({"active"}, "closed"),
    },
    SupervisionItem: {
        "submit": ({"draft"}, "under_approval"),
        "send_back": ({"under_approval"}, "draft"),
        "approve": ({"under_approval"}, "initiated"),
        "dispatch": ({"initiated"}, "in_progress"),
        "suspend": ({"in_progress"}, "suspended"),
        "resume": ({"suspended"}, "in_progress"),
        "cancel": (ITEM_OPEN, "cancelled"),
        "complete": ({"in_progress"}, "completed"),
        "archive": ({"completed"}, "archived"),
        "reopen": ({"completed", "archived"}, "in_progress"),
    },
    Assignment: {
        "accept": ({"pending"}, "in_progress"),
        "object": ({"pending"}, "disputed"),
        "reject_objection": ({"disputed"}, "pending"),
        "withdraw_objection": ({"disputed"}, "pending"),
        "submit": ({"in_progress", "returned"}, "under_review"),
        "send_back": ({"under_review"}, "returned"),
        "approve": ({"under_review"}, "approved"),
        "fail_check": ({"approved"}, "returned"),
        "complete": ({"approved"}, "completed"),
        "suspend": (RUNNING, "suspended"),
        "resume": ({"suspended"}, None),
        "cancel": (RUNNING | {"suspended"}, "cancelled"),
        "reopen": ({"completed"}, "in_progress"),
    },
    Milestone: {
        "agree": ({"draft"}, "planned"),
        "start": ({"planned"}, "in_progress"),
        "submit": ({"planned", "in_progress", "returned"}, "under_review"),
        "send_back": ({"under_review"}, "returned"),
        "approve": ({"under_review"}, "completed"),
        "cancel": ({"draft", "planned", "in_progress", "returned"}, "cancelled"),
    },
    ReportPeriod: {"skip": ({"open"}, "skipped"), "unskip": ({"skipped"}, "open")},
    ProgressReport: {
        "ask_sign_off": ({"draft", "returned"}, "under_sign_off"),
        "refuse_sign_off": ({"under_sign_off"}, "draft"),
        "submit": ({"under_sign_off"}, "submitted"),
        "send_back": ({"submitted"}, "returned"),
        "approve": ({"submitted"}, "approved"),
    },
    ExtensionRequest: {
        "submit": ({"draft"}, "submitted"),
        "endorse": ({"submitted"}, "endorsed"),
        "refuse_at_once": ({"submitted"}, "refused"),
        "refuse": ({"endorsed"}, "refused"),
        "grant": ({"endorsed"}, "granted"),
        "withdraw": ({"draft", "submitted", "endorsed"}, "withdrawn"),
    },
    HelpRequest: {
        "answer": ({"asked"}, "answered"),
        "decline": ({"asked"}, "declined"),
        "withdraw": ({"asked"}, "withdrawn"),
    },
    Handover: {
        "give": ({"prepared"}, "given"),
        "take": ({"given"}, "taken"),
        "drop": ({"prepared", "given"}, "dropped"),
    },
    Objection: {
        "uphold": ({"submitted"}, "upheld"),
        "reject": ({"submitted"}, "rejected"),
        "withdraw": ({"submitted"}, "withdrawn"),
    },
    Release: {
        "submit": ({"draft"}, "first_review"),
        "send_back": (REVIEWS | {"approved"}, "draft"),
        "revise": (REVIEWS | {"draft", "approved"}, "draft"),
        "approve_first": ({"first_review"}, "second_review"),
        "approve_second": ({"second_review"}, "third_review"),
        "approve_third": ({"third_review"}, "approved"),
        "release": ({"approved"}, "released"),
        "supersede": ({"released"}, "superseded"),
        "withdraw": ({"released"}, "withdrawn"),
    },
}
CASES = [
    (model, state, name, state in sources)
    for model, table in TABLES.items()
    for name, (sources, _target) in table.items()
    for state in model.Status.values
]


@pytest.mark.parametrize(("model", "state", "name", "is_allowed"), CASES)
def test_a_transition_is_possible_in_exactly_its_states(model, state, name, is_allowed):
    assert can_proceed(getattr(model(status=state), name)) is is_allowed


@pytest.mark.parametrize("model", TABLES)
def test_the_tables_know_every_transition(model):
    known = {
        transition.name for transition in model._meta.get_field("status").get_all_transitions(model)
    }

    assert known == set(TABLES[model])


@pytest.mark.parametrize(
    ("model", "name", "target"),
    [
        (model, name, target)
        for model, table in TABLES.items()
        for name, (_sources, target) in table.items()
        if target
    ],
)
def test_a_transition_leads_to_one_state(model, name, target):
    field = model._meta.get_field("status")
    targets = {
        transition.target
        for transition in field.get_all_transitions(model)
        if transition.name == name
    }

    assert targets == {target}


@pytest.mark.parametrize("model", TABLES)
def test_every_transition_asks_for_a_permission(model):
    field = model._meta.get_field("status")

    assert all(transition.permission for transition in field.get_all_transitions(model))


@pytest.mark.parametrize("model", TABLES)
def test_a_state_cannot_be_assigned(model):
    row = model()

    with pytest.raises(AttributeError):
        row.status = model.Status.values[-1]


@pytest.mark.parametrize(("module", "listens"), [("__fake__", False), (__name__, True)])
def test_models_of_migrations_do_not_listen_for_every_later_model(module, listens):
    before = len(class_prepared.receivers)
    meta = type("Meta", (), {"app_label": "elsewhere", "apps": Apps()})
    field = FSMField(default="new")
    type("Stateful", (models.Model,), {"__module__": module, "Meta": meta, "status": field})

    assert (len(class_prepared.receivers) > before) is listens
    class_prepared.disconnect(field._collect_transitions)
