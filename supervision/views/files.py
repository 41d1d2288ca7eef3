"""Evidence leaves only through here: checked, as a download, never shown in place."""

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supervision.models import Attachment
from supervision.services.files import KINDS


@login_required
@require_safe
def file(request, uid):
    """Download one file of evidence."""
    row = get_object_or_404(Attachment.objects.visible_to(request.user), uid=uid)
    try:
        stream = row.file.open("rb")
    except FileNotFoundError as error:
        raise Http404(_("The file is no longer in its place.")) from error
    response = FileResponse(
        stream,
        as_attachment=True,
        filename=row.original_name,
        content_type=KINDS.get(row.kind, "application/octet-stream"),
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
