"""What an office prints: head and first rows on the first sheet, the paper as designed."""

import subprocess

import pytest

from supervision.services.handovers import prepare_handover
from supervision.services.kept_lights import keep_lights
from tests.factories import NOON, TODAY, AssignmentFactory, UserFactory

A4_LANDSCAPE, A3_LANDSCAPE = (842, 595), (1191, 842)


def sheets(visitor, folder) -> tuple[tuple[int, int], list[str]]:
    """The size of the paper in points, and the text of each sheet, without spaces."""
    file = folder / "printed.pdf"
    visitor.page.pdf(path=file, prefer_css_page_size=True)
    facts = subprocess.run(["pdfinfo", file], check=True, capture_output=True, text=True).stdout
    size = next(line for line in facts.splitlines() if line.startswith("Page size")).split()
    text = subprocess.run(
        ["pdftotext", "-layout", file, "-"], check=True, capture_output=True, text=True
    ).stdout
    texts = ["".join(sheet.split()) for sheet in text.split("\f")[:-1]]
    return (round(float(size[2])), round(float(size[4]))), texts


@pytest.fixture
def handover(town) -> str:
    AssignmentFactory.create_batch(40, organization=town.bureau)
    successor = UserFactory(organization=town.bureau, display_name="新人")
    row = prepare_handover(from_user=town.liaison, to_user=successor, by=town.liaison, at=NOON)
    return row.get_absolute_url()


def test_the_index_of_a_handover(visit, handover, tmp_path):
    liaison = visit("liaison").go(handover)

    size, printed = sheets(liaison, tmp_path)

    assert size == A4_LANDSCAPE
    assert "→新人" in printed[0] and "测试条款" in printed[0]
    assert "事项" in printed[1], "the heading is repeated on each sheet"


@pytest.mark.parametrize("address", ["/desk/matrix/", "/desk/timeline/"])
def test_the_wide_sheets(visit, town, tmp_path, address):
    share = AssignmentFactory(organization=town.bureau, item__dispatched=True)
    keep_lights(TODAY)

    size, printed = sheets(visit("officer").go(address), tmp_path)

    assert size == A3_LANDSCAPE
    assert share.item.title in printed[0]
    assert len(printed) == 1
