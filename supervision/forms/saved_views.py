"""The form of a saved view. It cleans input and decides nothing."""

from django import forms
from django.utils.translation import gettext_lazy as _

from supervision import permissions
from supervision.models import SavedView


class SavedViewForm(forms.Form):
    """A name, and inside the office whether colleagues see it. Several stand on a page."""

    name = forms.CharField(
        label=_("Name of the view"), max_length=SavedView._meta.get_field("name").max_length
    )
    is_shared = forms.BooleanField(label=_("Show it to the whole office"), required=False)

    def __init__(self, *args, user, prefix_ids="", **kwargs):
        super().__init__(*args, auto_id=f"view{prefix_ids}-%s", **kwargs)
        if not permissions.can_share_view(user):
            del self.fields["is_shared"]

    def clean(self):
        return {"is_shared": False} | super().clean()
