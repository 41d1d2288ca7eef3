"""Checks that end a web process before it answers anything."""

from collections.abc import Sequence


def run_checks_or_end(*, tags: Sequence[str]) -> None:
    """Raises SystemExit with the errors' texts."""
    from django.core.checks import ERROR, run_checks

    errors = [str(message) for message in run_checks(tags=tags) if message.level >= ERROR]
    if errors:
        raise SystemExit("\n".join(errors))
