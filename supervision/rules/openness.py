"""When what is not disclosed is looked at again. Pure."""

from datetime import date

from supervision.rules.limits import add_months

REVIEW_MONTHS = 12


def review_date(decided: date) -> date:
    """The day on which an item that is not public is due to be looked at again.

    A year after it was last decided; 29 February falls on the 28th. Source: public-site.md,
    section 6 (convention, unverified as to article).
    """
    return add_months(decided, REVIEW_MONTHS)
