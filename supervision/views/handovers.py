"""Handing a desk over: the list, one handover with its index, and the acts of both."""

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from supervision import permissions
from supervision.models import Handover, Role, User
from supervision.models.organizations import BODY_ROLES
from supervision.services import handovers as services
from supervision.views.base import local_today, perform, posted_version
from supervision.views.deputies import PersonField
from supervision.views.navigation import page_of

KEPT = 100
# An ordinary desk fits on one page.
INDEX_PAGE = 100


class HandoverForm(forms.Form):
    from_user = PersonField(label=gettext_lazy("Hands over"), queryset=User.objects.none())
    to_user = PersonField(label=gettext_lazy("Takes over"), queryset=User.objects.none())
    note = forms.CharField(
        label=gettext_lazy("What the successor should know"),
        max_length=400,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data=None, *, by: User, **kwargs):
        super().__init__(data, initial={"from_user": by.pk}, **kwargs)
        whose, who = Q(pk=by.pk), Q(organization=by.organization_id)
        if by.is_office:
            whose, who = Q(), Q(organization__isnull=False)
        elif by.has_role(Role.BODY_HEAD):
            whose = Q(organization=by.organization_id)
        people = User.objects.filter(is_active=True).select_related("organization")
        order = ("organization__kind_position", "organization__position", "display_name", "pk")
        self.fields["from_user"].queryset = (
            people.filter(whose, groups__name__in=BODY_ROLES).distinct().order_by(*order)
        )
        self.fields["to_user"].queryset = people.filter(who).order_by(*order)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def handovers(request):
    """Handovers one has to do with; the form begins one."""
    user = request.user
    may_begin = user.deputy is None and (user.is_body or user.is_office)
    if not (may_begin or user.has_role(Role.ADMINISTRATOR) or _rows(user).exists()):
        raise PermissionDenied(_("Your duties do not include this act."))
    form = HandoverForm(request.POST or None, by=user) if may_begin else None
    if request.method == "POST":
        if form is None:
            raise PermissionDenied(_("Your duties do not include this act."))
        if form.is_valid():
            row = perform(
                request,
                lambda: services.prepare_handover(**form.cleaned_data, by=user, at=timezone.now()),
                done=_("Look through the index, then confirm it."),
            )
            if row is not None:
                return redirect(row)
    context = {"form": form, "rows": _rows(user)[:KEPT]}
    return render(request, "desk/account/handovers.html", context)


def _rows(user: User):
    return Handover.objects.visible_to(user).select_related("from_user", "to_user", "organization")


def _found(request, uid) -> Handover:
    return get_object_or_404(_rows(request.user).select_related("given_by"), uid=uid)


@login_required
@require_safe
def handover(request, uid):
    """The index of one handover, on paper as well, and what can be done with it.

    `print=all` shows a long index whole, for the printer.
    """
    row = _found(request, uid)
    user = request.user
    is_prepared = row.status == Handover.Status.PREPARED
    is_given = row.status == Handover.Status.GIVEN
    person = row.from_user
    entries = services.index_of(person, today=local_today()) if is_prepared else row.content
    is_whole = request.GET.get("print") == "all"
    page = page_of(request, entries, max(len(entries), 1) if is_whole else INDEX_PAGE)
    context = {
        "row": row,
        "entries": page.object_list,
        "total": len(entries),
        "page_obj": page,
        "query": "",
        "can_give": is_prepared and permissions.can_give_desk(row, user),
        "can_take": is_given and permissions.can_take_desk(row, user),
        "can_drop": (is_prepared or is_given) and permissions.can_drop_handover(row, user),
        "can_close": row.status == Handover.Status.TAKEN
        and person.is_active
        and permissions.can_close_account(row, user),
        "signers": [_("Handed over by:"), _("Taken over by:"), _("Witnessed by:")],
        "as_of": row.given_at or timezone.now(),
    }
    return render(request, "desk/account/handover.html", context)


ACTS = {
    "give": (services.give_desk, gettext_lazy("Confirmed; the successor confirms next.")),
    "take": (services.take_desk, gettext_lazy("The desk is yours from now on.")),
    "drop": (services.drop_handover, gettext_lazy("The handover was dropped.")),
    "close": (services.close_account, gettext_lazy("The account is closed.")),
}


@login_required
@require_POST
def handover_act(request, uid, act):
    if act not in ACTS:
        raise Http404
    service, done = ACTS[act]
    row = _found(request, uid)
    perform(
        request,
        lambda: service(
            handover=row, by=request.user, at=timezone.now(), version=posted_version(request)
        ),
        done=str(done),
    )
    return redirect(row)
