"""The tables of a few rows every page leans on: the calendar's years, limits, light schemes …

A page that only reads has all of them by one statement; everybody else asks for the one wanted.
"""

from functools import cache

from django.db.models import QuerySet

from supervision.models.organizations import SuccessionLink
from supervision.models.settings import CalendarYear, LightSchemeRow, ReturnCheck, TimeLimit
from supervision.read_once import is_reading, read_once
from supervision.together import Together

CALENDAR_YEARS, LIMITS, LIGHT_SCHEMES = "calendar_years", "limits", "light_schemes"
RETURN_CHECKS, SUCCESSIONS = "return_checks", "successions"


def _tables() -> dict[str, QuerySet]:
    return {
        CALENDAR_YEARS: CalendarYear.objects.order_by("year").values_list(
            "year", "number", "fingerprint"
        ),
        LIMITS: TimeLimit.objects.values_list("code", "urgency", "value", "unit"),
        LIGHT_SCHEMES: LightSchemeRow.objects.order_by("pk").values_list(
            "pk", "params", "is_default"
        ),
        RETURN_CHECKS: ReturnCheck.objects.values_list("code", "value"),
        SUCCESSIONS: SuccessionLink.objects.order_by("pk").values_list("old_id", "new_id"),
    }


@cache
def _prepared() -> Together:
    return Together(**_tables())


@read_once
def _all_rows() -> dict[str, list[tuple]]:
    return _prepared().read()


def small_rows(table: str) -> list[tuple]:
    """The rows of one small table, as they are at this moment or were when the page began."""
    return _all_rows()[table] if is_reading() else list(_tables()[table])
