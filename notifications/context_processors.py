"""Unread count for the top bar."""

from django.utils.functional import SimpleLazyObject

from notifications.models import InboxEntry


def unread(request) -> dict:
    """`unread_count`: one query, and only where a page shows it to somebody signed in."""

    def count() -> int:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return 0
        return InboxEntry.objects.of(user).unread().count()

    return {"unread_count": SimpleLazyObject(count)}
