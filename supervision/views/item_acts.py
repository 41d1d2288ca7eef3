"""The acts on an item: which form, which service, in which words. One table, one runner."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_fsm import can_proceed, has_transition_perm

from supervision import permissions
from supervision.forms import office as forms
from supervision.models import Assignment, SupervisionItem, User
from supervision.services import items as services
from supervision.services.settings import deadline, working_calendar
from supervision.views.base import local_today


@dataclass(frozen=True)
class ItemAct:
    """`fields` maps names of the form to keywords of the service."""

    name: str
    label: Any
    service: Callable
    done: Any
    transition: str = ""
    form: type[forms.ActForm] = forms.PlainForm
    fields: tuple[tuple[str, str], ...] = ()
    tone: str = ""
    intro: Any = ""
    confirm: Any = ""
    # For an act without a transition: whose it is, and when.
    may: Callable[[SupervisionItem, User], bool] | None = None


ACTS: dict[str, ItemAct] = {
    act.name: act
    for act in (
        ItemAct(
            "submit",
            _("Submit for approval"),
            services.submit_item,
            _("The item was submitted for approval."),
            transition="submit",
            tone="primary",
            intro=_("The head of the office or the leader in charge decides."),
        ),
        ItemAct(
            "approve",
            _("Approve and initiate"),
            services.approve_item,
            _("The item is initiated and has its number."),
            transition="approve",
            form=forms.OpinionForm,
            fields=(("opinion", "opinion"),),
            tone="primary",
            intro=_("The item gets its number. It reaches the bodies only with the dispatch."),
        ),
        ItemAct(
            "send-back",
            _("Send back to the drafter"),
            services.send_back_item,
            _("The item was sent back to its drafter."),
            transition="send_back",
            form=forms.ReasonForm,
            fields=(("reason", "opinion"),),
        ),
        ItemAct(
            "dispatch",
            _("Dispatch to all bodies"),
            services.dispatch_item,
            _("The item was dispatched to all its bodies."),
            transition="dispatch",
            form=forms.DispatchForm,
            fields=(("has_notice", "has_notice"),),
            tone="primary",
            intro=_("Every body gets its assignment now, and its clock begins to run."),
            confirm=_("Dispatch the item to all its bodies now?"),
        ),
        ItemAct(
            "complete",
            _("Close the item out"),
            services.complete_item,
            _("The item is closed out."),
            transition="complete",
            form=forms.OpinionForm,
            fields=(("opinion", "opinion"),),
            tone="primary",
            intro=_("On time or late is decided by the lead's share and frozen now."),
        ),
        ItemAct(
            "archive",
            _("Archive"),
            services.archive_item,
            _("The item is archived."),
            transition="archive",
            intro=_("The file is read only afterwards."),
        ),
        ItemAct(
            "suspend",
            _("Suspend"),
            services.suspend_item,
            _("The item is suspended; its clocks stand still."),
            transition="suspend",
            form=forms.SuspendForm,
            fields=(("basis", "basis"), ("expected_end_date", "expected_end_date")),
            intro=_("The clocks of all open shares stop until the item is resumed."),
        ),
        ItemAct(
            "resume",
            _("Resume"),
            services.resume_item,
            _("The item is resumed; the days held were added."),
            transition="resume",
            tone="primary",
            intro=_("The working days held are added to every due date."),
        ),
        ItemAct(
            "reopen",
            _("Reopen"),
            services.reopen_item,
            _("The item is open again."),
            transition="reopen",
            form=forms.ReopenForm,
            fields=(("instruction", "instruction"), ("due_date", "due_date")),
            intro=_("A new instruction and a new due date are needed; old verdicts stay on file."),
        ),
        ItemAct(
            "instruct",
            _("Give an instruction"),
            services.instruct_item,
            _("The instruction is on record; the office has been told."),
            form=forms.InstructForm,
            fields=(("instruction", "instruction"), ("due_date", "due_date")),
            intro=_("A closed item is reopened by it; on an open one the office acts on it."),
            may=lambda item, user: (
                permissions.can_decide_on_item(item, user)
                and item.status in (*SupervisionItem.OPEN_STATES, SupervisionItem.Status.DRAFT)
            ),
        ),
        ItemAct(
            "openness",
            _("Decide openness"),
            services.decide_openness,
            _("The openness was decided. Nothing is public by it yet."),
            form=forms.OpennessForm,
            fields=(("openness", "openness"), ("openness_basis", "basis")),
            intro=_("Only items open to the public enter an edition, and only after review."),
        ),
        ItemAct(
            "cancel",
            _("Cancel"),
            services.cancel_item,
            _("The item is cancelled."),
            transition="cancel",
            form=forms.BasisForm,
            fields=(("basis", "basis"),),
            tone="danger",
            intro=_("The shares of all bodies end with it."),
            confirm=_("Cancel the item and all its open shares?"),
        ),
    )
}


@dataclass(frozen=True)
class Offer:
    """An act this user can perform on this item now, with its form."""

    act: ItemAct
    form: forms.ActForm
    is_open: bool = False


def is_possible(act: ItemAct, item: SupervisionItem, user: User) -> bool:
    """State and duty both allow it."""
    if act.may is not None:
        return act.may(item, user)
    if not act.transition:
        ended = (SupervisionItem.Status.CANCELLED, SupervisionItem.Status.ARCHIVED)
        return item.status not in ended and permissions.can_edit_item(item, user)
    transition = getattr(item, act.transition)
    return can_proceed(transition) and has_transition_perm(transition, user)


def build_form(
    act: ItemAct, item: SupervisionItem, data=None, *, renew: bool = False
) -> forms.ActForm:
    initial = {}
    if act.name == "openness":
        initial = {"openness": item.openness, "openness_basis": item.openness_basis}
    return act.form(data, act=act.name, row=item, renew=renew, initial=initial)


def offers(
    item: SupervisionItem, user: User, *, bound: dict[str, forms.ActForm] | None = None
) -> list[Offer]:
    """The acts possible now, in order; `bound` carries forms that came back with mistakes."""
    bound = bound or {}
    return [
        Offer(act, bound.get(name) or build_form(act, item), is_open=name in bound)
        for name, act in ACTS.items()
        if is_possible(act, item, user)
    ]


def hints(item: SupervisionItem, user: User, shares: list[Assignment]) -> list[str]:
    """Why what one might expect is not offered, one line each."""
    status = SupervisionItem.Status
    found = []
    if item.status == status.DRAFT and permissions.can_submit_item(item, user):
        found += services.obstacles_to_submission(item)
    if item.status == status.UNDER_APPROVAL and not permissions.can_approve_item(item, user):
        if permissions.is_person(user, item.drafted_by_id, item.drafted_by_deputy_id):
            found.append(_("You drafted this item, so somebody else approves it."))
        else:
            found.append(_("The head of the office or the leader in charge approves."))
    if item.status == status.INITIATED and not permissions.can_dispatch_item(item, user):
        found.append(_("A supervision officer dispatches the item."))
    if item.status == status.INITIATED and permissions.can_dispatch_item(item, user):
        found += _dates_of_a_dispatch(item)
    if item.status == status.IN_PROGRESS and user.is_office:
        still_open = sum(share.is_open for share in shares)
        if still_open:
            found.append(
                ngettext(
                    "%(count)s body is still open; the item can be closed out after the last one.",
                    "%(count)s bodies are still open; the item can be closed out after the last "
                    "one.",
                    still_open,
                )
                % {"count": still_open}
            )
        elif not permissions.can_complete_item(item, user):
            found.append(
                _("This is a key item: the leader in charge closes it out.")
                if item.is_key
                else _("The head of the office closes the item out.")
            )
        found.append(_("To suspend or cancel the item is the leader's decision."))
    if item.status == status.COMPLETED and user.is_office:
        found.append(_("Only the leader reopens the item, on a new instruction."))
    return [str(text) for text in found]


def _dates_of_a_dispatch(item: SupervisionItem) -> list[str]:
    """Which limits would begin today, and whether a year without a notice weakens them."""
    today = local_today()
    accept_by = deadline("accept", today, urgency=item.urgency)
    object_by = deadline("object", today)
    found = [
        _("Dispatched today, it is to be signed for by %(accept)s; objections until %(object)s.")
        % {"accept": date_format(accept_by.date), "object": date_format(object_by.date)}
    ]
    last_year = max(accept_by.date, object_by.date, item.due_date or today).year
    announced = working_calendar().announced_years
    missing = [year for year in range(today.year, last_year + 1) if year not in announced]
    if missing:
        found.append(
            _(
                "◇ Provisional: no holiday notice for %(years)s is in force yet, so only weekends "
                "are counted there. Dates computed with it are counted again when it is."
            )
            % {"years": "、".join(str(year) for year in missing)}
        )
    return found


def run(act: ItemAct, item: SupervisionItem, user: User, form: forms.ActForm, *, at, version):
    """The service call of an act whose form is valid, ready for `perform`."""
    values = {keyword: form.cleaned_data[name] for name, keyword in act.fields}
    return partial(act.service, item=item, by=user, at=at, version=version, **values)
