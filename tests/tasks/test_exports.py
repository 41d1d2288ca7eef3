"""Long exports: told how far, called off, lost with their worker, fetched, forgotten."""

from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone
from django_fsm import TransitionNotAllowed
from openpyxl import load_workbook

from supervision.models import Event, EventKind, ExportRun
from supervision.services import exports
from supervision.services.acts import ActRefused
from supervision.services.exports import (
    ExportStopped,
    cancel_export,
    claim_export,
    look_after_exports,
    request_export,
    restart_export,
    write_export,
)
from tasks.exports import run_export
from tests.factories import NOON, AssignmentFactory

pytestmark = pytest.mark.django_db
Status = ExportRun.Status
EXPORTS = reverse("supervision:exports")


@pytest.fixture(autouse=True)
def at_noon(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    with time_machine.travel(NOON, tick=False) as travel:
        yield travel


def asked(user, sheet="ledger", **parameters) -> ExportRun:
    return request_export(
        sheet=sheet, parameters=parameters, title="台账", file_name="台账.xlsx",
        filter_text="", by=user, at=timezone.now(),
    )  # fmt: skip


def test_asking_wakes_the_long_queue_after_commit(
    city, django_capture_on_commit_callbacks, monkeypatch
):
    sent = []
    monkeypatch.setattr("tasks.exports.async_task", lambda *a, **k: sent.append((a, k)))

    with django_capture_on_commit_callbacks(execute=True):
        run = asked(city.officer)
        assert sent == []

    assert sent == [(("tasks.exports.run_export", str(run.uid)), {"cluster": "long"})]


def test_it_is_written_once_and_fetched_by_its_owner_alone(client, city):
    AssignmentFactory(organization=city.bureau)
    run = asked(city.officer)

    assert run_export(str(run.uid)) == "ready"
    assert run_export(str(run.uid)) == "nothing to begin"

    run.refresh_from_db()
    assert (run.rows_done, run.rows_total, run.percent) == (1, 1, 100)
    assert Event.objects.get(kind=EventKind.EXPORTED).data["rows"] == 1
    address = reverse("supervision:export_file", args=[run.uid])
    client.force_login(city.office_head)
    assert client.get(address).status_code == 404
    assert "还没有导出任务" in client.get(EXPORTS).content.decode()
    client.force_login(city.officer)
    answer = client.get(address)
    content = b"".join(answer.streaming_content)
    assert len(content) == run.size_bytes
    assert "明细" in load_workbook(BytesIO(content)).sheetnames


def test_progress_is_rows_done_of_rows(city, monkeypatch):
    for _ in range(3):
        AssignmentFactory(organization=city.bureau)
    monkeypatch.setattr("supervision.spreadsheets.ledger.BATCH", 1)
    monkeypatch.setattr(exports, "BEAT_EVERY", timedelta(0))
    run = claim_export(uid=str(asked(city.officer).uid), at=NOON)
    seen = []
    told = exports._Teller.__call__

    def listen(teller, done, total):
        told(teller, done, total)
        seen.append(ExportRun.objects.values_list("rows_done", "rows_total").get(pk=run.pk))

    monkeypatch.setattr(exports._Teller, "__call__", listen)
    write_export(run=run, clock=timezone.now)

    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_calling_off_stops_at_the_next_step_and_leaves_no_file(city, monkeypatch, tmp_path):
    AssignmentFactory(organization=city.bureau)
    run = claim_export(uid=str(asked(city.officer).uid), at=NOON)
    cancel_export(run=run, by=city.officer, at=NOON)

    with pytest.raises(ExportStopped):
        write_export(run=run, clock=timezone.now)

    run.refresh_from_db()
    assert run.status == Status.CANCELLED
    assert not default_storage.exists("exports") or not default_storage.listdir("exports")[1]
    assert not Event.objects.filter(kind=EventKind.EXPORTED).exists()


def test_what_waits_is_called_off_at_once_and_asked_for_again(city):
    run = cancel_export(run=asked(city.officer), by=city.officer, at=NOON)

    assert run.status == Status.CANCELLED
    with pytest.raises(TransitionNotAllowed):
        cancel_export(run=run, by=city.officer, at=NOON)
    with pytest.raises(PermissionDenied):
        restart_export(run=run, by=city.office_head, at=NOON)
    assert restart_export(run=run, by=city.officer, at=NOON).status == Status.WAITING


def test_a_lost_worker_is_noticed_and_the_run_begins_anew(city, at_noon):
    run = claim_export(uid=str(asked(city.officer).uid), at=NOON)
    later = NOON + timedelta(minutes=3)

    assert look_after_exports(at=NOON + timedelta(seconds=30))["lost"] == 0
    assert look_after_exports(at=later)["lost"] == 1

    again = claim_export(uid=str(run.uid), at=later)
    assert again.attempt == 2
    # The first worker was not dead after all: it may not write into the second one's run.
    with pytest.raises(ExportStopped):
        write_export(run=run, clock=lambda: later)
    again.refresh_from_db()
    assert again.status == Status.RUNNING
    assert write_export(run=again, clock=lambda: later).status == Status.READY


def test_after_the_third_loss_it_says_so(city):
    run = asked(city.officer)
    at = NOON
    for _ in range(ExportRun.MOST_ATTEMPTS):
        assert claim_export(uid=str(run.uid), at=at) is not None
        at += timedelta(minutes=5)
        look_after_exports(at=at)

    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert "3" in run.error


def test_a_file_is_forgotten_after_its_days(city, django_capture_on_commit_callbacks):
    run = asked(city.officer)
    run_export(str(run.uid))
    run.refresh_from_db()
    name = run.file.name

    with django_capture_on_commit_callbacks(execute=True):
        found = look_after_exports(at=NOON + exports.KEPT_FOR + timedelta(minutes=1))

    run.refresh_from_db()
    assert (found["expired"], run.status, run.file.name) == (1, Status.EXPIRED, "")
    assert not default_storage.exists(name)


def test_rights_are_asked_again_when_it_is_written(city):
    run = asked(city.officer, sheet="scores")
    city.officer.groups.clear()
    run.owner = type(city.officer).objects.get(pk=city.officer.pk)

    run_export(str(run.uid))

    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert run.error


def test_nobody_fills_the_queue_alone(city):
    for _ in range(exports.MOST_OPEN):
        asked(city.officer)

    with pytest.raises(ActRefused):
        asked(city.officer)


def test_a_short_table_comes_at_once_a_long_one_behind_the_page(client, city, monkeypatch):
    AssignmentFactory(organization=city.bureau)
    client.force_login(city.officer)
    address = reverse("supervision:ledgers_xlsx")

    assert client.post(address, {"sheet": "register"}).headers["Content-Disposition"]
    monkeypatch.setattr(exports, "SMALL_ROWS", 0)
    answer = client.post(address, {"sheet": "register"}, follow=True)

    assert answer.redirect_chain[-1][0] == EXPORTS
    assert "排队中" in answer.content.decode()
    run = ExportRun.objects.get()
    act = reverse("supervision:export_act", args=[run.uid, "cancel"])
    assert "已取消" in client.post(act, follow=True).content.decode()
    for typed in ({"sheet": "monthly"}, {"sheet": "plan"}, {"sheet": "none"}):
        assert client.post(address, typed).status_code == 200
    assert ExportRun.objects.count() == 1
