"""Production does not start without its secrets; what it starts with is tight."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COMPLETE = {
    "DJANGO_SETTINGS_MODULE": "supervision.config.settings.production",
    "SECRET_KEY": "a-long-key-of-the-test-only-0123456789-abcdefghijklmnopqrstuvwxyz",
    "DATABASE_URL": "postgres://duban:secret@db.example/duban",
    "EMAIL_URL": "smtp://mail.example:25",
    "SITE_URL": "https://duban.example.gov.cn",
    "ALLOWED_HOSTS": "duban.example.gov.cn",
    "DEFAULT_FROM_EMAIL": "duban@example.gov.cn",
}
# The seven elements of the public pages' footer, with domain.
FRAME = {
    "SITE_DOMAIN": "duban.example.gov.cn",
    "SITE_ID_CODE": "1311000001",
    "SITE_PARTY_MARK": "0123456789ABCDEF0123456789ABCDEF",
    "SITE_ICP": "某ICP备00000001号",
    "SITE_POLICE": "某公网安备00000000000001号",
    "SITE_ORGANIZER": "某市人民政府",
    "SITE_UNDERTAKER": "某市政府督查室",
    "SITE_CONTACT": "编辑部 0000-0000000",
}
COMPLETE |= FRAME


def start(code: str = "import django; django.setup()", **changes) -> subprocess.CompletedProcess:
    """Start Python with the complete production environment, changed; None takes a name out."""
    values = {name: value for name, value in (COMPLETE | changes).items() if value is not None}
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=keep | values,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_starts_with_everything():
    result = start()

    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", sorted(set(COMPLETE) - {"DJANGO_SETTINGS_MODULE", *FRAME}))
def test_production_refuses_to_start_without(name):
    result = start(**{name: None})

    assert result.returncode != 0
    assert name in result.stderr


@pytest.mark.parametrize("value", [None, " "])
def test_the_web_server_refuses_to_start_and_names_every_gap_of_the_footer(value):
    """One by one: tests/cms/test_modes.py."""
    result = start("import supervision.config.wsgi", **dict.fromkeys(FRAME, value))

    assert result.returncode != 0
    assert [name for name in FRAME if name not in result.stderr] == []


def test_the_web_server_refuses_to_start_with_one_gap():
    result = start("import supervision.config.wsgi", SITE_ICP=None)

    assert result.returncode != 0
    assert [name for name in FRAME if name in result.stderr] == ["SITE_ICP"]


def test_the_web_server_starts_with_a_complete_footer():
    result = start("import supervision.config.wsgi")

    assert result.returncode == 0, result.stderr


def test_production_refuses_a_short_key():
    result = start(SECRET_KEY="short")

    assert result.returncode != 0
    assert "50" in result.stderr


def test_production_refuses_any_host():
    assert start(ALLOWED_HOSTS="*").returncode != 0


def test_the_deployment_check_is_clean():
    code = (
        "from django.core.management import execute_from_command_line as run;"
        "run(['manage.py', 'check', '--deploy', '--fail-level', 'WARNING'])"
    )
    result = start(code)

    assert result.returncode == 0, result.stderr
