"""Forms of the people who publish: the author's words, three reviews, the secrecy slip."""

from django import forms
from django.utils.translation import gettext_lazy as _

from supervision.forms.office import ActForm, day_field
from supervision.models import PolicyDocument
from supervision.rules.secrecy_slip import ATTRIBUTES, QUESTIONS


class ProposeForm(ActForm):
    document = forms.ModelChoiceField(
        label=_("Document"),
        queryset=PolicyDocument.objects.exclude(status=PolicyDocument.Status.DRAFT),
        required=False,
        empty_label=_("All documents with items open to the public"),
    )
    embargo_date = day_field(
        _("Not public before"),
        required=False,
        help_text=_("Leave empty to publish as soon as three people have read it."),
    )


class ReviewForm(ActForm):
    """The first and the second review."""

    opinion = forms.CharField(
        label=_("Opinion"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def service_values(self) -> dict:
        return {"opinion": self.cleaned_data["opinion"]}


class SlipForm(ReviewForm):
    """The third review with the secrecy slip: no answer is filled in beforehand."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for code, question in QUESTIONS.items():
            self.fields[f"answer_{code}"] = forms.ChoiceField(
                label=question,
                choices=[("no", _("No")), ("yes", _("Yes"))],
                widget=forms.RadioSelect,
            )
        self.fields["attribute"] = forms.ChoiceField(
            label=_("Proposed attribute"), choices=[("", "—"), *ATTRIBUTES.items()]
        )
        self.fields["finding"] = forms.CharField(
            label=_("Finding of the secrecy review"),
            max_length=500,
            widget=forms.Textarea(attrs={"rows": 2}),
        )
        self.order_fields(
            [*(f"answer_{code}" for code in QUESTIONS), "attribute", "finding", "opinion"]
        )

    def service_values(self) -> dict:
        cleaned = self.cleaned_data
        slip = {
            "answers": {code: cleaned[f"answer_{code}"] for code in QUESTIONS},
            "attribute": cleaned["attribute"],
            "finding": cleaned["finding"],
        }
        return {"opinion": cleaned["opinion"], "slip": slip}


class EditForm(forms.Form):
    """The author's own words for the public: three fields for each item of the edition."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    embargo_date = day_field(_("Not public before"), required=False)

    def __init__(self, data=None, *, release, **kwargs):
        super().__init__(
            data,
            initial={"version": release.version, "embargo_date": release.embargo_date},
            **kwargs,
        )
        self.entries = release.content.get("items", [])
        for number, entry in enumerate(self.entries):
            edit = release.edits.get(entry["key"], {})
            self.fields[f"text_{number}"] = forms.CharField(
                label=_("Progress in words for the public"),
                required=False,
                max_length=5000,
                initial=edit.get("text", ""),
                help_text=_("Leave empty to take the accepted return's own words."),
                widget=forms.Textarea(attrs={"rows": 4}),
            )
            self.fields[f"hidden_reason_{number}"] = forms.CharField(
                label=_("Hide the text, because"),
                required=False,
                max_length=200,
                initial=edit.get("hidden_reason", ""),
                help_text=_("The public reads this reason in place of the text."),
            )
            self.fields[f"correction_{number}"] = forms.CharField(
                label=_("Correction of an earlier edition"),
                required=False,
                max_length=500,
                initial=edit.get("correction", ""),
                help_text=_("What was wrong, and what is right; it goes on the public list."),
            )

    def rows(self):
        """Each item with its three bound fields and whether something is written there."""
        for number, entry in enumerate(self.entries):
            fields = [self[f"{name}_{number}"] for name in ("text", "hidden_reason", "correction")]
            yield {
                "entry": entry,
                "fields": fields,
                "is_open": any(field.value() or field.errors for field in fields),
            }

    def edits(self) -> dict[str, dict[str, str]]:
        return {
            entry["key"]: {
                name: self.cleaned_data[f"{name}_{number}"]
                for name in ("text", "hidden_reason", "correction")
            }
            for number, entry in enumerate(self.entries)
        }
