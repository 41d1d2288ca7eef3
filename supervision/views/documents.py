"""Policy documents: facts, clauses with their items, numeric goals, the document's own text."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_fsm import can_proceed, has_transition_perm

from supervision import permissions
from supervision.desk import lit_items, plain
from supervision.forms.office import PlainForm, TextFileForm
from supervision.models import (
    Outcome,
    PolicyDocument,
    ProgressReport,
    ReportFigure,
    Responsibility,
    SupervisionItem,
)
from supervision.overview import FILED
from supervision.services import documents as services
from supervision.together import figures, read_together
from supervision.views.base import local_today, perform
from supervision.views.navigation import Link, page_of, query_without

PAGE_SIZE = 50
WITHOUT_CLAUSE_SHOWN = 50


@login_required
@require_safe
def documents(request):
    """Every document the user may see, with how far its items are."""
    status = SupervisionItem.Status
    rows = (
        PolicyDocument.objects.visible_to(request.user)
        .annotate(
            item_count=Count("items", filter=~Q(items__status=status.CANCELLED), distinct=True),
            done_count=Count(
                "items",
                filter=Q(items__outcome__in=[Outcome.ON_TIME, Outcome.LATE]),
                distinct=True,
            ),
        )
        .order_by("-issued_date", "pk")
    )
    context = {
        "documents": rows,
        "can_import": permissions.can_import_tables(request.user),
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Documents"))],
    }
    return render(request, "desk/documents.html", context)


def _load(request, uid) -> PolicyDocument:
    return get_object_or_404(PolicyDocument.objects.visible_to(request.user), uid=uid)


@login_required
@require_safe
def document(request, uid):
    return _show(request, _load(request, uid))


def _show(request, row: PolicyDocument, *, text_form=None):
    user = request.user
    live = SupervisionItem.objects.visible_to(user).exclude(status=SupervisionItem.Status.CANCELLED)
    of_document = live.filter(document=row).order_by("position", "pk")
    page = page_of(request, row.clauses.order_by("position"), PAGE_SIZE)
    clauses = list(page.object_list)
    items = lit_items(of_document.filter(clause__in=clauses), user=user, today=local_today())
    by_clause = {item.clause_id: item for item in items}
    for clause in clauses:
        clause.item = by_clause.get(clause.pk)
    goals = page_of(request, row.targets.order_by("position"), PAGE_SIZE, name="goals")
    beside = read_together(
        counts=figures(
            row.clauses.annotate(has_item=Exists(live.filter(clause=OuterRef("pk")))),
            covered=Count("pk", filter=Q(has_item=True)),
            quoted=Count("pk", filter=~Q(quoted_text="")),
        ),
        without_clause=of_document.filter(clause=None)[: WITHOUT_CLAUSE_SHOWN + 1],
        targets=goals.object_list.select_related("clause"),
        latest=_latest_figures(goals.object_list, user),
    )
    covered, quoted = beside["counts"][0]
    context = {
        "document": row,
        "page_obj": page,
        "query": query_without(request, "page"),
        "clauses": clauses,
        "covered": covered,
        "quoted": quoted,
        "without_clause": beside["without_clause"][:WITHOUT_CLAUSE_SHOWN],
        "has_more_without": len(beside["without_clause"]) > WITHOUT_CLAUSE_SHOWN,
        "goals": goals,
        "goals_query": query_without(request, "goals"),
        "targets": _targets(beside["targets"], beside["latest"]),
        "text_form": (text_form or TextFileForm(act="text")) if user.is_office else None,
        "can_activate": _may(row.activate, user),
        "can_close": _may(row.close, user),
        "plain_form": PlainForm(act="document"),
        "crumbs": [
            Link(_("Home"), "/desk/"),
            Link(_("Documents"), "/desk/documents/"),
            Link(str(row)),
        ],
    }
    return render(request, "desk/document.html", context)


def _may(transition, user) -> bool:
    return can_proceed(transition) and has_transition_perm(transition, user)


def _latest_figures(targets, user) -> QuerySet[ReportFigure]:
    """The latest filed figure of each of these goals, from the returns of the leads."""
    filed = ReportFigure.objects.filter(
        report__status__in=FILED,
        report__period__assignment__role=Responsibility.LEAD,
        report__in=ProgressReport.objects.visible_to(user),
    ).order_by("-report__period__start_date", "-pk")
    latest = filed.filter(target=OuterRef("target")).values("pk")[:1]
    return filed.filter(target__in=targets.values("pk"), pk=Subquery(latest)).select_related(
        "report__period__assignment__organization"
    )


def _targets(targets, latest) -> list[dict]:
    """Numeric goals with their latest filed figures."""
    figure_of = {figure.target_id: figure for figure in latest}
    found = []
    for target in targets:
        figure = figure_of.get(target.pk)
        found.append(
            {
                "target": target,
                "goal": plain(target.value),
                "value": plain(figure.value) if figure else "",
                "period": figure.report.period.label if figure else "",
                "body": str(figure.report.period.assignment.organization) if figure else "",
            }
        )
    return found


@login_required
@require_POST
def document_act(request, uid, act: str):
    """Activate, close, or take in the document's own text."""
    row = _load(request, uid)
    now = timezone.now()
    if act == "activate":
        perform(
            request,
            lambda: services.activate_document(document=row, by=request.user, at=now),
            done=_("The document is under supervision."),
        )
    elif act == "close":
        perform(
            request,
            lambda: services.close_document(document=row, by=request.user, at=now),
            done=_("Supervision of the document has ended."),
        )
    elif act == "text":
        form = TextFileForm(request.POST, files=request.FILES, act="text")
        if not form.is_valid():
            return _show(request, row, text_form=form)
        count = perform(
            request,
            lambda: services.import_text(
                document=row, text=form.cleaned_data["file"], by=request.user, at=now
            ),
        )
        if count is not None:
            messages.success(
                request, _("The text of %(count)s clauses was taken in.") % {"count": count}
            )
    else:
        raise Http404
    return redirect("supervision:document", uid=row.uid)
