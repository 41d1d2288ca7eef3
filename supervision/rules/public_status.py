"""The six words and one that the public reads (domain.md, section 9)."""

from enum import StrEnum

from supervision.rules.lights import SEVERITY, Freshness, Light, LightVerdict


class PublicStatus(StrEnum):
    NOT_STARTED = "not_started"
    ON_TRACK = "on_track"
    BEHIND = "behind"
    OVERDUE = "overdue"
    DONE = "done"
    DONE_LATE = "done_late"
    NO_RECENT_REPORT = "no_recent_report"


NOT_STARTED = frozenset({"draft", "under_approval", "initiated"})


def public_status(
    verdict: LightVerdict, *, status: str = "", outcome: str = ""
) -> PublicStatus | None:
    """The public word for a verdict, an item status and, once completed, its frozen outcome.

    `outcome` ("done" or "done_late") wins over the light, which a later correction may change.
    Near its date is not behind, an item whose shares are overdue is, and overdue work that also
    lacks a report stays overdue. None for suspended or cancelled work: the release
    says that in its own approved text.
    """
    if outcome in {PublicStatus.DONE, PublicStatus.DONE_LATE}:
        return PublicStatus(outcome)
    if verdict.light in {Light.DONE, Light.DONE_LATE}:
        return PublicStatus(verdict.light.value)
    if status in {"suspended", "cancelled"} or verdict.light is Light.SUSPENDED:
        return None
    if status in NOT_STARTED or verdict.reason.code == "not_dispatched":
        return PublicStatus.NOT_STARTED
    if verdict.is_overdue:
        return PublicStatus.OVERDUE
    if _is_warning(verdict.progress_light) or _is_warned_by_shares(verdict):
        return PublicStatus.BEHIND
    if verdict.freshness in {Freshness.STALE, Freshness.NEVER}:
        return PublicStatus.NO_RECENT_REPORT
    return PublicStatus.ON_TRACK


def _is_warning(light: Light | None) -> bool:
    return light is not None and SEVERITY[light] >= SEVERITY[Light.YELLOW]


def _is_warned_by_shares(verdict: LightVerdict) -> bool:
    is_about_shares = verdict.reason.code in {"shares_overdue", "shares_behind"}
    return is_about_shares and _is_warning(verdict.light)
