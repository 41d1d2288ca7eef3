"""What a person can do with a row, as data: who may, when it is offered, which form, which service.

A refused act shows the page again with its form open, what was typed still in it and the reason
above it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_fsm import ConcurrentTransition, TransitionNotAllowed, can_proceed

from supervision.forms import body as forms
from supervision.models import (
    Assignment,
    Milestone,
)
from supervision.services.acts import ActRefused, StaleRow
from supervision.services.files import add_attachment


@dataclass(frozen=True)
class Act:
    """One thing a person can do with a row.

    `may` asks about the person, `when` about the state of the row; `run` is the service.
    """

    label: str
    run: Callable
    may: Callable[[Any, Any], bool]
    when: Callable[[Any], bool]
    done: str
    form: type[forms.ActForm] = forms.ActForm
    tone: str = ""
    intro: str | Callable[[Any], str] = ""
    confirm: str = ""
    submit_label: str = ""

    def is_offered(self, row, user) -> bool:
        return self.when(row) and self.may(row, user)


@dataclass
class Offer:
    """An act as the page shows it: a button that opens its form."""

    code: str
    act: Act
    form: forms.ActForm
    action: str
    is_open: bool = False
    label: str = field(init=False)
    intro: str = field(init=False)

    def __post_init__(self):
        self.label = self.act.label
        self.intro = self.act.intro(self.form.row) if callable(self.act.intro) else self.act.intro


def versioned(service: Callable, name: str) -> Callable:
    """Call a service with its row as `name`, the version of the form and what was typed."""

    def run(*, row, by, at, form):
        return service(
            **{name: row}, by=by, at=at, version=form.cleaned_data["version"], **form.values
        )

    return run


def plain(service: Callable, name: str) -> Callable:
    """The same for services whose acts add up instead of overwriting."""

    def run(*, row, by, at, form):
        return service(**{name: row}, by=by, at=at, **form.values)

    return run


def attach(assignment: Assignment, form, by, at, **to) -> None:
    for upload in form.cleaned_data.get("files") or ():
        add_attachment(assignment=assignment, by=by, at=at, upload=upload, **to)


def with_files(run: Callable) -> Callable:
    """Files first: one that is refused undoes the act as well."""

    def run_with_files(*, row, by, at, form):
        if isinstance(row, Milestone):
            attach(row.assignment, form, by, at, milestone=row)
        else:
            attach(row, form, by, at)
        return run(row=row, by=by, at=at, form=form)

    return run_with_files


def only_files(*, row, by, at, form) -> None:
    attach(row, form, by, at)


def in_state(name: str) -> Callable[[Any], bool]:
    return lambda row: can_proceed(getattr(row, name))


def run_act(request, act: Act, row, *, shown: Callable, finished: Callable):
    """Perform one act on one row; `shown(form)` renders its page with the form still open.

    Raises PermissionDenied when the person may not.
    """
    if not act.may(row, request.user):
        raise PermissionDenied(_("Your duties do not include this act."))
    form = act.form(request.POST, request.FILES, row=row, user=request.user, auto_id="id_open_%s")
    if not form.is_valid():
        return shown(form)
    try:
        with transaction.atomic():
            act.run(row=row, by=request.user, at=timezone.now(), form=form)
    except StaleRow as refusal:
        form.renew_version(refusal.row.version)
        form.add_error(None, refusal.message)
    except ActRefused as refusal:
        form.add_error(None, refusal.message)
    except TransitionNotAllowed as refusal:
        form.add_error(None, str(refusal))
    except ConcurrentTransition:
        form.add_error(
            None,
            _("Somebody else was faster: this has changed meanwhile. Look at its present state."),
        )
    else:
        messages.success(request, act.done)
        return finished()
    if form.visible_fields():
        return shown(form)
    for error in form.non_field_errors():
        messages.error(request, error)
    return finished()
