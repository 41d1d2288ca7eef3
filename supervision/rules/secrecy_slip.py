"""The slip of the secrecy review: what is proposed, what was asked, what was found.

Source: public-site.md, section 6 (proposed attribute, structured answers, finding, approver).
Who approves and when is kept with the step it belongs to.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

# code: what is asked of the whole edition; anything but “no” stops it.
QUESTIONS: dict[str, Any] = {
    "state_secret": _("Does it hold state secrets, or is it derived from a document that does?"),
    "work_secret": _("Does it hold work secrets of an office?"),
    "trade_secret": _("Does it hold trade secrets of an enterprise?"),
    "privacy": _("Does it hold what is private to a person?"),
    "process": _("Does it hold process information: instructions, drafts, consultations, urging?"),
    "mosaic": _("Does it reveal something protected when put together with what is public?"),
}
ATTRIBUTES: dict[str, Any] = {
    "proactive": _("Open to the public"),
    "on_request": _("Open on request"),
    "withheld": _("Not open"),
}


def slip_problems(slip: Mapping[str, Any]) -> list[Any]:
    """Why an edition may not pass with this slip; nothing when it may."""
    answers = slip.get("answers") or {}
    found = []
    if any(answers.get(code) not in ("yes", "no") for code in QUESTIONS):
        found.append(_("Answer every question of the secrecy slip."))
    if any(answers.get(code) == "yes" for code in QUESTIONS):
        found.append(_("A question of the slip is answered with yes: send the edition back."))
    if slip.get("attribute") != "proactive":
        found.append(_("Only what is open to the public can pass; else send it back."))
    if not str(slip.get("finding") or "").strip():
        found.append(_("Write the finding of the secrecy review in one sentence."))
    return found
