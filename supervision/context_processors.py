"""Values every page needs."""

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.utils.functional import SimpleLazyObject

from supervision.models import Demonstration


def holds_demonstration() -> bool:
    """Whether this database holds invented data, asked of it."""
    return Demonstration.objects.exists()


def is_demonstration(request) -> bool:
    """The same for a page, known for five minutes; False when the database does not answer."""
    # Whoever is at the desk came with the answer (`supervision.backends`); of the public pages
    # nobody is asked, for that would read the session.
    if request.path.startswith("/desk/"):
        known = getattr(getattr(request, "user", None), "is_in_demonstration", None)
        if known is not None:
            return known
    try:
        return cache.get_or_set("is_demonstration", holds_demonstration, timeout=300)
    except DatabaseError:
        # The page that says the database is away must not need it.
        return False


def site(request) -> dict:
    """Product name, office, and whether this database holds invented data."""
    return {
        "office_name": settings.OFFICE_NAME,
        "is_demonstration": SimpleLazyObject(lambda: is_demonstration(request)),
    }


def desk_nav(request) -> dict:
    """The desk's navigation; worked out only when a template asks for it."""
    from supervision.views import navigation

    return {
        "desk_nav": SimpleLazyObject(lambda: navigation.desk_nav(request)),
        "desk_search": SimpleLazyObject(lambda: navigation.desk_search(request)),
    }
