"""Blocks an editor may place: words are typed, figures come from the released edition."""

from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from cms import snapshot


class SnapshotBlock(blocks.StructBlock):
    """A block that shows released figures under a heading the editor may change."""

    heading = blocks.CharBlock(required=False, max_length=60, label=_("Heading"))

    def get_context(self, value, parent_context=None):
        context = super().get_context(value, parent_context=parent_context)
        if "snapshot" not in context:
            context["snapshot"] = snapshot.current()
        context["statuses"] = list(snapshot.STATUSES.values())
        return context


class StatusStripBlock(SnapshotBlock):
    class Meta:
        icon = "tasks"
        label = _("Status in one bar")
        template = "cms/blocks/status_strip.html"


class ChangesBlock(SnapshotBlock):
    limit = blocks.IntegerBlock(default=5, min_value=1, max_value=50, label=_("How many"))

    class Meta:
        icon = "history"
        label = _("Changes since the last edition")
        template = "cms/blocks/changes.html"


class BoardBlock(SnapshotBlock):
    class Meta:
        icon = "list-ul"
        label = _("Progress board")
        template = "cms/blocks/board.html"


class CountiesBlock(SnapshotBlock):
    class Meta:
        icon = "table"
        label = _("Table of counties")
        template = "cms/blocks/counties.html"


class GoalsBlock(SnapshotBlock):
    class Meta:
        icon = "success"
        label = _("Numeric goals")
        template = "cms/blocks/goals.html"


class GoalChartsBlock(SnapshotBlock):
    class Meta:
        icon = "order-up"
        label = _("Charts of the numeric goals")
        template = "cms/blocks/goal_charts.html"


class DocumentsBlock(SnapshotBlock):
    class Meta:
        icon = "doc-full"
        label = _("Documents the items come from")
        template = "cms/blocks/documents.html"


class NoticeBlock(blocks.StructBlock):
    title = blocks.CharBlock(max_length=60, label=_("Heading"))
    text = blocks.RichTextBlock(features=["bold", "ol", "ul", "link"], label=_("Text"))

    class Meta:
        icon = "warning"
        label = _("Notice")
        template = "cms/blocks/notice.html"


WORDS = [
    ("heading", blocks.CharBlock(form_classname="title", label=_("Heading"), icon="title")),
    (
        "text",
        blocks.RichTextBlock(
            features=["h3", "bold", "ol", "ul", "link", "document-link"], label=_("Text")
        ),
    ),
    ("notice", NoticeBlock()),
]
FIGURES = [
    ("status_strip", StatusStripBlock()),
    ("changes", ChangesBlock()),
    ("board", BoardBlock()),
    ("counties", CountiesBlock()),
    ("goals", GoalsBlock()),
    ("goal_charts", GoalChartsBlock()),
    ("documents", DocumentsBlock()),
]
