"""Forms around workbooks: what the ledger shows, the workbook that comes back."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supervision.models import Assignment, Organization, PolicyDocument
from supervision.overview import LIGHT_ORDER
from supervision.rules.lights import Light
from supervision.spreadsheets.ledger import LIGHT_NAMES


class LedgerForm(forms.Form):
    """Which rows the ledger shows; a body is offered its own rows only."""

    document = forms.ModelChoiceField(
        PolicyDocument.objects.none(),
        label=_("Document"),
        required=False,
        empty_label=_("All documents"),
        to_field_name="uid",
    )
    light = forms.ChoiceField(label=pgettext_lazy("ledger", "Light"), required=False)
    body = forms.ModelChoiceField(
        Organization.objects.none(),
        label=_("Body"),
        required=False,
        empty_label=_("All bodies"),
        to_field_name="uid",
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        visible = Assignment.objects.visible_to(user)
        self.fields["document"].queryset = PolicyDocument.objects.visible_to(user).order_by(
            "-issued_date", "pk"
        )
        self.fields["light"].choices = [("", _("All lights"))] + [
            (light.value, LIGHT_NAMES[light]) for light in LIGHT_ORDER if light != Light.ORANGE
        ]
        self.fields["body"].queryset = Organization.objects.filter(
            pk__in=visible.values("organization")
        ).in_official_order()
        if user.is_body and not user.is_office:
            del self.fields["body"]

    def described(self, body: Organization | None) -> str:
        """The filter in words, for the second row of the sheet and for the record."""
        document, light = self.cleaned_data["document"], self.cleaned_data["light"]
        parts = [document and document.doc_number, body and body.short_name]
        parts.append(light and str(LIGHT_NAMES[Light(light)]))
        return "，".join(part for part in parts if part)


class WorkbookForm(forms.Form):
    """The filled workbook on its way back."""

    file = forms.FileField(
        label=_("Filled workbook"),
        help_text=_("The xlsx file you downloaded here, up to 20 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx"}),
    )
