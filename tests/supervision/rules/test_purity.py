"""Rules are plain functions: everything, today included, comes in as an argument."""

import ast
from pathlib import Path

import pytest

import supervision.rules

MODULES = sorted(Path(supervision.rules.__file__).parent.glob("*.py"))


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_rule_knows_no_database_and_no_clock(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set(imported(tree))

    django = {name for name in names if name.split(".")[0] == "django"}
    assert not django or path.stem in {
        "reasons",
        "policy_file",
        "calendar_file",
        "letter_text",
        "public_checks",
        "secrecy_slip",
    }
    assert django <= {"django.utils.formats", "django.utils.translation"}
    own = {name for name in names if name.startswith(("supervision", "notifications", "cms"))}
    assert all(name.startswith("supervision.rules.") for name in own)
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not called & {"now", "utcnow", "localdate"}
    assert "date.today" not in ast.unparse(tree)
