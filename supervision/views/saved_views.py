"""Views kept under a name: chips above a list, and the page that renames or drops them."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from supervision import permissions
from supervision.forms.saved_views import SavedViewForm
from supervision.models import SavedView
from supervision.rules.saved_views import JOINT, PARAMETERS, UnknownParameter, clean_query
from supervision.services import saved_views as services
from supervision.views.base import perform
from supervision.views.navigation import Link


def _query_of(request, page: str) -> str | None:
    """The filters of the present address, or None when the page does not know one of them."""
    try:
        return clean_query(page, request.GET.urlencode())
    except UnknownParameter:
        return None


def kept_views(user, page: str):
    """The views of a page somebody may use."""
    return SavedView.objects.visible_to(user).filter(page=page).in_order()


def views_of(request, page: str, *, rows=None) -> dict:
    """What `components/saved_views.html` shows above a page: one statement, or none with `rows`."""
    query = _query_of(request, page)
    rows = list(kept_views(request.user, page)) if rows is None else rows
    return {
        "page": page,
        "query": query or "",
        # These forms have no address yet: they carry their own button.
        "can_save": page not in (SavedView.Page.LEDGER, SavedView.Page.LEDGERS)
        and bool(query)
        and not any(view.query == query for view in rows),
        "can_share": permissions.can_share_view(request.user),
        "chips": [
            Link(view.name, view.get_absolute_url(), is_active=view.query == query) for view in rows
        ],
        "has_any": bool(rows),
    }


def _typed_query(request, page: str) -> str:
    """The filters to keep: an address, or the fields of a form that has no address of its own."""
    if "query" in request.POST:
        return request.POST["query"]
    names = PARAMETERS.get(page, ())
    values = [(name, JOINT.join(request.POST.getlist(name))) for name in names]
    return urlencode([(name, value) for name, value in values if value])


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def saved_views(request):
    """One's own views and the shared ones; a new one is kept by POST."""
    if request.method != "POST":
        return _page(request)
    user, page = request.user, request.POST.get("page", "")
    form = SavedViewForm(request.POST, user=user)
    query = _typed_query(request, page)
    if not form.is_valid():
        return _page(request, form=form, page=page, query=query)
    view = perform(
        request,
        lambda: services.save_view(
            by=user, at=timezone.now(), page=page, query=query, **form.cleaned_data
        ),
        done=_("The view is kept. You find it above the page."),
    )
    if view is None:
        return _page(request, form=form, page=page, query=query)
    return redirect(view)


ACTS = ("rename", "delete")


@login_required
@require_POST
def saved_view_act(request, uid, act: str):
    """Rename, share or drop one view."""
    if act not in ACTS:
        raise Http404
    view = get_object_or_404(SavedView.objects.visible_to(request.user), uid=uid)
    if act == "delete":
        perform(
            request,
            lambda: services.delete_view(view=view, by=request.user),
            done=_("The view is deleted."),
        )
        return redirect("supervision:saved_views")
    form = SavedViewForm(request.POST, user=request.user)
    if form.is_valid():
        perform(
            request,
            lambda: services.rename_view(view=view, by=request.user, **form.cleaned_data),
            done=_("The view is changed."),
        )
        if request.act_done:
            return redirect("supervision:saved_views")
    return _page(request, bound={view.pk: form})


def _page(request, *, form=None, page: str = "", query: str = "", bound=None):
    """The list; `form` is a new view that was refused, `bound` forms of rows that were."""
    user, bound = request.user, bound or {}
    views = list(SavedView.objects.visible_to(user).select_related("owner").in_order())
    for view in views:
        if permissions.can_change_view(view, user):
            view.form = bound.get(view.pk) or SavedViewForm(
                initial={"name": view.name, "is_shared": view.is_shared},
                user=user,
                prefix_ids=view.pk,
            )
            view.is_open = view.pk in bound
        view.can_delete = permissions.can_delete_view(view, user)
        view.is_own = view.owner_id == user.pk
    context = {
        "views": views,
        "form": form,
        "page": page,
        "typed_query": query,
        "address": reverse("supervision:saved_views"),
        "crumbs": [Link(_("Home"), "/desk/"), Link(_("Saved views"))],
    }
    return render(request, "desk/saved_views.html", context)
