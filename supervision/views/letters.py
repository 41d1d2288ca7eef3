"""Letters: the register, the paper as it left the house, receipt and reply, the office's texts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from supervision import permissions
from supervision.forms.letters import CircularForm, EditDraftForm, ReplyForm, TemplateForm
from supervision.forms.office import ActForm, PlainForm, ReasonForm
from supervision.models import (
    EventKind,
    Letter,
    LetterKind,
    LetterTemplate,
    Organization,
)
from supervision.rules.letter_text import FIELDS, NEEDED
from supervision.rules.working_days import WorkingCalendar
from supervision.services import letters as services
from supervision.services.files import KINDS
from supervision.services.letter_content import compose
from supervision.services.settings import working_calendar
from supervision.views.base import local_today, perform, posted_version
from supervision.views.navigation import Link, chips, page_of, query_without

PAGE_SIZE = 50
MONTHS_BACK = 12
SHOWN_ABOUT = 20
LATE = {"unsigned": _("Not signed for in time"), "unanswered": _("Not answered in time")}


def letter_rows(rows, *, today: date) -> list[dict[str, Any]]:
    """Letters as the tables show them: what is awaited, and how late it is as of `today`."""
    calendar = working_calendar()
    return [{"letter": row, **standing(row, today, calendar)} for row in rows]


def standing(row: Letter, today: date, calendar: WorkingCalendar) -> dict[str, Any]:
    """What the letter still waits for; how late it is, in words, as of the day shown."""
    is_open = row.status == Letter.Status.ISSUED
    # The notice is signed for with the work, whose own clock says when that is late.
    is_signed_with_work = row.kind == LetterKind.DISPATCH_NOTICE
    return {
        "receipt_late": ""
        if row.received_at or not is_open or is_signed_with_work
        else _late_words(row.receipt_due_date, today, calendar),
        "reply_late": ""
        if row.replied_at or not is_open
        else _late_words(row.reply_due_date, today, calendar),
        "is_receipt_late": _was_late(row.received_at, row.receipt_due_date),
        "is_reply_late": _was_late(row.replied_at, row.reply_due_date),
    }


def _late_words(due: date | None, today: date, calendar: WorkingCalendar) -> str:
    """How late it is in working days, counted to a stated day; empty when it is not."""
    if due is None or today <= due:
        return ""
    days = calendar.between(due, today)
    return ngettext(
        "overdue by %(days)s working day as of %(day)s",
        "overdue by %(days)s working days as of %(day)s",
        days,
    ) % {"days": days, "day": today.isoformat()}


def _was_late(at: datetime | None, due: date | None) -> bool:
    return at is not None and due is not None and timezone.localdate(at) > due


# The register


@login_required
@require_safe
def letters(request):
    """The register, latest first: all of it for the office, for others what concerns them."""
    if not permissions.sees_letters(request.user):
        raise PermissionDenied
    return _list(request)


def _filtered(request, rows, today: date):
    """The rows the address asks for; a value nobody offers filters nothing."""
    chosen = {name: request.GET.get(name, "") for name in ("kind", "state", "year", "body", "late")}
    if chosen["kind"] in LetterKind.values:
        rows = rows.filter(kind=chosen["kind"])
    if chosen["state"] in Letter.Status.values:
        rows = rows.filter(status=chosen["state"])
    if chosen["year"].isdecimal() and len(chosen["year"]) == 4:
        year = int(chosen["year"])
        rows = rows.filter(Q(year=year) | Q(year=None, created_at__year=year))
    if chosen["body"].isdecimal():
        rows = rows.filter(organization_id=int(chosen["body"][:9]))
    if chosen["late"] == "unsigned":
        rows = rows.unsigned(today=today)
    if chosen["late"] == "unanswered":
        rows = rows.unanswered(today=today)
    return rows, chosen


def _list(request, form=None):
    user, today = request.user, local_today()
    mine = Letter.objects.visible_to(user)
    if user.is_body:
        mine = mine.exclude(status=Letter.Status.DROPPED)
    rows, chosen = _filtered(request, mine, today)
    rows = rows.select_related("organization", "item", "received_by").defer("content")
    page = page_of(request, rows.order_by("-created_at", "-pk"), PAGE_SIZE)
    bodies = Organization.objects.filter(letters__in=mine).distinct().in_official_order()
    may_draft = permissions.can_draft_letter(user)
    context = {
        "page_obj": page,
        "rows": letter_rows(page.object_list, today=today),
        "query": query_without(request, "page"),
        "chosen": chosen,
        "kinds": LetterKind.choices,
        "states": Letter.Status.choices,
        "years": [str(found.year) for found in mine.dates("created_at", "year", order="DESC")],
        "bodies": [(str(body.pk), str(body)) for body in bodies]
        if not user.is_body or user.is_office
        else [],
        "late_chips": chips(
            request,
            "late",
            [
                ("", _("All"), None),
                ("unsigned", LATE["unsigned"], mine.unsigned(today=today).count()),
                ("unanswered", LATE["unanswered"], mine.unanswered(today=today).count()),
            ],
        ),
        "clear_url": reverse("supervision:letters") if any(chosen.values()) else "",
        "form": (form or CircularForm(months=_months(today))) if may_draft else None,
        "sees_templates": permissions.sees_letter_templates(user),
        "today": today,
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Letters"))],
    }
    return render(request, "desk/letters.html", context)


def _months(today: date) -> list[str]:
    """The months that are over, latest first, written 2026-05."""
    found, day = [], today.replace(day=1)
    for _number in range(MONTHS_BACK):
        day = (day - timedelta(days=1)).replace(day=1)
        found.append(f"{day:%Y-%m}")
    return found


@login_required
@require_POST
def letter_circular(request):
    """Draft the circular of a month."""
    if not permissions.can_draft_letter(request.user):
        raise PermissionDenied
    form = CircularForm(request.POST, months=_months(local_today()))
    if form.is_valid():
        found = perform(
            request,
            lambda: services.draft_circular(
                by=request.user, at=timezone.now(), period=form.cleaned_data["period"]
            ),
            done=_("The circular is drafted. The head of the office issues it."),
        )
        if found is not None:
            return redirect("supervision:letter", uid=found.uid)
    return _list(request, form)


# One letter


@dataclass(frozen=True)
class LetterAct:
    """An act on a letter: who may, when it is offered, which service, in which words."""

    name: str
    label: Any
    service: Callable
    may: Callable[[Letter, Any], bool]
    when: Callable[[Letter], bool]
    done: Any
    form: type[ActForm] = PlainForm
    fields: tuple[str, ...] = ()
    tone: str = ""
    intro: Any = ""
    confirm: Any = ""


def _is_free_draft(row: Letter) -> bool:
    """A draft that does not hang on a proposed step, which is decided where it waits."""
    is_proposed = row.event is not None and row.event.kind == EventKind.ESCALATION_PROPOSED
    return row.status == Letter.Status.DRAFT and not is_proposed


def _may_draft(row: Letter, user) -> bool:
    return permissions.can_draft_letter(user)


def _is_unsigned(row: Letter) -> bool:
    return (
        row.status == Letter.Status.ISSUED
        and row.received_at is None
        and row.receipt_due_date is not None
        and row.kind != LetterKind.DISPATCH_NOTICE
    )


def _is_unanswered(row: Letter) -> bool:
    return (
        row.status == Letter.Status.ISSUED
        and row.replied_at is None
        and row.reply_due_date is not None
    )


ACTS: dict[str, LetterAct] = {
    act.name: act
    for act in (
        LetterAct(
            "accept",
            _("Sign for the letter"),
            services.accept_letter,
            permissions.can_answer_letter,
            _is_unsigned,
            _("You have signed for the letter."),
            tone="primary",
            intro=_("Your name and the moment are stored."),
        ),
        LetterAct(
            "reply",
            _("Reply"),
            services.reply_letter,
            permissions.can_answer_letter,
            _is_unanswered,
            _("The reply was sent to the supervision office."),
            form=ReplyForm,
            fields=("text",),
            intro=_("A reply is sent once and stays on record."),
        ),
        LetterAct(
            "issue",
            _("Issue the letter"),
            services.issue_letter,
            permissions.can_issue_letter,
            _is_free_draft,
            _("The letter is issued and has its number."),
            tone="primary",
            intro=_("It gets its number now; nothing in it changes afterwards."),
            confirm=_("Issue this letter now?"),
        ),
        LetterAct(
            "edit",
            _("Change the text"),
            services.edit_draft,
            _may_draft,
            lambda row: row.status == Letter.Status.DRAFT,
            _("The draft was changed."),
            form=EditDraftForm,
            fields=("title", "body"),
        ),
        LetterAct(
            "drop",
            _("Do not issue"),
            services.drop_letter,
            permissions.can_drop_letter,
            _is_free_draft,
            _("The draft stays unissued; no number was taken."),
            form=ReasonForm,
            fields=("reason",),
        ),
        LetterAct(
            "void",
            _("Make void"),
            services.void_letter,
            permissions.can_void_letter,
            lambda row: row.status == Letter.Status.ISSUED,
            _("The letter is void; its number stays in the register."),
            form=ReasonForm,
            fields=("reason",),
            tone="danger",
            intro=_("The number is not used again. The paper stays readable, marked as void."),
            confirm=_("Make this letter void?"),
        ),
    )
}


def _load(request, uid) -> Letter:
    if not permissions.sees_letters(request.user):
        raise PermissionDenied
    rows = Letter.objects.visible_to(request.user).select_related(
        "organization",
        "item",
        "assignment",
        "event",
        "issued_by",
        "drafted_by",
        "received_by",
        "replied_by",
        "voided_by",
    )
    return get_object_or_404(rows, uid=uid)


@login_required
@require_safe
def letter(request, uid):
    """The paper as it left the house, what became of it, and the acts possible now."""
    return _show(request, _load(request, uid))


def _form(act: LetterAct, row: Letter, data=None, *, renew: bool = False) -> ActForm:
    initial = {}
    if act.form is EditDraftForm:
        texts = row.content.get("texts") or {}
        written = [one["text"] for one in row.content.get("paragraphs", ())]
        initial = {
            "title": texts.get("title") or row.title,
            "body": texts.get("body") or "\n".join(written),
        }
    return act.form(data, act=act.name, row=row, renew=renew, initial=initial)


def _show(request, row: Letter, *, bound: dict | None = None):
    user, bound = request.user, bound or {}
    offers = [
        {
            "act": act,
            "form": bound.get(name) or _form(act, row),
            "is_open": name in bound,
        }
        for name, act in ACTS.items()
        if act.when(row) and act.may(row, user)
    ]
    is_proposed = (
        row.status == Letter.Status.DRAFT
        and row.event is not None
        and row.event.kind == EventKind.ESCALATION_PROPOSED
    )
    context = {
        "letter": row,
        "content": row.content,
        "offers": offers,
        "is_proposed": is_proposed and user.is_office,
        "may_see_share": row.assignment is not None and not _is_copied(row, user),
        "copied": row.copied_to.in_official_order() if not user.is_body else [],
        **standing(row, local_today(), working_calendar()),
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Letters"), reverse("supervision:letters")),
            Link(row.number or row.title),
        ],
    }
    return render(request, "desk/letter.html", context)


def _is_copied(row: Letter, user) -> bool:
    """A body that was sent a copy: the addressee's share is not its business."""
    return user.is_body and not user.is_office and row.organization_id != user.organization_id


@login_required
@require_POST
def letter_act(request, uid, act: str):
    """One act on a letter; `draw` makes the file of an issued one at once."""
    row = _load(request, uid)
    if act == "draw":
        if row.status not in Letter.SENT_STATES:
            raise Http404
        services.render_letter(row)
        return redirect("supervision:letter", uid=row.uid)
    chosen = ACTS.get(act)
    if chosen is None:
        raise Http404
    form = _form(chosen, row, request.POST)
    if not form.is_valid():
        if not chosen.may(row, request.user):
            raise PermissionDenied
        return _show(request, row, bound={act: form})
    values = {name: form.cleaned_data[name] for name in chosen.fields}
    done = perform(
        request,
        lambda: chosen.service(
            letter=row,
            by=request.user,
            at=timezone.now(),
            version=posted_version(request),
            **values,
        ),
        done=chosen.done,
    )
    if done is not None:
        if act == "issue":
            _draw(request, done)
        return redirect("supervision:letter", uid=row.uid)
    fresh = _load(request, uid)
    return _show(request, fresh, bound={act: _form(chosen, fresh, request.POST, renew=True)})


def _draw(request, row: Letter) -> None:
    """The file right after the issue; a failure leaves it to the worker and says so."""
    try:
        services.render_letter(row)
    except (OSError, ValueError):
        messages.warning(request, _("The letter is issued; its file will be drawn shortly."))


@login_required
@require_safe
def letter_docx(request, uid):
    """The paper as a file: checked, as a download, never shown in place."""
    row = _load(request, uid)
    if not row.docx:
        raise Http404(_("The file has not been drawn yet."))
    try:
        stream = row.docx.open("rb")
    except FileNotFoundError as error:
        raise Http404(_("The file is no longer in its place.")) from error
    response = FileResponse(
        stream,
        as_attachment=True,
        filename=f"{row.number} {row.title}.docx",
        content_type=KINDS["docx"],
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


# The office's texts


@login_required
@require_safe
def letter_templates(request):
    """The texts of all kinds of letters."""
    if not permissions.sees_letter_templates(request.user):
        raise PermissionDenied
    context = {
        "templates": LetterTemplate.objects.order_by("pk"),
        "can_edit": permissions.can_edit_templates(request.user),
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Letters"), reverse("supervision:letters")),
            Link(_("Letter texts")),
        ],
    }
    return render(request, "desk/letter_templates.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def letter_template(request, kind: str):
    """One text: read, tried out, changed. Every problem is named and nothing half-applied."""
    user = request.user
    if not permissions.sees_letter_templates(user):
        raise PermissionDenied
    row = get_object_or_404(LetterTemplate, kind=kind)
    if request.method == "POST":
        if not permissions.can_edit_templates(user):
            raise PermissionDenied
        return _change_template(request, row)
    form = TemplateForm(instance=row, initial={"version": row.version})
    return _show_template(request, row, form, problems=[])


def _change_template(request, row: LetterTemplate):
    form = TemplateForm(request.POST, instance=row)
    if not form.is_valid():
        return _show_template(request, row, form, problems=[])
    values = {name: form.cleaned_data[name] for name in services.EDITABLE_TEMPLATE_FIELDS}
    tried = LetterTemplate(pk=row.pk, kind=row.kind, series=row.series, **values)
    problems = services.problems_of(tried)
    if problems or request.POST.get("act") == "preview":
        return _show_template(request, row, form, problems=problems, tried=tried)
    done = perform(
        request,
        lambda: services.edit_template(
            template=row,
            by=request.user,
            at=timezone.now(),
            version=posted_version(request),
            **values,
        ),
        done=_("The text was changed. Letters already issued stay as they are."),
    )
    if done is None:
        fresh = LetterTemplate.objects.get(pk=row.pk)
        renewed = request.POST.copy()
        renewed["version"] = fresh.version
        return _show_template(request, fresh, TemplateForm(renewed, instance=fresh), problems=[])
    return redirect("supervision:letter_template", kind=row.kind)


def _show_template(request, row, form, *, problems, tried: LetterTemplate | None = None):
    shown = tried or row
    fields = FIELDS[row.kind]
    content = None
    if not problems:
        content = compose(
            template=shown,
            fields={name: f"［{label}］" for name, label in fields.items()},
            to=str(_("Addressee")),
            on=local_today(),
            signer="",
            number=f"{shown.prefix}〔{local_today().year}〕1号",
        )
    context = {
        "template": row,
        "form": form,
        "problems": problems,
        "content": content,
        "is_tried": tried is not None,
        "fields": [
            {"code": "{" + name + "}", "label": label, "is_needed": name in NEEDED[row.kind]}
            for name, label in fields.items()
        ],
        "can_edit": permissions.can_edit_templates(request.user),
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Letters"), reverse("supervision:letters")),
            Link(_("Letter texts"), reverse("supervision:letter_templates")),
            Link(str(row)),
        ],
    }
    return render(request, "desk/letter_template.html", context)


def letters_about(user, **about) -> QuerySet[Letter]:
    """The latest letters about an item or a share that the user may read, for `letter_rows`."""
    return (
        Letter.objects.visible_to(user)
        .filter(**{name: about[name] for name in ("item", "assignment") if name in about})
        .exclude(status=Letter.Status.DROPPED)
        .select_related("organization")
        .defer("content")
        .order_by("-created_at", "-pk")[:SHOWN_ABOUT]
    )
