"""Loading documents: the real one, twice, corrected, re-based, and another city's."""

from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from supervision.models import (
    Clause,
    Event,
    EventKind,
    Organization,
    Party,
    PolicyDocument,
    SupervisionItem,
    Target,
)
from supervision.rules.policy_file import parse_policy
from supervision.services import documents, items
from supervision.services.acts import ActRefused
from tests.factories import NOON, build_city

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT / "supervision" / "data" / "hengshui-2017-1.yaml"
DATA = Path(__file__).parent / "data"
OTHER = next(DATA.glob("*.yaml"))

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("settings_loaded")]


def load(text: str, **kwargs):
    return documents.load_policy(policy=parse_policy(text, filename="policy"), at=NOON, **kwargs)


@pytest.fixture
def real() -> str:
    return REAL.read_text(encoding="utf-8")


def test_the_real_document_is_there_whole(real):
    document = load(real).document

    assert (document.doc_number, document.issued_date) == ("衡政字〔2017〕1号", date(2017, 1, 4))
    assert document.horizon_date == date(2020, 12, 31)
    clauses = Clause.objects.filter(document=document)
    assert clauses.filter(kind="task").count() == 16
    assert clauses.filter(kind="measure").count() == 6
    assert Target.objects.filter(document=document, clause=None).count() == 21
    assert Target.objects.filter(document=document, clause__isnull=False).count() == 11
    assert Target.objects.filter(value=None).count() == 1
    kinds = list(Organization.objects.values_list("kind", flat=True))
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "office": 1,
        "bureau": 18,
        "county": 11,
        "zone": 2,
    }


def test_the_bodies_of_a_clause_keep_their_order_and_names(real):
    load(real)
    item = SupervisionItem.objects.get(clause__number="二（七）")
    parties = list(item.parties.order_by("position", "pk"))

    assert [party.named_as for party in parties[:3]] == [
        "市质监局",
        "市食品和市场监管局",
        "市工信局",
    ]
    assert [party.role for party in parties[:3]] == ["lead", "support", "support"]
    rest = parties[3:]
    assert {party.named_as for party in rest} == {"各县市区政府"}
    assert len({party.organization for party in rest}) == 13


def test_all_shares_together(real):
    load(real)

    assert Party.objects.filter(role="lead").count() == 22
    assert Party.objects.filter(role="county").count() == 286
    assert Party.objects.count() == 392


def test_twice_changes_nothing(real):
    load(real)
    versions = list(SupervisionItem.objects.order_by("pk").values_list("pk", "version"))

    result = load(real)

    assert result.is_unchanged
    assert list(SupervisionItem.objects.order_by("pk").values_list("pk", "version")) == versions
    assert Event.objects.filter(kind=EventKind.DOCUMENT_CORRECTED).count() == 0


def test_a_corrected_file_changes_what_it_corrects_and_records_it(real):
    load(real)
    corrected = real.replace("title: 发展先进制造技术", "title: 发展先进制造技术（更正）")
    assert corrected != real

    result = load(corrected)

    changed = {(change["field"], change["new"]) for change in result.changes}
    assert ("title", "发展先进制造技术（更正）") in changed
    assert {field for field, _new in changed} <= {"title", "content_hash"}
    event = Event.objects.get(kind=EventKind.DOCUMENT_CORRECTED)
    assert event.data["changes"] == result.changes
    assert SupervisionItem.objects.filter(title="发展先进制造技术（更正）").count() == 1


def test_what_is_given_out_keeps_its_terms(real):
    city = build_city()
    load(real)
    item = SupervisionItem.objects.get(clause__number="二（四）")
    item = items.edit_item(
        item=item, by=city.officer, at=NOON, is_declared_free_of_secrets=True, due_date=NOON.date()
    )
    item = items.submit_item(item=item, by=city.officer, at=NOON)
    before = item.parties.count()

    load(
        real.replace(
            "bodies: [市工信局, 市发改委, 市科技局, 市环保局, 各县市区政府]", "bodies: [市工信局]"
        )
    )

    item.refresh_from_db()
    assert item.due_date == NOON.date()
    assert item.parties.count() == before


def test_the_plan_is_re_based_by_whole_years(real):
    document = load(real, issued_on=date(2025, 1, 4)).document

    assert document.issued_date == date(2025, 1, 4)
    assert document.horizon_date == date(2028, 12, 31)
    assert set(SupervisionItem.objects.values_list("due_date", flat=True)) == {date(2028, 12, 31)}
    assert set(Target.objects.values_list("due_date", flat=True)) == {date(2028, 12, 31)}


def test_another_document_of_another_city_needs_no_code(real):
    load(real)
    before = SupervisionItem.objects.count()

    result = load(OTHER.read_text(encoding="utf-8"))

    document = result.document
    assert document.region_code != "131100"
    assert PolicyDocument.objects.count() == 2
    assert SupervisionItem.objects.filter(document=document).count() == document.clauses.count()
    assert SupervisionItem.objects.exclude(document=document).count() == before
    # Bodies of one city never answer for the other's clauses.
    regions = Party.objects.filter(item__document=document).exclude(organization=None)
    assert set(regions.values_list("organization__region_code", flat=True)) == {
        document.region_code
    }
    assert document.items.filter(is_ongoing=True, due_date=None).exists()
    assert load(OTHER.read_text(encoding="utf-8")).is_unchanged


def test_the_command_names_every_problem_by_line_and_writes_nothing(tmp_path, real):
    path = tmp_path / "policy.yaml"
    path.write_text(real.replace("2020-12-31", "2020-02-31", 1), encoding="utf-8")

    with pytest.raises(CommandError, match=r"行"):
        call_command("load_policy", str(path))
    assert not PolicyDocument.objects.exists()


def test_the_command_says_when_the_file_is_absent():
    with pytest.raises(CommandError):
        call_command("load_policy", "nowhere.yaml")


def test_the_text_enters_when_a_user_imports_it(real):
    city = build_city()
    text = next(DATA.glob("*.txt")).read_text(encoding="utf-8")
    document = load(OTHER.read_text(encoding="utf-8")).document
    assert not document.clauses.exclude(quoted_text="").exists()

    count = documents.import_text(document=document, text=text, by=city.officer, at=NOON)

    assert count == document.clauses.exclude(quoted_text="").count() > 0


def test_a_wrong_text_is_refused(real):
    city = build_city()
    document = load(real).document

    with pytest.raises(ActRefused):
        documents.import_text(document=document, text="这是另一份文件。", by=city.officer, at=NOON)
