"""Forms about messages. They clean input and decide nothing."""

from django import forms
from django.utils.translation import gettext_lazy as _

from notifications.models import GroupRobot
from supervision.models import Organization
from supervision.models.organizations import MOBILE_NUMBER


class PreferenceForm(forms.Form):
    is_digest_on = forms.BooleanField(
        label=_("Daily mail about ordinary matters too"),
        required=False,
        help_text=_("Off: ordinary news stays in the inbox. Duty messages come all the same."),
    )
    digest_time = forms.TimeField(
        label=_("Daily mail not before"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("Empty: as soon as mail may leave in the morning."),
    )
    mobile_phone = forms.CharField(
        label=_("Mobile phone"),
        required=False,
        max_length=20,
        validators=[MOBILE_NUMBER],
        help_text=_("Used for red only, and only if the office has a text message gateway."),
    )
    is_sms_on = forms.BooleanField(
        label=_("Text message for red as well"),
        required=False,
        help_text=_("Red always comes by mail at once; the text message is an extra copy."),
    )


class HoldForm(forms.Form):
    key = forms.CharField(max_length=120, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Why it is held back"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The copies stay here until somebody lets them go; the inbox shows the fact."),
    )


class RobotForm(forms.Form):
    """The key is write-only: a form that comes back is empty there."""

    organization = forms.ModelChoiceField(
        label=_("Body"), queryset=Organization.objects.in_official_order()
    )
    kind = forms.ChoiceField(label=_("Chat product"), choices=GroupRobot.Kind.choices)
    name = forms.CharField(label=_("Name of the group"), max_length=40)
    address = forms.CharField(
        label=_("Key of the robot"),
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("The last part of the address the product shows. It is never shown again."),
    )
    secret = forms.CharField(
        label=_("Signing key"),
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Only DingTalk has one, and only if signing is switched on there."),
    )
