"""What differs between two editions, so that a reviewer reads the changes first. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Fields that are compared as they stand, in the order in which they are shown.
PLAIN = (
    "title",
    "lead",
    "status",
    "original_due_date",
    "due_date",
    "completed_date",
    "percent",
    "progress_text",
    "summary",
    "quoted_text",
)


@dataclass(frozen=True)
class FieldChange:
    """One field: its code, what was public and what would be."""

    field: str
    old: str
    new: str


@dataclass
class ItemChange:
    """What changes for one item; `is_new` and `is_gone` speak for themselves."""

    title: str
    place: int | None = None
    is_new: bool = False
    is_gone: bool = False
    fields: list[FieldChange] = field(default_factory=list)


def edition_changes(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[ItemChange]:
    """Items that differ, in the order of the new edition; what disappears comes last.

    `place` counts from 1 in the new edition. Without an old edition everything is new.
    """
    before = {entry["key"]: entry for entry in (old or {}).get("items", ())}
    found = []
    for place, entry in enumerate(new["items"], start=1):
        was = before.pop(entry["key"], None)
        if was is None:
            found.append(ItemChange(entry["title"], place, is_new=True))
            continue
        fields = list(_field_changes(was, entry))
        if fields:
            found.append(ItemChange(entry["title"], place, fields=fields))
    found += [ItemChange(entry["title"], is_gone=True) for entry in before.values()]
    return found


def _field_changes(was: Mapping[str, Any], now: Mapping[str, Any]):
    for name in PLAIN:
        yield from _change(name, was.get(name), now.get(name))
    yield from _change("supports", "、".join(was["supports"]), "、".join(now["supports"]))
    yield from _change("milestones", _milestones(was), _milestones(now))
    yield from _change("counties", _counties(was, now), _counties(now, was))
    yield from _change("targets", _targets(was), _targets(now))
    yield from _change("hidden", _hidden(was), _hidden(now))


def _change(name: str, old: Any, new: Any):
    if (old or "") != (new or ""):
        yield FieldChange(name, str(old or ""), str(new or ""))


def _milestones(entry: Mapping[str, Any]) -> str:
    return "；".join(
        f"{step['title']} {step['planned_date']}"
        + (f" → {step['actual_date']}" if step["actual_date"] else "")
        for step in entry["milestones"]
    )


def _counties(entry: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """The counties whose state differs, as `name status`."""
    there = {county["name"]: county["status"] for county in other["counties"]}
    return "；".join(
        f"{county['name']} {county['status']}"
        for county in entry["counties"]
        if there.get(county["name"]) != county["status"]
    )


def _targets(entry: Mapping[str, Any]) -> str:
    return "；".join(
        f"{target['name']} {target['value']}{target['unit']}"
        for target in entry["targets"]
        if target["value"] is not None
    )


def _hidden(entry: Mapping[str, Any]) -> str:
    return "；".join(part["reason"] for part in entry.get("hidden", ()))
