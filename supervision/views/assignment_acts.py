"""Every act on a share and on what hangs on it: steps, requests, returns, help. A row each."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_fsm import can_proceed

from supervision import permissions
from supervision.forms import body as forms
from supervision.models import (
    Assignment,
    ExtensionRequest,
    Milestone,
    SupervisionItem,
)
from supervision.services import assignments, help, milestones, reports, requests
from supervision.services.settings import limits, working_calendar
from supervision.views.acts import Act, in_state, only_files, plain, versioned, with_files
from supervision.views.base import local_today


def is_in_hand(row: Assignment) -> bool:
    return row.status in Assignment.IN_HAND_STATES


def has_unagreed_plan(row: Assignment) -> bool:
    return any(step.status == Milestone.Status.DRAFT for step in row.milestones.all())


def may_agree_plan(row: Assignment, user) -> bool:
    return permissions.can_approve_plan(None, user)


def may_object(row: Assignment) -> bool:
    return can_proceed(row.object) and local_today() <= row.objection_due_date


def may_reopen(row: Assignment) -> bool:
    """A share of a closed item opens only together with the item."""
    return can_proceed(row.reopen) and row.item.status in SupervisionItem.OPEN_STATES


def can_ask_for_time(row: Assignment) -> bool:
    return is_in_hand(row) and row.due_date is not None


def objection_intro(row: Assignment) -> str:
    return _(
        "You can object until %(date)s; it is decided once. Until then nothing is charged."
    ) % {"date": row.objection_due_date.isoformat()}


def extension_intro(row: Assignment) -> str:
    """What is left of the time to ask, counted on today's date."""
    today = local_today()
    if row.due_date < today:
        return _(
            "The due date %(due)s has passed. The request is marked as late and the delay on "
            "record stays."
        ) % {"due": row.due_date.isoformat()}
    notice, _unit = limits()["extension_notice", ""]
    latest = working_calendar().add(row.due_date, -notice)
    return _(
        "Ask before the due date %(due)s, best by %(latest)s (%(days)s working days before). Name "
        "one definite new date; the leader decides."
    ) % {"due": row.due_date.isoformat(), "latest": latest.isoformat(), "days": notice}


OF_ASSIGNMENT: dict[str, Act] = {
    "accept": Act(
        gettext_lazy("Sign for it"),
        versioned(assignments.accept_assignment, "assignment"),
        permissions.can_accept,
        in_state("accept"),
        gettext_lazy("Signed for. File the plan next."),
        tone="primary",
        intro=gettext_lazy("Your name and the time are recorded; the work is then in hand."),
    ),
    "object": Act(
        gettext_lazy("Object"),
        versioned(assignments.object_to_assignment, "assignment"),
        permissions.can_object,
        may_object,
        gettext_lazy("The objection was raised; the supervision office decides."),
        forms.ObjectionForm,
        intro=objection_intro,
    ),
    "plan": Act(
        gettext_lazy("File the plan"),
        versioned(milestones.file_plan, "assignment"),
        permissions.can_plan,
        is_in_hand,
        gettext_lazy("The plan was filed; the supervision office looks at it."),
        forms.PlanForm,
    ),
    "submit": Act(
        gettext_lazy("Apply for completion"),
        with_files(versioned(assignments.submit_assignment, "assignment")),
        permissions.can_submit,
        in_state("submit"),
        gettext_lazy("Completion was applied for; the supervision office reviews it."),
        forms.ClosingForm,
        intro=gettext_lazy("With this you sign off the closing report in the name of the body."),
    ),
    "draft_closing": Act(
        gettext_lazy("Prepare the closing report"),
        with_files(versioned(assignments.draft_closing, "assignment")),
        permissions.can_draft_closing,
        is_in_hand,
        gettext_lazy("The closing report was handed to the head of your body."),
        forms.ClosingDraftForm,
        intro=gettext_lazy("The head of your body signs it off; that is what hands it in."),
        submit_label=gettext_lazy("Hand to the head"),
    ),
    "extend": Act(
        gettext_lazy("Ask for more time"),
        versioned(requests.ask_extension, "assignment"),
        permissions.can_ask_extension,
        can_ask_for_time,
        gettext_lazy("The request for more time was recorded."),
        forms.ExtensionForm,
        intro=extension_intro,
    ),
    "help": Act(
        gettext_lazy("Ask another body for help"),
        versioned(help.ask_help, "assignment"),
        permissions.can_ask_help,
        is_in_hand,
        gettext_lazy("The other body was asked; the supervision office sees it."),
        forms.HelpForm,
        intro=gettext_lazy("It is on record on both desks. Your own due date does not move by it."),
    ),
    "files": Act(
        gettext_lazy("Add files"),
        only_files,
        permissions.can_add_file,
        lambda row: row.is_open,
        gettext_lazy("The files were added."),
        forms.FilesForm,
    ),
    "agree_plan": Act(
        gettext_lazy("Agree to the plan"),
        plain(milestones.agree_plan, "assignment"),
        may_agree_plan,
        has_unagreed_plan,
        gettext_lazy("The plan was agreed to."),
        tone="primary",
        intro=gettext_lazy("The planned dates become the original dates and never change."),
    ),
    "approve": Act(
        gettext_lazy("Find it in order"),
        versioned(assignments.approve_assignment, "assignment"),
        permissions.can_review,
        in_state("approve"),
        gettext_lazy("Found in order; the check follows."),
        forms.OptionalOpinionForm,
        tone="primary",
    ),
    "send_back": Act(
        gettext_lazy("Send the closing back"),
        versioned(assignments.send_back_assignment, "assignment"),
        permissions.can_review,
        in_state("send_back"),
        gettext_lazy("The closing was sent back."),
        forms.ReasonForm,
        intro=gettext_lazy("The body gets time to rework; your reason is shown to it."),
    ),
    "complete": Act(
        gettext_lazy("Check passed, complete"),
        versioned(assignments.complete_assignment, "assignment"),
        permissions.can_complete,
        in_state("complete"),
        gettext_lazy("Completed; on time or late is now on record."),
        forms.OptionalOpinionForm,
        tone="primary",
        intro=gettext_lazy("Counted is the day the body handed it in. The verdict is frozen."),
    ),
    "fail_check": Act(
        gettext_lazy("Check not passed"),
        versioned(assignments.fail_check, "assignment"),
        permissions.can_complete,
        in_state("fail_check"),
        gettext_lazy("The work was given back to the body."),
        forms.ReasonForm,
    ),
    "remind": Act(
        gettext_lazy("Urge"),
        plain(assignments.remind_body, "assignment"),
        permissions.can_remind,
        lambda row: row.status in Assignment.BODY_STATES,
        gettext_lazy("The body was urged."),
        forms.RemindForm,
    ),
    "resume": Act(
        gettext_lazy("Resume"),
        versioned(assignments.resume_assignment, "assignment"),
        permissions.can_decide_on_assignment,
        in_state("resume"),
        gettext_lazy("Resumed; the working days held were added to the due date."),
        tone="primary",
    ),
    "suspend": Act(
        gettext_lazy("Suspend"),
        versioned(assignments.suspend_assignment, "assignment"),
        permissions.can_decide_on_assignment,
        in_state("suspend"),
        gettext_lazy("Suspended; the clock stands still."),
        forms.SuspendForm,
        tone="danger",
    ),
    "reopen": Act(
        gettext_lazy("Reopen"),
        versioned(assignments.reopen_assignment, "assignment"),
        permissions.can_decide_on_assignment,
        may_reopen,
        gettext_lazy("Reopened; the earlier verdict stays on record."),
        forms.ReopenForm,
        tone="danger",
    ),
    "cancel": Act(
        gettext_lazy("Cancel the assignment"),
        versioned(assignments.cancel_assignment, "assignment"),
        permissions.can_cancel_assignment,
        in_state("cancel"),
        gettext_lazy("The assignment was cancelled."),
        forms.BasisForm,
        tone="danger",
        confirm=gettext_lazy("Open requests end with it. Cancel this body's share?"),
    ),
}

OF_MILESTONE: dict[str, Act] = {
    "start": Act(
        gettext_lazy("Start"),
        versioned(milestones.start_milestone, "milestone"),
        permissions.can_work_on_milestone,
        in_state("start"),
        gettext_lazy("The milestone was started."),
    ),
    "submit": Act(
        gettext_lazy("Report it done"),
        with_files(versioned(milestones.submit_milestone, "milestone")),
        permissions.can_work_on_milestone,
        in_state("submit"),
        gettext_lazy("The milestone was reported done; the supervision office verifies it."),
        forms.MilestoneDoneForm,
    ),
    "approve": Act(
        gettext_lazy("Verify"),
        versioned(milestones.approve_milestone, "milestone"),
        permissions.can_review_milestone,
        in_state("approve"),
        gettext_lazy("The milestone was verified."),
    ),
    "send_back": Act(
        gettext_lazy("Send back"),
        versioned(milestones.send_back_milestone, "milestone"),
        permissions.can_review_milestone,
        in_state("send_back"),
        gettext_lazy("The milestone was sent back."),
        forms.ReasonForm,
    ),
    "move": Act(
        gettext_lazy("Move"),
        versioned(milestones.move_milestone, "milestone"),
        permissions.can_review_milestone,
        lambda row: row.status in (Milestone.Status.PLANNED, Milestone.Status.IN_PROGRESS),
        gettext_lazy("The milestone was moved; its original date stays."),
        forms.MilestoneMoveForm,
    ),
    "cancel": Act(
        gettext_lazy("Drop"),
        versioned(milestones.cancel_milestone, "milestone"),
        permissions.can_review_milestone,
        in_state("cancel"),
        gettext_lazy("The milestone was dropped; its weight falls to the others."),
        forms.ReasonForm,
        tone="danger",
    ),
}

OF_EXTENSION: dict[str, Act] = {
    "submit": Act(
        gettext_lazy("Sign off and file"),
        versioned(requests.submit_extension, "extension"),
        permissions.can_sign_request,
        in_state("submit"),
        gettext_lazy("The request was filed."),
        tone="primary",
    ),
    "endorse": Act(
        gettext_lazy("Endorse"),
        versioned(requests.endorse_extension, "extension"),
        permissions.can_endorse_extension,
        in_state("endorse"),
        gettext_lazy("Endorsed; the leader decides."),
        forms.OpinionForm,
        tone="primary",
    ),
    "grant": Act(
        gettext_lazy("Grant"),
        versioned(requests.grant_extension, "extension"),
        permissions.can_grant_extension,
        in_state("grant"),
        gettext_lazy("Granted; the due date has moved, the original date stays."),
        forms.GrantForm,
        tone="primary",
    ),
    "refuse": Act(
        gettext_lazy("Refuse"),
        versioned(requests.refuse_extension, "extension"),
        lambda row, user: (
            permissions.can_endorse_extension(row, user)
            if row.status == ExtensionRequest.Status.SUBMITTED
            else permissions.can_grant_extension(row, user)
        ),
        lambda row: can_proceed(row.refuse_at_once) or can_proceed(row.refuse),
        gettext_lazy("The request was refused."),
        forms.OpinionForm,
    ),
    "withdraw": Act(
        gettext_lazy("Withdraw the request"),
        versioned(requests.withdraw_extension, "extension"),
        permissions.can_withdraw_request,
        in_state("withdraw"),
        gettext_lazy("The request was withdrawn."),
    ),
}

OF_OBJECTION: dict[str, Act] = {
    "uphold": Act(
        gettext_lazy("Uphold, give it to another body"),
        versioned(assignments.uphold_objection, "objection"),
        permissions.can_decide_objection_itself,
        in_state("uphold"),
        gettext_lazy("Upheld; the other body now has the work."),
        forms.UpholdForm,
    ),
    "reject": Act(
        gettext_lazy("Reject the objection"),
        versioned(assignments.reject_objection, "objection"),
        permissions.can_decide_objection_itself,
        in_state("reject"),
        gettext_lazy("Rejected; the time to sign starts anew."),
        forms.OpinionForm,
    ),
    "withdraw": Act(
        gettext_lazy("Withdraw the objection"),
        versioned(assignments.withdraw_objection, "objection"),
        permissions.can_withdraw_request,
        in_state("withdraw"),
        gettext_lazy("The objection was withdrawn; the work can be signed for."),
    ),
}

OF_PERIOD: dict[str, Act] = {
    "skip": Act(
        gettext_lazy("Skip this period"),
        plain(reports.skip_period, "period"),
        permissions.can_skip_period,
        in_state("skip"),
        gettext_lazy("No return is owed for this period; it stays visible as skipped."),
        forms.SkipForm,
    ),
    "unskip": Act(
        gettext_lazy("Ask for the return after all"),
        plain(reports.unskip_period, "period"),
        permissions.can_skip_period,
        in_state("unskip"),
        gettext_lazy("The return is owed again."),
    ),
}

OF_HELP: dict[str, Act] = {
    "answer": Act(
        gettext_lazy("Answer"),
        versioned(help.answer_help, "help_request"),
        permissions.can_answer_help,
        in_state("answer"),
        gettext_lazy("Your answer went to the body that asked."),
        forms.AnswerForm,
        tone="primary",
    ),
    "decline": Act(
        gettext_lazy("Decline"),
        versioned(help.decline_help, "help_request"),
        permissions.can_answer_help,
        in_state("decline"),
        gettext_lazy("Declined; your reason went to the body that asked."),
        forms.DeclineForm,
    ),
    "withdraw": Act(
        gettext_lazy("Withdraw the request"),
        versioned(help.withdraw_help, "help_request"),
        permissions.can_withdraw_help,
        in_state("withdraw"),
        gettext_lazy("The request was withdrawn."),
    ),
}

FAMILIES: dict[str, dict[str, Act]] = {
    "assignment": OF_ASSIGNMENT,
    "milestone": OF_MILESTONE,
    "extension": OF_EXTENSION,
    "objection": OF_OBJECTION,
    "period": OF_PERIOD,
    "help": OF_HELP,
}
# What a body does from a row of the return page, each in a dialog; milestones beside them.
FROM_A_ROW = ("accept", "object", "extend", "help", "draft_closing", "submit")
