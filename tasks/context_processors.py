"""How the machinery is doing, for the office's home page."""

from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from tasks.health import operations_summary


def operations(request) -> dict:
    """`operations` for office users (None for others), read only where a page shows it.

    A page shows it with `{% if operations %}{% include operations_template %}{% endif %}`.
    """

    def summary() -> dict | None:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated or not user.is_office:
            return None
        return operations_summary(timezone.now())

    return {
        "operations": SimpleLazyObject(summary),
        "operations_template": "tasks/_operations.html",
    }
