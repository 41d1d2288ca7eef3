"""A policy document as data: reads the YAML, names every problem by line, returns frozen facts.

Nothing here touches the database; `load_policy` writes what this module returns. The shape of the
file is `supervision/data/policy.schema.json`; what a schema cannot say is checked below.
"""

import functools
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

SCHEMA_PATH = Path(__file__).resolve().parent.parent / "data" / "policy.schema.json"
MAX_BYTES = 2_000_000
MAX_DEPTH = 20

PathKey = tuple[str | int, ...]

VAGUE_ENDINGS = ("等", "等部门", "等单位")
VAGUE_WORDS = ("有关", "相关", "各部门", "各单位", "各县市区", "各县（市", "各县区", "其他")


class Unresolved(StrEnum):
    """Why a named body has no organization: a collective word, or a name nobody knows."""

    NONE = ""
    COLLECTIVE = "collective"
    UNKNOWN = "unknown"


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with the file. `line` counts from 1, list places in `path` too."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return _("Line %(line)s: %(message)s") % {"line": self.line, "message": self.message}


class PolicyFileError(ValueError):
    """The file cannot be used; `problems` holds all of them in the order of their lines."""

    def __init__(self, problems: list[Problem], *, filename: str = "") -> None:
        self.problems = sorted(set(problems))
        self.filename = filename
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True)
class RegionData:
    code: str
    name: str


@dataclass(frozen=True)
class ContactData:
    name: str
    post: str
    phone: str
    email: str


@dataclass(frozen=True)
class OrganizationData:
    """`position` is the official order within its kind; empty dates mean no limit."""

    code: str
    kind: str
    position: int
    short_name: str
    full_name: str
    aliases: tuple[str, ...]
    valid_from: date | None
    valid_to: date | None
    contacts: tuple[ContactData, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that stands for this organization in a document."""
        return (self.short_name, self.full_name, *self.aliases)


@dataclass(frozen=True)
class CollectiveData:
    """A word that stands for several organizations, given by their codes in official order."""

    name: str
    aliases: tuple[str, ...]
    organization_codes: tuple[str, ...]


@dataclass(frozen=True)
class DocumentData:
    doc_number: str
    title: str
    issuing_body: str
    issued_date: date
    horizon_date: date
    addressees: tuple[str, ...]


@dataclass(frozen=True)
class ChapterData:
    number: str
    title: str


@dataclass(frozen=True)
class PartyData:
    """One organization's place in a clause; a collective gives one party for each member.

    `name` is the word of the document, `position` its order in the clause counted from 1. A party
    that `is_unresolved` has no organization and must block dispatch until a person decides.
    """

    name: str
    organization_code: str | None
    role: str
    position: int
    is_collective: bool = False
    is_unresolved: bool = False
    reason: Unresolved = Unresolved.NONE


@dataclass(frozen=True)
class ClauseData:
    """`bodies` are the names exactly as printed, `parties` what they stand for.

    `due_date` is empty only for an ongoing clause. `figures_without_goal` are numbers in the text
    that set no target (a threshold, a range); only the check against the text reads them.
    """

    number: str
    chapter: str
    kind: str
    position: int
    title: str
    theme: str
    summary: str
    bodies: tuple[str, ...]
    parties: tuple[PartyData, ...]
    due_date: date | None
    is_ongoing: bool
    is_key: bool
    cycle: str
    urgency: str
    figures_without_goal: tuple[str, ...]

    @property
    def lead(self) -> PartyData | None:
        """The lead, or None when the clause opens with a collective word."""
        return next((party for party in self.parties if party.role == "lead"), None)


@dataclass(frozen=True)
class TargetData:
    """A goal. It belongs to a chapter of goals or to a clause; `group` is the title of that one.

    `value` is empty only when the goal is the provincial average; full coverage is 100 %.
    """

    code: str
    chapter: str | None
    clause: str | None
    group: str
    position: int
    name: str
    value: Decimal | None
    unit: str
    comparison: str
    due_date: date
    scope: str
    definition: str


@dataclass(frozen=True)
class PolicyFile:
    """One checked file. `content_hash` ignores comments, layout and the name of the file."""

    filename: str
    region: RegionData
    office_code: str
    document: DocumentData
    organizations: tuple[OrganizationData, ...]
    collectives: tuple[CollectiveData, ...]
    chapters: tuple[ChapterData, ...]
    clauses: tuple[ClauseData, ...]
    targets: tuple[TargetData, ...]
    content_hash: str = ""

    @property
    def unresolved(self) -> tuple[tuple[str, PartyData], ...]:
        """(clause number, party) for every body that a person still has to decide."""
        return tuple(
            (clause.number, party)
            for clause in self.clauses
            for party in clause.parties
            if party.is_unresolved
        )


def parse_policy_bytes(content: bytes, *, filename: str) -> PolicyFile:
    """Like `parse_policy`, from the bytes of the file, which must be UTF-8."""
    if len(content) > MAX_BYTES:
        message = _("The file is larger than %(size)s bytes.") % {"size": MAX_BYTES}
        raise PolicyFileError([Problem(1, "", message)], filename=filename)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = _("The file is not UTF-8 text. Save it as UTF-8 and try again.")
        raise PolicyFileError([Problem(line, "", message)], filename=filename) from error
    return parse_policy(text, filename=filename)


def parse_policy(text: str, *, filename: str) -> PolicyFile:
    """Read and check the whole file.

    Raises PolicyFileError with every problem found. A body that no organization or collective
    answers to is not a problem of the file: it comes back as an unresolved party.
    """
    tree = _Tree(text)
    problems = list(tree.problems)
    if tree.is_readable:
        problems += _schema_problems(tree)
        reader = _Reader(tree)
        policy = reader.read(filename=filename, build=not problems)
        problems += reader.problems
        if not problems and policy is not None:
            return policy
    raise PolicyFileError(problems, filename=filename)


def is_vague(name: str) -> bool:
    """Whether a name is a collective word such as 有关部门, or trails off with 等."""
    return name.endswith(VAGUE_ENDINGS) or any(word in name for word in VAGUE_WORDS)


class _Tree:
    """The YAML as plain values, with the line of every one.

    Nodes are composed, never constructed, so a file can create no object. Scalars stay text except
    true, false, null and whole numbers: 1.10 keeps its digits and a wrong date keeps its letters.
    """

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        self.lines: dict[PathKey, int] = {}
        self.value: Any = None
        self.is_readable = False
        self._seen: set[int] = set()
        if len(text) > MAX_BYTES:
            self._add(1, (), _("The file is larger than %(size)s bytes.") % {"size": MAX_BYTES})
            return
        for number, line in enumerate(text.split("\n"), start=1):
            if "\t" in line:
                self._add(number, (), _("Tab character. Use spaces instead."))
        node = self._compose(text)
        if node is not None:
            self.value = self._plain(node, ())
            self.is_readable = True

    def line(self, path: PathKey) -> int:
        """The line of a value, or of the nearest thing that holds it."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)

    def _add(self, line: int, path: PathKey, message: str) -> None:
        self.problems.append(Problem(line, path_text(path), message))

    def _compose(self, text: str) -> yaml.Node | None:
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            self._add(line, (), _("A character that text may not contain."))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            column = mark.column + 1 if mark else 1
            if "\t" not in text.split("\n")[min(line, text.count("\n") + 1) - 1]:
                self._add(line, (), _syntax_message(error, column))
        except RecursionError:
            self._add(1, (), _("The file is nested too deeply."))
        else:
            if node is None:
                self._add(1, (), _("The file is empty."))
            return node
        return None

    def _plain(self, node: yaml.Node, path: PathKey) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if id(node) in self._seen:
            self._add(line, path, _("Anchors and references (& and *) are not allowed."))
            return None
        self._seen.add(id(node))
        if len(path) > MAX_DEPTH:
            self._add(line, path, _("The file is nested too deeply."))
            return None
        if node.tag.startswith("tag:yaml.org,2002:python") or node.tag.startswith("!"):
            self._add(line, path, _("Tags (!) are not allowed."))
            return None
        if isinstance(node, yaml.MappingNode):
            return self._plain_mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(child, (*path, place)) for place, child in enumerate(node.value)]
        return _scalar(node)

    def _plain_mapping(self, node: yaml.MappingNode, path: PathKey) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._add(line, path, _("A key must be a plain word."))
                continue
            key = key_node.value
            here = (*path, key)
            if key in values:
                message = _("“%(key)s” is given twice; the first is on line %(first)s.")
                self._add(line, here, message % {"key": key, "first": self.lines[here]})
                continue
            self.lines[here] = line
            values[key] = self._plain(value_node, here)
        return values


def _syntax_message(error: yaml.MarkedYAMLError, column: int) -> str:
    """What the reader stumbled over, without the library's English."""
    problem = error.problem or ""
    if "but found another document" in problem:
        return _("The file holds more than one document (---). Keep one.")
    if "undefined alias" in problem or "duplicate anchor" in (error.context or ""):
        return _("Anchors and references (& and *) are not allowed.")
    return _(
        "Not readable as YAML near column %(column)s: check indentation, colons, "
        "brackets and quotation marks here and on the line before."
    ) % {"column": column}


def _scalar(node: yaml.ScalarNode) -> Any:
    text = node.value
    if node.style in ("'", '"', "|", ">"):
        return text.strip()
    lowered = text.lower()
    if lowered in ("", "~", "null"):
        return None
    if lowered in ("true", "false"):
        return lowered == "true"
    digits = text.removeprefix("-")
    is_plain_number = digits.isascii() and digits.isdigit() and len(digits) <= 15
    if is_plain_number and (digits == "0" or not digits.startswith("0")):
        return int(text)
    return text


def path_text(path: PathKey) -> str:
    """`("clauses", 0, "bodies")` as `clauses[1].bodies`: places in a list count from 1."""
    parts = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".")


def _as_date(value: Any) -> date | None:
    """The date, or None for anything but a real day written YYYY-MM-DD."""
    if not isinstance(value, str) or len(value) != 10:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if day.isoformat() == value else None


@functools.cache
def _validator() -> Draft202012Validator:
    formats = FormatChecker(formats=())
    formats.checks("date")(lambda value: not isinstance(value, str) or bool(_as_date(value)))
    schema = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    return Draft202012Validator(schema, format_checker=formats)


def _schema_problems(tree: _Tree) -> Iterator[Problem]:
    for error in _validator().iter_errors(tree.value):
        path: PathKey = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            for key in error.instance:
                if key not in known:
                    message = _("Unknown field “%(field)s”.") % {"field": key}
                    yield Problem(tree.line((*path, key)), path_text((*path, key)), message)
        elif error.validator == "required":
            # One error for each missing field: which one is only said in the English message.
            missing = [field for field in error.validator_value if f"'{field}'" in error.message]
            for field in missing:
                message = _("Field “%(field)s” is missing.") % {"field": field}
                yield Problem(tree.line(path), path_text((*path, field)), message)
        else:
            yield Problem(tree.line(path), path_text(path), _schema_message(error))


def _schema_message(error: ValidationError) -> str:
    wanted, value = error.validator_value, error.instance
    field = next((str(part) for part in reversed(error.absolute_path) if isinstance(part, str)), "")
    shown = {"field": field, "value": _shown(value), "limit": wanted}
    match error.validator:
        case "type" if value is None:
            return _("Field “%(field)s” is empty.") % shown
        case "type" if wanted == "string" and isinstance(value, int | bool):
            return _("“%(value)s” in “%(field)s” must be text: put it in quotation marks.") % shown
        case "type" if wanted == "integer":
            return _("“%(value)s” in “%(field)s” is not a whole number.") % shown
        case "type" if wanted == "boolean":
            return _("“%(value)s” in “%(field)s” is neither true nor false.") % shown
        case "type" if wanted == "array":
            return _("Field “%(field)s” must be a list.") % shown
        case "type" if wanted == "object" and not field:
            return _("The file must begin with fields such as “document:”.")
        case "type" if wanted == "object":
            return _("An entry of “%(field)s” must be fields of the form “name: value”.") % shown
        case "enum":
            shown["choices"] = ", ".join(str(choice) for choice in wanted)
            return _("“%(value)s” in “%(field)s” is not one of: %(choices)s.") % shown
        case "format":
            return (
                _(
                    "“%(value)s” in “%(field)s” is not a day of the calendar; "
                    "write it like 2017-01-04."
                )
                % shown
            )
        case "minItems" | "minLength":
            return _("Field “%(field)s” is empty.") % shown
        case "maxLength":
            return _("Field “%(field)s” is longer than %(limit)s characters.") % shown
        case "uniqueItems":
            return _("Field “%(field)s” lists the same thing twice.") % shown
        case "minimum":
            return _("“%(value)s” in “%(field)s” is below %(limit)s.") % shown
        case "maximum":
            return _("“%(value)s” in “%(field)s” is above %(limit)s.") % shown
    return _("“%(value)s” in “%(field)s” is not written as it should be.") % shown


def _shown(value: Any) -> str:
    text = "…" if isinstance(value, dict | list) else str(value)
    return text if len(text) <= 40 else text[:40] + "…"


class _Reader:
    """Checks what the schema cannot say, on whatever part of the file is usable, and builds."""

    def __init__(self, tree: _Tree) -> None:
        self.tree = tree
        self.problems: list[Problem] = []
        self.root: dict[str, Any] = tree.value if isinstance(tree.value, dict) else {}
        self.organizations = self._rows("organizations")
        self.codes: dict[str, dict[str, Any]] = {}
        self.names: dict[str, tuple[str, ...]] = {}
        self.collective_names: set[str] = set()
        self.issued: date | None = None
        self.horizon: date | None = None

    def read(self, *, filename: str, build: bool) -> PolicyFile | None:
        """Check everything; build the result only when `build` and nothing was found."""
        self._check_document()
        self._check_organizations()
        self._check_collectives()
        self._check_office()
        chapters = self._check_unique("chapters", "number")
        clauses = self._check_unique("clauses", "number")
        parties = [self._parties(path, row) for path, row in self._rows("clauses")]
        for path, row in self._rows("clauses"):
            self._check_clause(path, row, chapters)
        self._check_unique("targets", "code")
        for path, row in self._rows("targets"):
            self._check_target(path, row, chapters, clauses)
        if self.problems or not build:
            return None
        return self._build(filename, parties)

    def _rows(self, key: str) -> list[tuple[PathKey, dict[str, Any]]]:
        rows = self.root.get(key)
        if not isinstance(rows, list):
            return []
        return [((key, place), row) for place, row in enumerate(rows) if isinstance(row, dict)]

    def _add(self, path: PathKey, message: str) -> None:
        self.problems.append(Problem(self.tree.line(path), path_text(path), message))

    def _check_document(self) -> None:
        document = self.root.get("document")
        if not isinstance(document, dict):
            return
        self.issued = _as_date(document.get("issued_date"))
        self.horizon = _as_date(document.get("horizon_date"))
        if self.issued and self.horizon and self.horizon < self.issued:
            message = _("The horizon %(horizon)s lies before the date of issue %(issued)s.")
            values = {"horizon": self.horizon, "issued": self.issued}
            self._add(("document", "horizon_date"), message % values)

    def _check_organizations(self) -> None:
        self._check_unique("organizations", "code")
        places: dict[tuple[str, int], int] = {}
        for path, row in self.organizations:
            code = row.get("code")
            if isinstance(code, str):
                self.codes.setdefault(code, row)
                for key in ("short_name", "full_name"):
                    self._claim((*path, key), row.get(key), (code,), path)
                for place, alias in enumerate(_texts(row.get("aliases"))):
                    self._claim((*path, "aliases", place), alias, (code,), path)
            kind, position = row.get("kind"), row.get("position")
            if isinstance(kind, str) and type(position) is int:
                first = places.get((kind, position))
                if first is not None:
                    message = _("Position %(position)s of this kind is already on line %(first)s.")
                    self._add((*path, "position"), message % {"position": position, "first": first})
                places.setdefault((kind, position), self.tree.line((*path, "position")))
            start, end = _as_date(row.get("valid_from")), _as_date(row.get("valid_to"))
            if start and end and end < start:
                self._add((*path, "valid_to"), _("“valid_to” lies before “valid_from”."))

    def _claim(self, at: PathKey, name: Any, codes: tuple[str, ...], owner: PathKey) -> None:
        """Let a name stand for these codes; two owners of one name are a problem."""
        if not isinstance(name, str) or not name:
            return
        if self.names.get(name, codes) != codes or name in self.collective_names:
            message = _("The name “%(name)s” already stands for another organization.")
            self._add(at, message % {"name": name})
            return
        self.names[name] = codes

    def _check_collectives(self) -> None:
        for path, row in self._rows("collectives"):
            kinds, codes = _texts(row.get("kinds")), _texts(row.get("organizations"))
            if not kinds and not codes:
                self._add(path, _("A collective needs “kinds” or “organizations”."))
            for place, code in enumerate(codes):
                if code not in self.codes:
                    message = _("No organization has the code “%(code)s”.") % {"code": code}
                    self._add((*path, "organizations", place), message)
            members = self._members(row)
            if kinds and not members:
                self._add((*path, "kinds"), _("No organization is of this kind."))
            names = [((*path, "name"), row.get("name"))]
            names += [
                ((*path, "aliases", place), alias)
                for place, alias in enumerate(_texts(row.get("aliases")))
            ]
            for at, name in names:
                if not isinstance(name, str) or not name:
                    continue
                if name in self.names:
                    message = _("The name “%(name)s” already stands for another organization.")
                    self._add(at, message % {"name": name})
                    continue
                self.names[name] = members
                self.collective_names.add(name)

    def _members(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Codes of a collective: whole kinds in official order, then single organizations."""
        members: list[str] = []
        for kind in _texts(row.get("kinds")):
            rows = [(code, org) for code, org in self.codes.items() if org.get("kind") == kind]
            rows.sort(key=lambda pair: pair[1]["position"] if _is_int(pair[1], "position") else 0)
            members += [code for code, _org in rows]
        members += [code for code in _texts(row.get("organizations")) if code in self.codes]
        return tuple(dict.fromkeys(members))

    def _check_office(self) -> None:
        office = self.root.get("office")
        if not isinstance(office, str) or not office:
            return
        codes = self.names.get(office, ())
        if len(codes) != 1 or self.codes.get(codes[0], {}).get("kind") != "office":
            message = _("“%(name)s” is not the name of an organization of kind “office”.")
            self._add(("office",), message % {"name": office})

    def _check_unique(self, key: str, field: str) -> dict[str, dict[str, Any]]:
        """Rows by their field; a repeated one is reported with the line of the first."""
        found: dict[str, dict[str, Any]] = {}
        lines: dict[str, int] = {}
        for path, row in self._rows(key):
            value = row.get(field)
            if not isinstance(value, str) or not value:
                continue
            line = self.tree.line((*path, field))
            if value in found:
                message = _("“%(key)s” is given twice; the first is on line %(first)s.")
                self._add((*path, field), message % {"key": value, "first": lines[value]})
                continue
            found[value], lines[value] = row, line
        return found

    def _parties(self, path: PathKey, row: dict[str, Any]) -> tuple[PartyData, ...]:
        """What the bodies stand for. The first-listed leads unless one is marked as lead."""
        bodies = row.get("bodies")
        named: list[tuple[PathKey, str, str | None]] = []
        for place, body in enumerate(bodies if isinstance(bodies, list) else []):
            name = body.get("name") if isinstance(body, dict) else body
            role = body.get("role") if isinstance(body, dict) else None
            if isinstance(name, str) and name:
                named.append(((*path, "bodies", place), name, role))
        leads = [at for at, _name, role in named if role == "lead"]
        for at in leads[1:]:
            self._add(at, _("A clause has one lead; a second one is marked here."))
        single = {
            self.names[name][0]
            for _at, name, _role in named
            if name in self.names and name not in self.collective_names
        }
        parties: list[PartyData] = []
        seen: set[str] = set()
        for position, (at, name, role) in enumerate(named, start=1):
            is_collective = name in self.collective_names
            key = name if is_collective or name not in self.names else self.names[name][0]
            if key in seen:
                self._add(at, _("“%(name)s” is named twice in this clause.") % {"name": name})
                continue
            seen.add(key)
            if is_collective:
                if role == "lead":
                    message = _("“%(name)s” is several bodies and cannot lead.")
                    self._add(at, message % {"name": name})
                for code in self.names[name]:
                    if code not in single and code not in seen:
                        seen.add(code)
                        shared = PartyData(name, code, role or self._share(code), position, True)
                        parties.append(shared)
                continue
            codes = self.names.get(name, ())
            if role is None:
                first_leads = not leads and position == 1
                role = "lead" if first_leads else self._share(codes[0] if codes else "")
            if codes:
                parties.append(PartyData(name, codes[0], role, position))
                continue
            reason = Unresolved.COLLECTIVE if is_vague(name) else Unresolved.UNKNOWN
            parties.append(PartyData(name, None, role, position, False, True, reason))
        return tuple(parties)

    def _share(self, code: str) -> str:
        kind = self.codes.get(code, {}).get("kind")
        return "county" if kind in ("county", "zone") else "support"

    def _check_clause(
        self, path: PathKey, row: dict[str, Any], chapters: dict[str, dict[str, Any]]
    ) -> None:
        self._check_reference((*path, "chapter"), row.get("chapter"), chapters)
        self._check_due((*path, "due_date"), row.get("due_date"))
        if row.get("is_ongoing") is True and row.get("due_date") is not None:
            self._add((*path, "due_date"), _("An ongoing clause has no due date."))

    def _check_reference(
        self, path: PathKey, number: Any, known: dict[str, dict[str, Any]]
    ) -> None:
        if isinstance(number, str) and number and number not in known:
            message = _("Nothing in this file has the number “%(number)s”.") % {"number": number}
            self._add(path, message)

    def _check_due(self, path: PathKey, value: Any) -> None:
        due = _as_date(value)
        if due and self.issued and self.horizon and not self.issued <= due <= self.horizon:
            message = _("%(due)s lies outside the document's time, %(issued)s to %(horizon)s.")
            values = {"due": due, "issued": self.issued, "horizon": self.horizon}
            self._add(path, message % values)

    def _check_target(
        self,
        path: PathKey,
        row: dict[str, Any],
        chapters: dict[str, dict[str, Any]],
        clauses: dict[str, dict[str, Any]],
    ) -> None:
        self._check_due((*path, "due_date"), row.get("due_date"))
        self._check_reference((*path, "chapter"), row.get("chapter"), chapters)
        self._check_reference((*path, "clause"), row.get("clause"), clauses)
        if ("chapter" in row) == ("clause" in row):
            self._add(path, _("A target names either its chapter or its clause."))
        value, unit, comparison = row.get("value"), row.get("unit"), row.get("comparison")
        number = _as_decimal(value)
        at = (*path, "value")
        if comparison == "at_provincial_average":
            if value is not None:
                self._add(at, _("The provincial average has no value of its own: write null."))
        elif comparison == "full_coverage":
            if value is None or (number is not None and (number != 100 or unit != "%")):
                self._add(at, _("Full coverage is the value 100 with the unit %."))
        elif value is None and "value" in row:
            message = _("The comparison “%(comparison)s” needs a value.")
            self._add(at, message % {"comparison": _shown(comparison)})
        elif number is not None and number <= 0:
            self._add(at, _("The value must be greater than zero."))
        elif comparison == "decrease_by" and unit == "%" and number and number > 100:
            self._add(at, _("Nothing can fall by more than 100 %."))

    def _build(self, filename: str, parties: list[tuple[PartyData, ...]]) -> PolicyFile | None:
        root, document = self.root, self.root["document"]
        if self.issued is None or self.horizon is None:
            return None
        chapters = tuple(
            ChapterData(row["number"], row["title"]) for _path, row in self._rows("chapters")
        )
        clauses = tuple(
            self._clause(row, position, found)
            for position, ((_path, row), found) in enumerate(
                zip(self._rows("clauses"), parties, strict=True), start=1
            )
        )
        groups = {row.number: row.title for row in (*chapters, *clauses)}
        policy = PolicyFile(
            filename=filename,
            region=RegionData(str(root["region"]["code"]), root["region"]["name"]),
            office_code=self.names[root["office"]][0],
            document=DocumentData(
                doc_number=document["doc_number"],
                title=document["title"],
                issuing_body=document["issuing_body"],
                issued_date=self.issued,
                horizon_date=self.horizon,
                addressees=tuple(document["addressees"]),
            ),
            organizations=tuple(_organization(row) for _path, row in self.organizations),
            collectives=tuple(
                CollectiveData(row["name"], tuple(_texts(row.get("aliases"))), self._members(row))
                for _path, row in self._rows("collectives")
            ),
            chapters=chapters,
            clauses=clauses,
            targets=tuple(
                self._target(row, position, groups)
                for position, (_path, row) in enumerate(self._rows("targets"), start=1)
            ),
        )
        return replace(policy, content_hash=_content_hash(policy))

    def _clause(
        self, row: dict[str, Any], position: int, parties: tuple[PartyData, ...]
    ) -> ClauseData:
        is_ongoing = row.get("is_ongoing", False)
        names = (body["name"] if isinstance(body, dict) else body for body in row["bodies"])
        return ClauseData(
            number=row["number"],
            chapter=row.get("chapter", ""),
            kind=row["kind"],
            position=position,
            title=row["title"],
            theme=row.get("theme", ""),
            summary=row["summary"],
            bodies=tuple(names),
            parties=parties,
            due_date=None if is_ongoing else _as_date(row.get("due_date")) or self.horizon,
            is_ongoing=is_ongoing,
            is_key=row.get("is_key", False),
            cycle=row.get("cycle", "monthly"),
            urgency=row.get("urgency", "normal"),
            figures_without_goal=tuple(row.get("figures_without_goal", ())),
        )

    def _target(self, row: dict[str, Any], position: int, groups: dict[str, str]) -> TargetData:
        chapter, clause = row.get("chapter"), row.get("clause")
        due = _as_date(row.get("due_date")) or self.horizon
        assert due is not None
        return TargetData(
            code=row["code"],
            chapter=chapter,
            clause=clause,
            group=groups[chapter or clause],
            position=position,
            name=row["name"],
            value=_as_decimal(row["value"]),
            unit=row["unit"],
            comparison=row["comparison"],
            due_date=due,
            scope=row["scope"],
            definition=row["definition"],
        )


def _organization(row: dict[str, Any]) -> OrganizationData:
    return OrganizationData(
        code=row["code"],
        kind=row["kind"],
        position=row["position"],
        short_name=row["short_name"],
        full_name=row["full_name"],
        aliases=tuple(row.get("aliases", ())),
        valid_from=_as_date(row.get("valid_from")),
        valid_to=_as_date(row.get("valid_to")),
        contacts=tuple(
            ContactData(
                name=contact["name"],
                post=contact.get("post", ""),
                phone=str(contact.get("phone", "")),
                email=contact.get("email", ""),
            )
            for contact in row.get("contacts", ())
        ),
    )


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _is_int(row: dict[str, Any], key: str) -> bool:
    return type(row.get(key)) is int


def _as_decimal(value: Any) -> Decimal | None:
    if type(value) is int:
        return Decimal(value)
    if isinstance(value, str) and value.isascii() and value.replace(".", "", 1).isdigit():
        return Decimal(value)
    return None


def _content_hash(policy: PolicyFile) -> str:
    """SHA-256 over the facts alone, so that a comment or another layout changes nothing."""
    content = asdict(policy)
    del content["filename"], content["content_hash"]
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=_hashable)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _hashable(value: Any) -> str:
    """A date as written; a number without trailing zeros, so 80 and 80.0 are the same fact."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value.isoformat()
