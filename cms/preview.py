"""Pages as the public will read them with the coming edition, for those who publish. Never kept."""

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from cms import snapshot
from cms.dress import warn_of_exits
from supervision import permissions
from supervision.middleware import STRICT
from supervision.models import Release

PREFIX = "next-"
# The editor's page shows the preview in a frame of its own site.
FRAMED = STRICT.replace("frame-ancestors 'none'", "frame-ancestors 'self'")


def mode_of(release: Release) -> str:
    return f"{PREFIX}{release.uid}"


def modes() -> list[tuple[str, str]]:
    """The page as it is now, then as with each edition that is handed in and not yet public."""
    return [
        ("", _("As it is now")),
        *(
            (
                mode_of(release),
                _("As with the next edition: {label}, {state}").format(
                    label=release.label, state=release.get_status_display()
                ),
            )
            for release in Release.objects.coming().defer("content")
        ),
    ]


def prepare(request, mode: str) -> None:
    """Let the request show what the mode asks for.

    Raises Http404 for an edition that is no longer on its way, PermissionDenied for people who
    have no part in publishing.
    """
    if not mode:
        return
    if not permissions.sees_releases(request.user):
        raise PermissionDenied
    release = next((row for row in Release.objects.coming() if mode_of(row) == mode), None)
    if release is None:
        raise Http404
    request.coming = release
    request.public_set = snapshot.after(release, at=timezone.now())


def keep_from_all(response):
    """Nobody keeps it, on the way or in the browser, and only our own pages frame it."""
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = FRAMED
    return response


def seal(request, response):
    """The answer as a visitor would get it, except that nobody keeps it."""
    keep_from_all(response)
    host = request.get_host()

    def warn(rendered) -> None:
        rendered.content = warn_of_exits(rendered.content, host)

    response.add_post_render_callback(warn)
    return response
