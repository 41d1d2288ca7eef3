"""The form of a change of bodies. It cleans names and decides nothing."""

from django import forms
from django.utils.translation import gettext_lazy as _

from supervision.forms.office import day_field
from supervision.models import Organization
from supervision.services.organizations import Successor

MOST_SUCCESSORS = 6


class SuccessionForm(forms.Form):
    """Which bodies end, which take over, from which day, on which basis."""

    old = forms.ModelMultipleChoiceField(
        label=_("Bodies that end"),
        queryset=Organization.objects.none(),
        widget=forms.CheckboxSelectMultiple,
    )
    successors = forms.CharField(
        label=_("Bodies that take over"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "One body a line: short name, a space, full name. Of a body that exists the short name "
            "is enough."
        ),
    )
    from_date = day_field(_("From the day"))
    basis = forms.CharField(
        label=_("Basis"),
        max_length=200,
        help_text=_("The document this rests on, with its number."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        standing = Organization.objects.standing().exclude(kind=Organization.Kind.OFFICE)
        self.fields["old"].queryset = standing.in_official_order()

    def clean_successors(self) -> list[Successor]:
        lines = [line.split() for line in self.cleaned_data["successors"].splitlines()]
        lines = [words for words in lines if words]
        if not lines:
            raise forms.ValidationError(_("Name at least one body that takes over."))
        if len(lines) > MOST_SUCCESSORS:
            raise forms.ValidationError(
                _("At most %(count)s bodies can take over."), params={"count": MOST_SUCCESSORS}
            )
        found = []
        for short_name, *rest in lines:
            body = Organization.objects.standing().filter(short_name=short_name).first()
            full_name = "".join(rest)
            if len(short_name) > 40 or len(full_name) > 120:
                raise forms.ValidationError(_("A name is too long."))
            found.append(
                Successor(short_name, full_name, None if full_name else body)
                if body is not None or full_name
                else Successor(short_name)
            )
        return found
