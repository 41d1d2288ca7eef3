"""The models of the heart, in the order they depend on each other."""

from supervision.models.assignments import Assignment, BodyChange, DateChange, Hold, Milestone
from supervision.models.documents import Clause, PolicyDocument, Target
from supervision.models.events import Event, EventKind
from supervision.models.items import Outcome, Party, Responsibility, SupervisionItem
from supervision.models.kept_lights import KeptLight
from supervision.models.letters import URGING_KINDS, Letter, LetterKind, LetterTemplate
from supervision.models.organizations import (
    Contact,
    Delegation,
    Organization,
    OrganizationAlias,
    Role,
    Succession,
    SuccessionLink,
    User,
)
from supervision.models.releases import PublicItem, Release
from supervision.models.reports import (
    Attachment,
    Cause,
    ProgressReport,
    ReportFigure,
    ReportPeriod,
    ReportVersion,
    SendBackReason,
)
from supervision.models.requests import ExtensionRequest, Objection
from supervision.models.saved_views import SavedView
from supervision.models.search import SearchEntry, SearchKind
from supervision.models.settings import (
    CalendarDay,
    CalendarNotice,
    CalendarYear,
    DayUnit,
    Demonstration,
    EscalationLevel,
    LightSchemeRow,
    NumberSeries,
    StartLevel,
    TimeLimit,
)

__all__ = [
    "URGING_KINDS",
    "Assignment",
    "Attachment",
    "BodyChange",
    "CalendarDay",
    "CalendarNotice",
    "CalendarYear",
    "Cause",
    "Clause",
    "Contact",
    "DateChange",
    "DayUnit",
    "Delegation",
    "Demonstration",
    "EscalationLevel",
    "Event",
    "EventKind",
    "ExtensionRequest",
    "Hold",
    "KeptLight",
    "Letter",
    "LetterKind",
    "LetterTemplate",
    "LightSchemeRow",
    "Milestone",
    "NumberSeries",
    "Objection",
    "Organization",
    "OrganizationAlias",
    "Outcome",
    "Party",
    "PolicyDocument",
    "ProgressReport",
    "PublicItem",
    "Release",
    "ReportFigure",
    "ReportPeriod",
    "ReportVersion",
    "Responsibility",
    "Role",
    "SavedView",
    "SearchEntry",
    "SearchKind",
    "SendBackReason",
    "StartLevel",
    "Succession",
    "SuccessionLink",
    "SupervisionItem",
    "Target",
    "TimeLimit",
    "User",
]
