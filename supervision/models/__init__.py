"""The models of the heart, in the order they depend on each other."""

from supervision.models.assignments import Assignment, BodyChange, DateChange, Hold, Milestone
from supervision.models.documents import Clause, PolicyDocument, Target
from supervision.models.events import Event, EventKind
from supervision.models.followers import FollowedTopic, Follower, FollowerMail
from supervision.models.handovers import CalendarToken, Handover
from supervision.models.items import Outcome, Party, Responsibility, SupervisionItem
from supervision.models.kept_lights import KeptLight
from supervision.models.letters import URGING_KINDS, Letter, LetterKind, LetterTemplate
from supervision.models.organizations import (
    Contact,
    Delegation,
    Organization,
    OrganizationAlias,
    Role,
    Section,
    Succession,
    SuccessionLink,
    User,
)
from supervision.models.releases import (
    PublicItem,
    Release,
    ReleaseStep,
    public_set_key,
    slug_of,
)
from supervision.models.reports import (
    Attachment,
    Cause,
    ProgressReport,
    ReportFigure,
    ReportPeriod,
    ReportVersion,
    SendBackReason,
)
from supervision.models.requests import ExtensionRequest, HelpRequest, Objection
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
    ReturnCheck,
    StartLevel,
    TimeLimit,
)
from supervision.models.workbooks import (
    Criterion,
    ExportRun,
    HeadingMapping,
    MeetingPack,
    MeetingPackFile,
    ReturnEdit,
    ReturnWorkbook,
)

__all__ = [
    "URGING_KINDS",
    "Assignment",
    "Attachment",
    "BodyChange",
    "CalendarDay",
    "CalendarNotice",
    "CalendarToken",
    "CalendarYear",
    "Cause",
    "Clause",
    "Contact",
    "Criterion",
    "DateChange",
    "DayUnit",
    "Delegation",
    "Demonstration",
    "EscalationLevel",
    "Event",
    "EventKind",
    "ExportRun",
    "ExtensionRequest",
    "FollowedTopic",
    "Follower",
    "FollowerMail",
    "Handover",
    "HeadingMapping",
    "HelpRequest",
    "Hold",
    "KeptLight",
    "Letter",
    "LetterKind",
    "LetterTemplate",
    "LightSchemeRow",
    "MeetingPack",
    "MeetingPackFile",
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
    "ReleaseStep",
    "ReportFigure",
    "ReportPeriod",
    "ReportVersion",
    "Responsibility",
    "ReturnCheck",
    "ReturnEdit",
    "ReturnWorkbook",
    "Role",
    "SavedView",
    "SearchEntry",
    "SearchKind",
    "Section",
    "SendBackReason",
    "StartLevel",
    "Succession",
    "SuccessionLink",
    "SupervisionItem",
    "Target",
    "TimeLimit",
    "User",
    "public_set_key",
    "slug_of",
]
