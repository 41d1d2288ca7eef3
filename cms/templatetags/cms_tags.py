"""Sentences and drawings of the public pages, all from released facts."""

from datetime import date
from urllib.parse import urlencode

from django import template
from django.template.loader import render_to_string
from django.utils.dateparse import parse_date
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from cms import follow
from cms.entries import CAUSES, KINDS, STATUSES, Entry, Goal, Snapshot
from cms.filters import CHOICES, LEGENDS, Chip, Section
from cms.history import Edition
from cms.open_data import TABLES
from cms.qr import qr_svg
from supervision.charts import MilestonePoint, Segment, milestone_line, stacked_bar, target_bar

register = template.Library()


@register.filter
def by_kind(snapshot: Snapshot) -> list[dict]:
    """The items in the parts of the document, each with its bar and counts."""
    groups = []
    for kind, word in KINDS.items():
        entries = [entry for entry in snapshot.entries if entry.kind == kind]
        if entries:
            counts = snapshot.counts(entries)
            segments = [
                Segment(str(row["word"]), row["count"], row["light"])
                for row in counts
                if row["count"]
            ]
            groups.append(
                {
                    "word": word,
                    "entries": entries,
                    "counts": counts,
                    "bar": stacked_bar(segments, title=str(word)),
                }
            )
    return groups


@register.filter
def first_n(rows, n) -> list:
    return list(rows)[: int(n or 5)]


@register.simple_tag
def county_query(name: str) -> str:
    return urlencode({"county": name})


@register.simple_tag
def search_query(words: str, sort: str) -> str:
    return urlencode({"q": words, "sort": sort} if sort else {"q": words})


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.simple_tag
def data_tables() -> list:
    return list(TABLES.values())


@register.simple_tag
def group_switches() -> list[Chip]:
    """The ways to group the list, from the landing page."""
    return [
        Chip(str(LEGENDS[name]), "/progress/" + (f"?by={name}" if name != "kind" else ""), False)
        for name in CHOICES
    ]


@register.simple_tag
def status_chips(snapshot: Snapshot) -> list[Chip]:
    """One chip for each state that has an item."""
    return [
        Chip(str(row["word"]), f"/progress/?status={row['code']}", False, row["count"])
        for row in snapshot.counts()
        if row["count"]
    ]


@register.simple_tag
def section_bar(section: Section) -> str:
    """The states of a section in one bar."""
    counts = Snapshot(entries=section.entries).counts()
    return stacked_bar(
        [Segment(str(row["word"]), row["count"], row["light"]) for row in counts if row["count"]],
        title=section.word,
    )


@register.simple_tag
def edition_title(edition: Edition) -> str:
    return _("Edition {key}").format(key=edition.key)


@register.simple_tag(takes_context=True)
def disclosure_rows(context, entry: Entry) -> list[tuple[str, str]]:
    """The rows every disclosed document carries, in the customary order."""
    released = localdate(entry.first_released_at)
    code = getattr(context.get("footer"), "site_code", "")
    index = f"{released.year}-{entry.number:05d}"
    return [
        (_("Index number"), f"{code}/{index}" if code else index),
        (_("Class of theme"), entry.theme),
        (_("Issued by"), entry.document["issuing_body"]),
        (_("Issued on"), entry.document["issued_date"]),
        (_("Title"), entry.document["title"]),
        (_("Document number"), entry.document["doc_number"]),
        (_("Made public on"), released.isoformat()),
        (_("Key words"), "、".join(dict.fromkeys(filter(None, (entry.theme, entry.lead))))),
        (_("Validity"), _("in force")),
        (_("Form of disclosure"), _("disclosed on the agency's own initiative")),
    ]


@register.simple_tag
def summary_sentence(snapshot: Snapshot) -> str:
    """The one sentence with date and numbers."""
    found = {row["code"]: row["count"] for row in snapshot.counts()}
    parts = [
        _("{word} {count}").format(word=word, count=found[code])
        for code, (word, _light) in STATUSES.items()
        if found[code]
    ]
    return _(
        "As of {date}: {total} items in all; {parts}. {changes} changes since the edition before."
    ).format(
        date=snapshot.as_of_date.isoformat(),
        total=len(snapshot.entries),
        parts=_(", ").join(parts),
        changes=len(snapshot.changes),
    )


@register.simple_tag
def item_sentence(entry: Entry, snapshot: Snapshot) -> str:
    """Where one item stands, in one sentence."""
    words = {"as_of": snapshot.as_of_date.isoformat(), "lead": entry.lead}
    if entry.status == "done":
        return _("Completed on {date} under the lead of {lead}.").format(
            date=entry.completed, **words
        )
    if entry.status == "done_late":
        return _("Completed on {date}, {days} days late, under the lead of {lead}.").format(
            date=entry.completed, days=entry.days_late, **words
        )
    if entry.status == "overdue":
        return _("On {as_of} it was {days} days past its due date; {lead} leads.").format(
            days=(snapshot.as_of_date - entry.due).days, **words
        )
    if entry.percent is not None:
        return _("On {as_of} {percent} of the planned work was done; {lead} leads.").format(
            percent=entry.percent.removesuffix(".0") + "%", **words
        )
    return _("As of {as_of}; {lead} leads.").format(**words)


@register.simple_tag
def date_move(move: dict) -> str:
    return _(
        "{changed_date}: from {old_date} to {new_date}, {working_days} working days. {reason}."
    ).format(
        reason=CAUSES[move["cause"]],
        **{name: move[name] for name in ("changed_date", "old_date", "new_date", "working_days")},
    )


@register.simple_tag
def goal_bar(goal: Goal) -> str:
    """A bar of value against goal; nothing while there is no figure or nothing to divide by."""
    if goal.value is None or goal.goal is None or float(goal.goal) <= 0:
        return ""
    return target_bar(float(goal.value), float(goal.goal), title=goal.name, unit=goal.unit)


@register.simple_tag
def milestone_chart(entry: Entry, snapshot: Snapshot) -> str:
    """Planned against reached dates on one axis."""
    today = snapshot.as_of_date
    points = [
        MilestonePoint(
            label=step["title"],
            planned_date=parse_date(step["planned_date"]),
            actual_date=parse_date(step["actual_date"] or ""),
            original_date=parse_date(step["original_date"] or ""),
            code=_step_light(step, today),
        )
        for step in entry.milestones
    ]
    return milestone_line(points, title=_("Milestones"), today=today)


def _step_light(step: dict, today: date) -> str:
    if step["actual_date"]:
        return "done_late" if step["actual_date"] > step["planned_date"] else "done"
    return "red" if step["planned_date"] < today.isoformat() else "grey"


@register.simple_tag
def step_difference(step: dict, snapshot: Snapshot) -> str:
    """Days between plan and reality; a missed date stays visible."""
    planned = parse_date(step["planned_date"])
    if step["actual_date"]:
        days = (parse_date(step["actual_date"]) - planned).days
        if days > 0:
            return _("{days} days late").format(days=days)
        return _("on time") if days == 0 else _("{days} days early").format(days=-days)
    days = (snapshot.as_of_date - planned).days
    return _("missed by {days} days so far").format(days=days) if days > 0 else ""


@register.simple_tag
def county_light(county: dict) -> str:
    word, light = STATUSES[county["status"]]
    return render_to_string("components/light.html", {"code": light, "text": word, "mark": ""})


@register.simple_tag
def public_crumbs(*parts: str) -> list[dict]:
    """Home, then (label, address) pairs, then the page itself."""
    crumbs = [{"label": _("Home"), "url": "/"}]
    *pairs, last = parts
    for label, url in zip(pairs[::2], pairs[1::2], strict=True):
        crumbs.append({"label": label, "url": url})
    return [*crumbs, {"label": last, "url": ""}]


@register.simple_tag
def follow_address(kind: str, key: str = "") -> str:
    """Where to have changes sent by mail; empty while that is off."""
    return follow.follow_address(kind, key)


@register.simple_tag(takes_context=True)
def page_qr(context) -> str:
    """The code of this page's one address, for a phone held before a screen or a poster."""
    return qr_svg(str(context["canonical_url"]))
