"""Imports point one way, time is passed in, states are written by services only."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("supervision", "notifications", "tasks", "cms")
# package: packages it may import from
ALLOWED = {
    "supervision": {"supervision"},
    "notifications": {"notifications", "supervision"},
    "tasks": {"tasks", "notifications", "supervision"},
    "cms": {"cms", "supervision"},
}


def python_files(*folders: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", python_files(*PACKAGES), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path):
    package = path.relative_to(ROOT).parts[0]
    is_config = "config" in path.relative_to(ROOT).parts
    wrong = {
        name
        for name in imports_of(path)
        if name.split(".")[0] in PACKAGES
        and name.split(".")[0] not in ALLOWED[package]
        and not is_config
    }

    assert not wrong


@pytest.mark.parametrize("path", python_files(*PACKAGES), ids=lambda p: str(p.relative_to(ROOT)))
def test_only_django_imports_the_configuration(path):
    if "config" in path.relative_to(ROOT).parts:
        return

    assert not {name for name in imports_of(path) if name.startswith("supervision.config")}


@pytest.mark.parametrize(
    "path", python_files("supervision/models", "supervision/rules"), ids=lambda p: p.name
)
def test_models_and_rules_know_no_view_and_no_service(path):
    rooms = ("supervision.views", "supervision.services", "supervision.forms")

    assert not {name for name in imports_of(path) if name.startswith(rooms)}


FORBIDDEN_CLOCKS = re.compile(
    r"date\.today\(\)|datetime\.now\(|utcnow\(|timezone\.now\(\)\.date\(\)|now\(\)\.date\(\)"
)


@pytest.mark.parametrize("path", python_files(*PACKAGES), ids=lambda p: str(p.relative_to(ROOT)))
def test_today_is_the_local_day(path):
    assert not FORBIDDEN_CLOCKS.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path",
    python_files("supervision/services", "supervision/rules", "supervision/models"),
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_services_and_rules_are_told_the_time(path):
    assert "timezone.now()" not in path.read_text(encoding="utf-8")


STATE_WRITES = re.compile(r"\.update\([^)]*\bstatus=|bulk_update\([^)]*status|\.status\s*=[^=]")


@pytest.mark.parametrize("path", python_files(*PACKAGES), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_state_of_the_heart_is_written_around_its_machine(path):
    # Deliveries are no state machine of the heart: they are claimed by UPDATE … WHERE status.
    if path.relative_to(ROOT).parts[0] in {"notifications", "tasks"}:
        return

    assert not STATE_WRITES.search(path.read_text(encoding="utf-8"))


# A row is loaded through `visible_to`; its children by the row itself or by rows so loaded.
RAW_OBJECTS = re.compile(
    r"(?<!Prefetch\(\"attachments\", )\b(SupervisionItem|Assignment|Milestone|ReportPeriod|"
    r"ProgressReport|ExtensionRequest|Objection|Attachment|Event)\.objects\."
    r"(?!visible_to|filter\((period__assignment|assignment|period|item|pk)(__in)?=)"
)


@pytest.mark.parametrize(
    "path",
    python_files("supervision/views", "supervision/forms"),
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_views_reach_rows_through_visible_to_only(path):
    text = re.sub(r"\(\s+", "(", path.read_text(encoding="utf-8"))
    text = text.replace('"attachments",\n                Attachment', '"attachments", Attachment')

    assert not RAW_OBJECTS.findall(text)


def test_the_public_site_reads_released_rows_only():
    # The key is made of the moments and counts of released rows.
    readable = {"PublicItem", "Release", "Role", "public_set_key"}
    prefix = "supervision.models."
    used = {
        name.removeprefix(prefix)
        for path in python_files("cms")
        for name in imports_of(path)
        if name.startswith(prefix)
    }

    assert used <= readable
