"""Deputies: appoint and end them; choose to act for somebody, and stop."""

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from supervision import permissions
from supervision.forms.office import day_field
from supervision.middleware import STANDS_IN
from supervision.models import Delegation, Role, User
from supervision.services.delegations import end_delegation, grant_delegation
from supervision.views.base import local_today, perform

KEPT = 100


class PersonField(forms.ModelChoiceField):
    def label_from_instance(self, person: User) -> str:
        body = f"{person.organization} · " if person.organization_id else ""
        return f"{body}{person}"


def _accounts():
    return (
        User.objects.filter(is_active=True, groups__isnull=False)
        .exclude(groups__name__in=[Role.AUDITOR, Role.ADMINISTRATOR])
        .select_related("organization")
        .order_by("organization__kind_position", "organization__position", "display_name", "pk")
        .distinct()
    )


class DelegationForm(forms.Form):
    """`user` may only be somebody for whom this person may appoint a deputy."""

    user = PersonField(label=gettext_lazy("Stands in for"), queryset=User.objects.none())
    deputy = PersonField(label=gettext_lazy("Deputy"), queryset=User.objects.none())
    start_date = day_field(gettext_lazy("First day"))
    end_date = day_field(gettext_lazy("Last day"))

    def __init__(self, data=None, *, by: User, **kwargs):
        super().__init__(data, initial={"user": by.pk, "start_date": local_today()}, **kwargs)
        whose, who = Q(pk=by.pk), Q()
        if by.has_role(permissions.ADMINISTRATOR):
            whose = Q()
        elif by.organization_id is not None:
            who = Q(organization=by.organization_id)
            if by.has_role(permissions.BODY_HEAD):
                whose |= Q(organization=by.organization_id)
        self.fields["user"].queryset = _accounts().filter(whose)
        self.fields["deputy"].queryset = _accounts().filter(who)


def _seen_by(user: User):
    """Delegations of and by the person; a head sees the body's, the administrator all."""
    seen = Q(user=user) | Q(deputy=user)
    if user.has_role(permissions.ADMINISTRATOR):
        seen = Q()
    elif user.has_role(permissions.BODY_HEAD) and user.organization_id is not None:
        seen |= Q(user__organization=user.organization_id)
    return Delegation.objects.filter(seen).select_related(
        "user__organization", "deputy", "created_by", "ended_by"
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def deputies(request):
    """Who stands in for whom; the form appoints a deputy."""
    user, today = request.user, local_today()
    form = DelegationForm(request.POST or None, by=user)
    if request.method == "POST" and form.is_valid():
        perform(
            request,
            lambda: grant_delegation(**form.cleaned_data, by=user, at=timezone.now()),
            done=_("The deputy is appointed; both see it here."),
        )
        if request.act_done:
            return redirect("supervision:deputies")
    rows = list(_seen_by(user).order_by("-end_date", "-pk")[:KEPT])
    for row in rows:
        row.is_over = row.ended_at is not None or row.end_date < today
        row.is_in_force = not row.is_over and row.start_date <= today
        row.can_act = row.is_in_force and row.deputy_id == user.pk
        row.can_end = not row.is_over and (
            row.deputy_id == user.pk or permissions.can_delegate_for(row.user, user)
        )
    context = {"form": form, "rows": rows, "may_appoint": form.fields["user"].queryset.exists()}
    return render(request, "desk/account/deputies.html", context)


@login_required
@require_POST
def deputy_end(request, uid):
    """End a delegation at once."""
    delegation = get_object_or_404(_seen_by(request.user), uid=uid)
    perform(
        request,
        lambda: end_delegation(delegation=delegation, by=request.user, at=timezone.now()),
        done=_("It has ended."),
    )
    return redirect("supervision:deputies")


@login_required
@require_POST
def stand_in(request, uid):
    """Act for the other person from now on, until one stops or the delegation ends."""
    delegation = get_object_or_404(
        Delegation.objects.active_on(local_today()).filter(user__is_active=True),
        uid=uid,
        deputy=request.user,
    )
    request.session[STANDS_IN] = delegation.pk
    return redirect("supervision:home")


@login_required
@require_POST
def stand_down(request):
    """Be oneself again."""
    if getattr(request.user, "deputy", None) is None:
        raise PermissionDenied(_("You do not stand in for anybody now."))
    request.session.pop(STANDS_IN, None)
    return redirect("supervision:home")
