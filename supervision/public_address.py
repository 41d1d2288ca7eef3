"""Where the public site is reached from outside, for words written elsewhere than on its pages."""

from urllib.parse import urlsplit

from django.conf import settings


def public_origin() -> str:
    """Scheme and host of the public site: its own host where there are two, without a slash."""
    if not settings.PUBLIC_HOSTS:
        return settings.SITE_URL
    return f"{urlsplit(settings.SITE_URL).scheme}://{settings.PUBLIC_HOSTS[0]}"


def public_url(path: str) -> str:
    """The full address of a path of the public site, under the portal's prefix if it has one."""
    return f"{public_origin()}{settings.PUBLIC_PREFIX}{path}"
