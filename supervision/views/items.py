"""The items: list, file, draft, acts on one and on many."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Case, CharField, F, IntegerField, Q, Value, When
from django.db.models.functions import Cast, ExtractDay, ExtractMonth, ExtractYear
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST, require_safe

from supervision import charts, permissions
from supervision.desk import (
    counted_lights,
    last_returns,
    latest_figures,
    lit_items,
    period_table,
    plain,
    returns_lately,
)
from supervision.forms.office import ItemForm, PartyFormSet
from supervision.history import entries, with_related
from supervision.models import (
    Assignment,
    Clause,
    DateChange,
    Event,
    EventKind,
    ExtensionRequest,
    Milestone,
    Organization,
    PolicyDocument,
    ReportFigure,
    Role,
    SavedView,
    SupervisionItem,
    Target,
    User,
)
from supervision.services import items as services
from supervision.services.items import PartyData
from supervision.standing import BY_NUMBER, BY_SEVERITY, lit_board
from supervision.together import read_together
from supervision.views import item_acts
from supervision.views.base import (
    local_today,
    perform,
    perform_each,
    posted_version,
    uids_of,
)
from supervision.views.letters import letter_rows, letters_about
from supervision.views.navigation import Link, chips, query_without
from supervision.views.saved_views import views_of

PAGE_SIZE = 50
HISTORY_SIZE = 200
SHOWN_AT_ONCE = 20
# Of the item itself a body reads what concerns it; how the office drafted it stays inside.
SHARED_KINDS = (
    EventKind.ITEM_APPROVED,
    EventKind.ITEM_DISPATCHED,
    EventKind.ITEM_SUSPENDED,
    EventKind.ITEM_RESUMED,
    EventKind.ITEM_CANCELLED,
    EventKind.ITEM_COMPLETED,
    EventKind.ITEM_ARCHIVED,
    EventKind.ITEM_REOPENED,
)


def visible_items(user):
    """Items this user may open; for an account without such a duty the page is not there."""
    return SupervisionItem.objects.visible_to(user)


def _chosen(request, name: str) -> str:
    return request.GET.get(name, "").strip()


def filtered(request, rows):
    """The items the address asks for, apart from the light."""
    if value := _chosen(request, "document"):
        rows = rows.filter(document__uid=value) if _is_uid(value) else rows.none()
    if value := _chosen(request, "kind"):
        rows = rows.filter(kind=value)
    if value := _chosen(request, "state"):
        rows = rows.filter(status=value)
    if value := _chosen(request, "body"):
        if _is_uid(value):
            named = Q(parties__organization__uid=value, parties__role="lead")
            led = Q(assignments__organization__uid=value, assignments__role="lead")
            led &= ~Q(assignments__status=Assignment.Status.CANCELLED)
            rows = rows.filter(led | (Q(dispatched_at=None) & named)).distinct()
        else:
            rows = rows.none()
    if value := _chosen(request, "leader"):
        rows = rows.filter(leader__uid=value) if _is_uid(value) else rows.none()
    if value := _chosen(request, "q"):
        rows = rows.filter(Q(title__icontains=value) | Q(number__icontains=value))
    return rows


def _is_uid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


@login_required
@require_safe
def items(request):
    """Every item the user may see, worst first, with filters that live in the address."""
    user = request.user
    today = local_today()
    rows = filtered(request, visible_items(user)).order_by("position", "pk")
    light = _chosen(request, "light")
    board = lit_board(
        rows,
        user=user,
        today=today,
        shown=visible_items(user).select_related("document", "clause", "leader"),
        place=BY_NUMBER if _chosen(request, "order") == "number" else BY_SEVERITY,
        lights=[light] if light else (),
        size=PAGE_SIZE,
        number=request.GET.get("page"),
    )
    counts = counted_lights(board.codes)
    is_office = user.is_office
    context = {
        "page_obj": board.page,
        "query": query_without(request, "page"),
        "total": board.page.paginator.count,
        "light_chips": chips(
            request,
            "light",
            [("", _("All"), sum(one.count for one in counts))]
            + [(one.code, one.label, one.count) for one in counts if one.count],
        ),
        "kind_chips": chips(
            request,
            "kind",
            [("", _("All"), None), *[(v, str(n), None) for v, n in Clause.Kind.choices]],
        ),
        "selects": selects_of(request),
        "clear_url": "?" if request.GET else "",
        "q": _chosen(request, "q"),
        "kept": [(n, _chosen(request, n)) for n in ("light", "kind") if _chosen(request, n)],
        "can_create": permissions.can_create_item(user),
        "can_bulk": is_office,
        "bulk_acts": [act for act in BULK_ACTS.values() if act["may"](user)],
        "is_body": user.is_body and not is_office,
        "saved_views": views_of(request, SavedView.Page.ITEMS),
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Items"))],
    }
    return render(request, "desk/items.html", context)


def selects_of(request) -> list[dict]:
    """The select boxes: name, label, options as (value, label, is_chosen). One statement."""
    user = request.user
    options = _options(user)
    found = [
        ("document", _("Document"), options["document"]),
        ("state", _("State"), [(v, str(n)) for v, n in SupervisionItem.Status.choices]),
    ]
    if permissions.sees_all_items(user):
        found += [
            ("body", _("Lead body"), options["body"]),
            ("leader", _("Leader in charge"), options["leader"]),
        ]
    return [
        {
            "name": name,
            "label": label,
            "options": [(v, n, v == _chosen(request, name)) for v, n in options],
        }
        for name, label, options in found
    ]


def _options(user) -> dict[str, list[tuple[str, str]]]:
    """Documents, lead bodies and leaders of the items somebody sees, each in its order."""
    visible = visible_items(user)

    def boxes(box: str, rows, label, *order):
        kind, position = order or (Value(0), Value(0))
        return (
            rows.order_by()
            .annotate(
                box=Value(box, output_field=CharField()),
                label=label,
                kind_order=Cast(kind, IntegerField()),
                place=Cast(position, IntegerField()),
            )
            .values_list("box", "label", "kind_order", "place", "pk", "uid")
        )

    documents = PolicyDocument.objects.visible_to(user)
    day = F("issued_date")
    rows = boxes(
        "document",
        documents,
        F("doc_number"),
        ExtractYear(day) * -1,
        (ExtractMonth(day) * 100 + ExtractDay(day)) * -1,
    )
    if permissions.sees_all_items(user):
        bodies = Organization.objects.filter(
            assignments__role="lead", assignments__item__in=visible
        ).distinct()
        leaders = User.objects.filter(led_items__in=visible).distinct()
        name = Case(When(display_name="", then=F("username")), default=F("display_name"))
        rows = rows.union(
            boxes("body", bodies, F("short_name"), F("kind_position"), F("position")),
            boxes("leader", leaders, name),
            all=True,
        )
    found: dict[str, list[tuple[str, str]]] = {"document": [], "body": [], "leader": []}
    for box, label, _kind, _place, _pk, uid in sorted(rows, key=lambda row: (row[0], *row[2:5])):
        found[box].append((str(uid), label))
    return found


# The file of one item


def _load(request, uid) -> SupervisionItem:
    rows = visible_items(request.user).select_related(
        "document", "clause", "leader", "drafted_by", "approved_by"
    )
    return get_object_or_404(rows, uid=uid)


@login_required
@require_safe
def item(request, uid):
    return _show(request, _load(request, uid))


def _show(request, row: SupervisionItem, *, bound=None, status: int = 200):
    user, today = request.user, local_today()
    lit_items([row], user=user, today=today)
    shown = row.lead or row.own
    events = with_related(Event.objects.visible_to(user).filter(item=row))
    if user.is_body and not user.is_office:
        shared = Event.objects.filter(item=row, assignment=None, kind__in=SHARED_KINDS)
        events = with_related(shared) | events
    events = events.order_by("-happened_at", "-pk")
    history = list(events[: HISTORY_SIZE + 1])
    is_body = user.is_body and not user.is_office
    papers = read_together(**_papers_of(row, shown, user))
    returns = {report.period.assignment_id: report for report in papers["returns"]}
    for share in row.shares:
        share.last_return = returns.get(share.pk)
    context = {
        "item": row,
        "shares": row.shares,
        "parties": papers["parties"] if is_body or not row.shares else [],
        "sentence": _sentence(row),
        "milestones": _milestones(shown, papers["milestones"], today) if shown else None,
        "targets": _targets(papers["targets"], papers["figures"]),
        "slips": papers["slips"],
        "requests": papers["requests"],
        "periods": period_table(row.shares, papers["lately"]),
        "letters": letter_rows(papers["letters"], today=today),
        "entries": entries(history[:SHOWN_AT_ONCE]),
        "earlier": entries(history[SHOWN_AT_ONCE:HISTORY_SIZE]),
        "has_more": len(history) > HISTORY_SIZE,
        "offers": item_acts.offers(row, user, bound=bound),
        "hints": item_acts.hints(row, user, row.shares),
        "can_move_milestones": permissions.moves_milestones(user)
        and row.status == SupervisionItem.Status.IN_PROGRESS,
        "can_edit": row.status == SupervisionItem.Status.DRAFT
        and permissions.can_edit_item(row, user),
        "is_body": is_body,
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Items"), "/desk/items/"),
            Link(row.title),
        ],
    }
    return render(request, "desk/item.html", context, status=status)


def _sentence(row: SupervisionItem) -> str:
    """Where the item stands, in one sentence."""
    words = {
        "state": row.get_status_display(),
        "reason": row.lamp.text,
        "due": row.due_date.isoformat() if row.due_date else "",
        "done": sum(s.status == Assignment.Status.COMPLETED for s in row.shares),
        "total": sum(s.status != Assignment.Status.CANCELLED for s in row.shares),
    }
    if row.status in (SupervisionItem.Status.DRAFT, SupervisionItem.Status.UNDER_APPROVAL):
        return _("%(state)s; no body has it yet.") % words
    if row.status == SupervisionItem.Status.INITIATED:
        return _("Initiated and not yet dispatched: no clock runs.")
    if row.status == SupervisionItem.Status.CANCELLED:
        return _("This item was cancelled.")
    if row.own is not None and row.lead is not row.own:
        return _("Your own share: %(reason)s.") % words
    if row.own is not None:
        return _("Your body leads this item: %(reason)s.") % words
    if words["due"]:
        return (
            _(
                "%(state)s: %(reason)s. Due on %(due)s; %(done)s of %(total)s bodies have "
                "completed their share."
            )
            % words
        )
    return _("%(state)s: %(reason)s. Ongoing; %(done)s of %(total)s bodies have completed.") % words


def _papers_of(row: SupervisionItem, shown: Assignment | None, user) -> dict:
    """What lies with an item, list by list, to be read together; the steps are of `shown`."""
    steps = Milestone.objects.filter(assignment=shown).exclude(status=Milestone.Status.CANCELLED)
    waiting = ExtensionRequest.objects.visible_to(user).filter(
        assignment__in=row.shares,
        status__in=[ExtensionRequest.Status.SUBMITTED, ExtensionRequest.Status.ENDORSED],
    )
    slips = DateChange.objects.filter(assignment__in=row.shares, milestone=None)
    return {
        "returns": last_returns(row.shares),
        "lately": returns_lately(row.shares),
        "parties": row.parties.select_related("organization").order_by("position", "pk"),
        "milestones": steps.order_by("planned_date", "position", "pk"),
        "targets": Target.objects.filter(clause__isnull=False, clause=row.clause_id).order_by(
            "position"
        ),
        "figures": latest_figures(row, user),
        "slips": slips.select_related("assignment__organization", "agreed_by").order_by(
            "changed_at", "pk"
        ),
        # Requests for more time that wait; the page names the queue that decides them.
        "requests": waiting.select_related("assignment__organization").order_by("pk"),
        "letters": letters_about(user, item=row),
    }


def _milestones(share: Assignment, rows: list[Milestone], today) -> dict:
    points = []
    for row in rows:
        row.code = milestone_code(row, today)
        points.append(
            charts.MilestonePoint(
                row.title,
                row.planned_date,
                row.actual_date if row.status == Milestone.Status.COMPLETED else None,
                row.original_date,
                row.code,
            )
        )
    title = _("Milestones of %(body)s") % {"body": share.organization}
    return {
        "rows": rows,
        "body": str(share.organization),
        "title": title,
        "chart": charts.milestone_line(points, title=title, today=today) if rows else "",
    }


def milestone_code(row: Milestone, today) -> str:
    """What the mark of a step shows: done, done late, missed, coming."""
    if row.status == Milestone.Status.COMPLETED:
        is_late = row.actual_date is not None and row.actual_date > row.planned_date
        return "done_late" if is_late else "done"
    if row.status in Milestone.BODY_STATES and row.planned_date < today:
        return "red"
    return "blue" if row.status == Milestone.Status.UNDER_REVIEW else "grey"


def _targets(targets: list[Target], figures: list[ReportFigure]) -> list[dict]:
    latest = {figure.target_id: figure for figure in figures}
    found = []
    for target in targets:
        figure = latest.get(target.pk)
        value = figure.value if figure else None
        chart = ""
        if target.value:
            chart = charts.target_bar(value, target.value, title=target.name, unit=target.unit)
        found.append(
            {
                "target": target,
                "goal": plain(target.value),
                "value": plain(value),
                "period": figure.report.period.label if figure else "",
                "chart": chart,
            }
        )
    return found


@login_required
@require_POST
def item_act(request, uid, act: str):
    """One act on one item. What was typed survives a refusal."""
    row = _load(request, uid)
    chosen = item_acts.ACTS.get(act)
    if chosen is None:
        raise Http404
    form = item_acts.build_form(chosen, row, request.POST)
    form.full_clean()
    if not form.is_valid():
        return _show(request, row, bound={act: form})
    done = str(chosen.done)
    version = posted_version(request)
    service = item_acts.run(chosen, row, request.user, form, at=timezone.now(), version=version)
    perform(request, service, done=done)
    if request.act_done:
        return redirect("supervision:item", uid=row.uid)
    fresh = _load(request, uid)
    kept = item_acts.build_form(chosen, fresh, request.POST, renew=True)
    return _show(request, fresh, bound={act: kept})


# Drafts


def _party_initial(row: SupervisionItem | None) -> list[dict]:
    if row is None:
        return []
    return [
        {"named_as": party.named_as, "organization": party.organization_id, "role": party.role}
        for party in row.parties.order_by("position", "pk")
    ]


def _parties(formset) -> list[PartyData]:
    found = []
    for form in formset.forms:
        if form.is_left_out:
            continue
        body = form.cleaned_data["organization"]
        found.append(
            PartyData(
                organization=body,
                named_as=form.cleaned_data["named_as"] or str(body),
                role=form.cleaned_data["role"],
            )
        )
    return found


def _draft_page(request, form, formset, row=None):
    return render(
        request,
        "desk/item_form.html",
        {
            "form": form,
            "formset": formset,
            "item": row,
            "crumbs": [
                Link(_("Home"), "/desk/"),
                Link(_("Items"), "/desk/items/"),
                Link(_("Change the draft") if row else _("New item")),
            ],
        },
    )


@login_required
def item_new(request):
    """Draft an item by hand."""
    if not permissions.can_create_item(request.user):
        raise PermissionDenied
    if request.method != "POST":
        return _draft_page(request, ItemForm(), PartyFormSet(prefix="party"))
    form = ItemForm(request.POST)
    formset = PartyFormSet(request.POST, prefix="party")
    if form.is_valid() and formset.is_valid():
        created = perform(
            request,
            lambda: services.create_item(
                document=form.cleaned_data["document"],
                kind=form.cleaned_data["kind"],
                by=request.user,
                at=timezone.now(),
                parties=_parties(formset),
                **form.item_values(),
            ),
            done=_("The draft was saved."),
        )
        if created is not None:
            return redirect("supervision:item", uid=created.uid)
    return _draft_page(request, form, formset)


@login_required
def item_edit(request, uid):
    """Change a draft: its fields and the bodies it names."""
    row = _load(request, uid)
    if not permissions.can_edit_item(row, request.user):
        raise PermissionDenied
    if row.status != SupervisionItem.Status.DRAFT:
        messages.error(request, _("Only a draft can be changed. Ask for it to be sent back first."))
        return redirect("supervision:item", uid=row.uid)
    if request.method != "POST":
        formset = PartyFormSet(initial=_party_initial(row), prefix="party")
        return _draft_page(request, ItemForm(item=row), formset, row)
    form = ItemForm(request.POST, item=row)
    formset = PartyFormSet(request.POST, initial=_party_initial(row), prefix="party")
    if form.is_valid() and formset.is_valid():
        saved = perform(
            request,
            lambda: services.edit_item(
                item=row,
                by=request.user,
                at=timezone.now(),
                version=posted_version(request),
                parties=_parties(formset),
                **form.item_values(),
            ),
            done=_("The draft was saved."),
        )
        if saved is not None:
            return redirect("supervision:item", uid=row.uid)
        form = ItemForm(request.POST, item=_load(request, uid), renew=True)
    return _draft_page(request, form, formset, row)


# Several at once

BULK_ACTS = {
    "submit": {
        "name": "submit",
        "label": item_acts.ACTS["submit"].label,
        "service": services.submit_item,
        "may": lambda user: user.has_role(Role.OFFICER),
    },
    "approve": {
        "name": "approve",
        "label": item_acts.ACTS["approve"].label,
        "service": services.approve_item,
        "may": lambda user: user.has_role(Role.OFFICE_HEAD, Role.LEADER),
    },
    "dispatch": {
        "name": "dispatch",
        "label": item_acts.ACTS["dispatch"].label,
        "service": services.dispatch_item,
        "may": lambda user: user.has_role(Role.OFFICER),
    },
    "remind": {
        "name": "remind",
        "label": _lazy("Urge overdue bodies"),
        "service": services.remind_bodies,
        "may": lambda user: user.is_office,
    },
}


@login_required
@require_POST
def items_dispatch(request):
    """Submit, approve or dispatch the chosen items: the single act for each.

    What is possible is done; every refusal is named with its item.
    """
    act = BULK_ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise Http404
    if not act["may"](request.user):
        raise PermissionDenied
    uids = uids_of(request.POST.getlist("items"))
    rows = visible_items(request.user).filter(uid__in=uids).order_by("position", "pk")
    at = timezone.now()
    perform_each(
        request,
        rows,
        lambda row: act["service"](item=row, by=request.user, at=at),
        label=str(act["label"]),
    )
    return redirect(f"{reverse('supervision:items')}?{request.POST.get('query', '')}")
