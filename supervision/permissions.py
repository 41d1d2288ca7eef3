"""Who may do what: one predicate each, asked by models, services, views and templates alike.

Each takes the row and the user and answers a bool. None asks about the state of the row: that is
the state machine's question, and a second click is no offence.
"""

OFFICER = "officer"
OFFICE_HEAD = "office_head"
LEADER = "leader_in_charge"
PRINCIPAL = "principal"
BODY_HEAD = "body_head"
LIAISON = "liaison"
PUBLISHER = "publisher"
REVIEWER = "reviewer"
AUDITOR = "audit_admin"
ADMINISTRATOR = "system_admin"


def is_person(user, *pks: int | None) -> bool:
    """Whether one of these accounts is the user, or the person who now stands in for the user.

    Four eyes are the eyes of people: whoever acts for another counts with both accounts.
    """
    deputy = getattr(user, "deputy", None)
    own = {user.pk} if deputy is None else {user.pk, deputy.pk}
    return not own.isdisjoint(pks)


# What somebody sees


def sees_all_items(user) -> bool:
    return user.has_role(OFFICER, OFFICE_HEAD, PRINCIPAL)


def leads_items(user) -> bool:
    return user.has_role(LEADER)


def reads_audit(user) -> bool:
    return user.has_role(AUDITOR)


def sees_releases(user) -> bool:
    return user.has_role(OFFICER, OFFICE_HEAD, PUBLISHER, REVIEWER)


def sees_clocks(user) -> bool:
    """Lateness by desk: those who supervise all of it, a leader the own items' part."""
    return sees_all_items(user) or leads_items(user)


def exports_ledger(user) -> bool:
    return sees_all_items(user) or leads_items(user) or user.is_body


def is_own_body(assignment, user) -> bool:
    return (
        user.organization_id is not None
        and user.organization_id == assignment.organization_id
        and assignment.transferred_to_id is None
        and user.only_section_id in (None, assignment.section_id)
    )


def leads_item(item, user) -> bool:
    """The leader in charge of this very item."""
    return user.has_role(LEADER) and item.leader_id == user.pk


# Documents and items


def can_manage_document(document, user) -> bool:
    return user.has_role(OFFICER, OFFICE_HEAD)


def can_close_document(document, user) -> bool:
    return user.has_role(OFFICE_HEAD)


def can_create_item(user) -> bool:
    return user.has_role(OFFICER)


def can_instruct(user) -> bool:
    """A leader's instruction drafts an item; the office works it out and has it approved."""
    return user.has_role(LEADER, PRINCIPAL)


def can_edit_item(item, user) -> bool:
    return user.has_role(OFFICER)


def can_submit_item(item, user) -> bool:
    return user.has_role(OFFICER)


def can_approve_item(item, user) -> bool:
    """The office's head or the item's leader, never the person who drafted it."""
    return (user.has_role(OFFICE_HEAD) or leads_item(item, user)) and not is_person(
        user, item.drafted_by_id, item.drafted_by_deputy_id
    )


def can_dispatch_item(item, user) -> bool:
    return user.has_role(OFFICER)


def can_decide_on_item(item, user) -> bool:
    """Suspend, resume, cancel, reopen: the leader decides; the principal may always."""
    return leads_item(item, user) or user.has_role(PRINCIPAL)


def can_cancel_item(item, user) -> bool:
    """The leader decides; what was never initiated its drafting office may drop itself."""
    if item.approved_at is None and user.has_role(OFFICE_HEAD):
        return True
    return can_decide_on_item(item, user)


def can_complete_item(item, user) -> bool:
    """The office's head; a key item needs the leader."""
    if item.is_key:
        return leads_item(item, user)
    return user.has_role(OFFICE_HEAD)


def can_archive_item(item, user) -> bool:
    return user.has_role(OFFICER)


# Search and saved views


def searches(user) -> bool:
    """Whoever has items to look through."""
    return sees_all_items(user) or leads_items(user) or user.is_body


def can_share_view(user) -> bool:
    return user.is_office


def can_change_view(view, user) -> bool:
    return view.owner_id == user.pk


def can_delete_view(view, user) -> bool:
    """One's own; a shared one also the head of the office, for its owner may have left."""
    return can_change_view(view, user) or (view.is_shared and user.has_role(OFFICE_HEAD))


# The office's own rules


def sees_rules(user) -> bool:
    return user.has_role(OFFICER, OFFICE_HEAD, ADMINISTRATOR)


def can_change_rules(user) -> bool:
    """Ladder, limits and light schemes: the head of the office, nobody else."""
    return user.has_role(OFFICE_HEAD)


def can_change_bodies(user) -> bool:
    """Merge, split and rename bodies: the head of the office."""
    return user.has_role(OFFICE_HEAD)


# Assignments


def can_accept(assignment, user) -> bool:
    return is_own_body(assignment, user) and user.has_role(LIAISON, BODY_HEAD)


def can_object(assignment, user) -> bool:
    return is_own_body(assignment, user) and user.has_role(BODY_HEAD)


def can_withdraw_objection(assignment, user) -> bool:
    return is_own_body(assignment, user) and user.has_role(BODY_HEAD)


def can_decide_objection(assignment, user) -> bool:
    return user.has_role(OFFICE_HEAD)


def can_plan(assignment, user) -> bool:
    return is_own_body(assignment, user) and user.has_role(LIAISON, BODY_HEAD)


def can_draft_closing(assignment, user) -> bool:
    return is_own_body(assignment, user) and user.has_role(LIAISON, BODY_HEAD)


def can_add_file(assignment, user) -> bool:
    return is_own_body(assignment, user) and user.has_role(LIAISON, BODY_HEAD)


def can_submit(assignment, user) -> bool:
    """The head of the body signs the closing off; that is what hands it in."""
    return is_own_body(assignment, user) and user.has_role(BODY_HEAD)


def can_review(assignment, user) -> bool:
    return user.has_role(OFFICER)


def can_complete(assignment, user) -> bool:
    return user.has_role(OFFICE_HEAD)


def can_decide_on_assignment(assignment, user) -> bool:
    return can_decide_on_item(assignment.item, user)


def can_cancel_assignment(assignment, user) -> bool:
    return can_decide_on_item(assignment.item, user) or user.has_role(OFFICE_HEAD)


def can_remind(assignment, user) -> bool:
    return user.has_role(OFFICER, OFFICE_HEAD)


def can_decide_escalation(assignment, user) -> bool:
    """From the red sheet upward a named person decides."""
    return user.has_role(OFFICE_HEAD)


# Milestones


def can_approve_plan(milestone, user) -> bool:
    return user.has_role(OFFICER)


def can_work_on_milestone(milestone, user) -> bool:
    return is_own_body(milestone.assignment, user) and user.has_role(LIAISON, BODY_HEAD)


def can_review_milestone(milestone, user) -> bool:
    return user.has_role(OFFICER)


def moves_milestones(user) -> bool:
    """Whoever may move one may move several."""
    return user.has_role(OFFICER)


# Returns


def can_skip_period(period, user) -> bool:
    return user.has_role(OFFICER)


def can_write_report(report, user) -> bool:
    return is_own_body(report.period.assignment, user) and user.has_role(LIAISON, BODY_HEAD)


def can_sign_report(report, user) -> bool:
    return is_own_body(report.period.assignment, user) and user.has_role(BODY_HEAD)


def can_review_report(report, user) -> bool:
    return user.has_role(OFFICER)


def can_import_returns(organization, user) -> bool:
    """The workbook of one's own body; a liaison of one section works in the rows of it only."""
    return organization.pk == user.organization_id and user.has_role(LIAISON, BODY_HEAD)


# Workbooks


def can_handle_export(run, user) -> bool:
    """Call off, ask again, fetch: whoever asked for it."""
    return run.owner_id == user.pk


def can_import_tables(user) -> bool:
    """Draft the items of somebody else's breakdown table."""
    return user.has_role(OFFICER)


def sees_scores(user) -> bool:
    """Scores and packs stay with those who supervise."""
    return sees_all_items(user)


def can_make_packs(user) -> bool:
    return user.has_role(OFFICER, OFFICE_HEAD)


# Requests


def can_ask_extension(assignment, user) -> bool:
    return is_own_body(assignment, user) and user.has_role(LIAISON, BODY_HEAD)


def can_sign_request(extension, user) -> bool:
    return is_own_body(extension.assignment, user) and user.has_role(BODY_HEAD)


def can_endorse_extension(extension, user) -> bool:
    return user.has_role(OFFICER)


def can_grant_extension(extension, user) -> bool:
    """The leader; for items that are not key items the office's head by delegation.

    A deputy does not decide on what he endorsed himself.
    """
    deputy = getattr(user, "deputy", None)
    if deputy is not None and extension.endorsed_by_id == deputy.pk:
        return False
    item = extension.assignment.item
    if leads_item(item, user) or user.has_role(PRINCIPAL):
        return True
    return not item.is_key and user.has_role(OFFICE_HEAD)


def can_withdraw_request(request, user) -> bool:
    return is_own_body(request.assignment, user) and user.has_role(BODY_HEAD)


def can_decide_objection_itself(objection, user) -> bool:
    return user.has_role(OFFICE_HEAD)


# Help between bodies


def can_ask_help(assignment, user) -> bool:
    return is_own_body(assignment, user) and user.has_role(LIAISON, BODY_HEAD)


def can_answer_help(request, user) -> bool:
    """The body that was asked; a section of it has no part in this."""
    return (
        user.organization_id is not None
        and user.organization_id == request.organization_id
        and user.has_role(LIAISON, BODY_HEAD)
        and user.only_section_id is None
    )


def can_withdraw_help(request, user) -> bool:
    return can_ask_help(request.assignment, user)


# The people and the sections of a body


def can_spread_work(organization, user) -> bool:
    """Sections of a body and whose work is whose: its head, or a liaison of the whole body."""
    return (
        user.organization_id is not None
        and user.organization_id == organization.pk
        and user.has_role(LIAISON, BODY_HEAD)
        and user.only_section_id is None
    )


def can_place_people(organization, user) -> bool:
    """Which liaison belongs to which section: the head of the body."""
    return (
        user.organization_id is not None
        and user.organization_id == organization.pk
        and user.has_role(BODY_HEAD)
    )


def can_hand_over_for(person, user) -> bool:
    """One's own desk; the head of the body or the office for somebody who is away."""
    if getattr(user, "deputy", None) is not None:
        return False
    if user.pk == person.pk:
        return True
    if user.has_role(OFFICER, OFFICE_HEAD):
        return True
    return (
        user.has_role(BODY_HEAD)
        and person.organization_id is not None
        and user.organization_id == person.organization_id
    )


def can_give_desk(handover, user) -> bool:
    return can_hand_over_for(handover.from_user, user)


def can_take_desk(handover, user) -> bool:
    """The successor himself, never a deputy of his and never whoever gave it."""
    return (
        user.pk == handover.to_user_id
        and getattr(user, "deputy", None) is None
        and not is_person(user, handover.given_by_id)
    )


def can_drop_handover(handover, user) -> bool:
    return can_give_desk(handover, user) or user.pk == handover.to_user_id


def can_close_account(handover, user) -> bool:
    return user.has_role(ADMINISTRATOR)


# Messages


def can_manage_outbox(user) -> bool:
    """See what leaves and what left, hold it back, send it again."""
    return user.has_role(OFFICER, OFFICE_HEAD)


# Deputies


def can_delegate_for(person, user) -> bool:
    """One's own deputy; the head of a body for its people; the administrator for everybody."""
    if user.deputy is not None:
        return False
    if user.pk == person.pk or user.has_role(ADMINISTRATOR):
        return True
    return (
        user.has_role(BODY_HEAD)
        and person.organization_id is not None
        and user.organization_id == person.organization_id
    )


# Letters


def sees_letters(user) -> bool:
    """Who has the register: the office all of it, others their part."""
    return sees_all_items(user) or leads_items(user) or user.is_body


def can_draft_letter(user) -> bool:
    return user.has_role(OFFICER, OFFICE_HEAD)


def can_issue_letter(letter, user) -> bool:
    """The office's head; what the rules issue by themselves has no issuer."""
    return user.has_role(OFFICE_HEAD)


def can_drop_letter(letter, user) -> bool:
    return user.has_role(OFFICER, OFFICE_HEAD)


def can_void_letter(letter, user) -> bool:
    return user.has_role(OFFICE_HEAD)


def can_answer_letter(letter, user) -> bool:
    """Sign for a letter and reply to it: the body it is addressed to."""
    return (
        user.organization_id is not None
        and user.organization_id == letter.organization_id
        and user.has_role(LIAISON, BODY_HEAD)
    )


def sees_letter_templates(user) -> bool:
    return user.has_role(OFFICER, OFFICE_HEAD)


def can_edit_templates(user) -> bool:
    return user.has_role(OFFICE_HEAD)


# Public editions


def can_propose_release(release, user) -> bool:
    return user.has_role(PUBLISHER)


def can_review_release(release, user) -> bool:
    """A reviewer who had no other hand in this round: not the author, no earlier reviewer."""
    return user.has_role(REVIEWER) and not is_person(user, *release.signed_by())


def can_send_back_release(release, user) -> bool:
    """Any reviewer but the author, also one who has approved and saw the fault later."""
    return user.has_role(REVIEWER) and not is_person(
        user, release.author_id, release.author_deputy_id
    )


def can_publish_release(release, user) -> bool:
    return user.has_role(PUBLISHER, OFFICE_HEAD)


def can_withdraw_release(release, user) -> bool:
    """Any one reviewer or the office's head, at once."""
    return user.has_role(REVIEWER, OFFICE_HEAD)


# The holiday calendar


def sees_calendar(user) -> bool:
    return user.has_role(OFFICER, OFFICE_HEAD, ADMINISTRATOR)


def can_load_calendar(user) -> bool:
    return user.has_role(OFFICER, OFFICE_HEAD, ADMINISTRATOR)


def can_confirm_calendar(notice, user) -> bool:
    """Two persons: never the one who loaded it."""
    return user.has_role(OFFICE_HEAD, ADMINISTRATOR) and notice.loaded_by_id != user.pk


def can_drop_calendar(notice, user) -> bool:
    return can_load_calendar(user)
