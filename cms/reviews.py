"""Three reviews of the editors' own pages: nobody makes a page public alone.

Same rule as for editions (public-site.md, section 6): an author and three different reviewers.
While a page is read, nobody changes it; after a change every review begins anew.
"""

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _
from wagtail.locks import WorkflowLock
from wagtail.models import AbstractGroupApprovalTask, TaskState
from wagtail.models.pages import PagePermissionTester


class ReviewLock(WorkflowLock):
    """Says in the editor's language where the page waits, and that nobody changes it meanwhile."""

    def get_message(self, user):
        if not self.for_user(user):
            return super().get_message(user)
        return _(
            "These words wait for “{review}” and cannot be changed meanwhile. Reviewers pass them "
            "or send them back from the first page; the author may cancel the reviews."
        ).format(review=self.task.name)


class PageReview(AbstractGroupApprovalTask):
    """One of the reviews. Whoever wrote, handed in or read these very words reads no further."""

    class Meta:
        verbose_name = _("review of a page")
        verbose_name_plural = _("reviews of a page")

    @classmethod
    def get_description(cls) -> str:
        return _("Read by a reviewer who has had no hand in these words yet")

    def locked_for_user(self, obj, user) -> bool:
        return True

    def user_can_lock(self, obj, user) -> bool:
        return False

    def user_can_access_editor(self, obj, user) -> bool:
        return self._user_in_groups(user)

    def get_actions(self, obj, user):
        state = obj.current_workflow_task_state
        if state is None or not open_to(user).filter(pk=state.pk).exists():
            return []
        return [
            ("reject", _("Send back with a reason"), True),
            ("approve", _("Approve"), False),
        ]

    def get_task_states_user_can_moderate(self, user, **kwargs):
        return open_to(user).filter(task=self.pk)


def open_to(user) -> QuerySet[TaskState]:
    """The reviews under way that this person may give, in one statement.

    A reviewer who neither wrote nor handed in nor read these very words.
    """
    signed = TaskState.objects.filter(
        workflow_state=OuterRef("workflow_state"),
        revision=OuterRef("revision"),
        status=TaskState.STATUS_APPROVED,
        finished_by=user.pk,
    )
    duty = PageReview.groups.through.objects.filter(
        pagereview=OuterRef("task"), group__user=user.pk
    )
    return (
        TaskState.objects.filter(Exists(duty), status=TaskState.STATUS_IN_PROGRESS)
        .exclude(workflow_state__requested_by=user.pk)
        .exclude(revision__user=user.pk)
        .exclude(Exists(signed))
    )


class ReviewedPageTester(PagePermissionTester):
    """Words become public by the reviews alone; any reviewer or publisher takes them off at once.

    Not even a superuser publishes past the reviews here.
    """

    def can_publish(self) -> bool:
        return False

    def can_publish_subpage(self) -> bool:
        return False

    def can_unpublish(self) -> bool:
        if not self.user.is_active or not self.page.live or self.page.depth <= 2:
            return False
        return self.user.has_role("publisher", "reviewer")


class ReleasedPageTester(ReviewedPageTester):
    """The page of an item comes and goes with its release: nobody removes, moves or copies it."""

    def can_unpublish(self) -> bool:
        return False

    def can_delete(self, ignore_bulk: bool = False) -> bool:
        return False

    def can_move(self) -> bool:
        return False

    def can_copy(self) -> bool:
        return False
