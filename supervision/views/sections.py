"""The sections of a body: the list, who belongs to which, and whose work is whose."""

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from supervision import permissions
from supervision.models import Assignment, Role, Section, User
from supervision.services.sections import place_person, save_section, set_section
from supervision.views.base import perform


class SectionForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Section"), max_length=40)
    contact_name = forms.CharField(
        label=gettext_lazy("Contact of the section"), max_length=40, required=False
    )
    contact_phone = forms.CharField(
        label=gettext_lazy("Office phone"), max_length=40, required=False
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sections(request):
    """Three lists with one form each: sections, people, work."""
    user = request.user
    if not user.is_body or not permissions.can_spread_work(user.organization, user):
        raise PermissionDenied(_("This page is for those who look after the whole body."))
    form = SectionForm()
    if request.method == "POST":
        act = ACTS.get(request.POST.get("act", ""))
        if act is None:
            raise Http404
        form = act(request) or form
        if not form.errors and getattr(request, "act_done", False):
            return redirect("supervision:sections")
    rows = list(user.organization.sections.all())
    context = {
        "form": form,
        "sections": rows,
        "in_use": [row for row in rows if row.is_active],
        "people": User.objects.holding(Role.LIAISON, organization_id=user.organization_id).order_by(
            "display_name", "pk"
        ),
        "can_place": permissions.can_place_people(user.organization, user),
        "shares": _shares(user),
    }
    return render(request, "desk/body/sections.html", context)


def _shares(user: User):
    return (
        Assignment.objects.visible_to(user)
        .filter(organization_id=user.organization_id)
        .open()
        .select_related("item", "organization")
        .order_by("item__position", "item__pk", "pk")
    )


def _chosen(request, value: str) -> Section | None:
    """The section of the user's body a form names; None for "no section"."""
    if not value:
        return None
    if not value.isdecimal():
        raise Http404
    return get_object_or_404(Section, pk=value, organization=request.user.organization_id)


def _add(request) -> SectionForm:
    form = SectionForm(request.POST)
    if form.is_valid():
        perform(
            request,
            lambda: save_section(
                organization=request.user.organization,
                by=request.user,
                at=timezone.now(),
                **form.cleaned_data,
            ),
            done=_("The section was added."),
        )
    return form


def _switch(request) -> None:
    section = _chosen(request, request.POST.get("section", ""))
    if section is None:
        raise Http404
    perform(
        request,
        lambda: save_section(
            organization=request.user.organization,
            by=request.user,
            at=timezone.now(),
            name=section.name,
            contact_name=section.contact_name,
            contact_phone=section.contact_phone,
            is_active=not section.is_active,
            section=section,
        ),
        done=_("The section was changed."),
    )


def _spread(request) -> None:
    now = timezone.now()

    def act():
        for share in _shares(request.user):
            value = request.POST.get(f"share-{share.pk}")
            if value is not None:
                section = _chosen(request, value)
                set_section(assignment=share, section=section, by=request.user, at=now)

    perform(request, act, done=_("The work was spread over the sections."))


def _place(request) -> None:
    now = timezone.now()

    def act():
        people = User.objects.holding(Role.LIAISON, organization_id=request.user.organization_id)
        for person in people:
            value = request.POST.get(f"person-{person.pk}")
            if value is not None:
                place_person(
                    person=person, section=_chosen(request, value), by=request.user, at=now
                )

    perform(request, act, done=_("The people were placed."))


ACTS = {"add": _add, "switch": _switch, "spread": _spread, "place": _place}
