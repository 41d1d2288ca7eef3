"""Who last changed which value of a return."""

from collections.abc import Iterable
from datetime import datetime

from supervision.models import ProgressReport, ReturnEdit, User
from supervision.services.acts import name_of


def note_edits(*, report: ProgressReport, cells: Iterable[str], by: User, at: datetime) -> None:
    """Keep who changed these values of a return, and when: one statement, none for none.

    A cell is the name of a text field, or "value UID" and "note UID" for a figure of a goal.
    """
    rows = [
        ReturnEdit(report=report, cell=cell, by_name=name_of(by)[:80], at=at)
        for cell in dict.fromkeys(cells)
    ]
    if rows:
        ReturnEdit.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["report", "cell"],
            update_fields=["by_name", "at"],
        )
