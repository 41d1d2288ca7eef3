"""A citizen on an old phone: no script, no cookie; reads, filters, searches, downloads."""

import csv
import io
from pathlib import Path

from tests.cms.world import public_world
from tests.factories import release_edition


def publish(town):
    world = public_world(town)
    release_edition(town, world.document)
    return world


def test_reading_filtering_searching_and_downloading_without_script_and_cookies(visit, town):
    world = publish(town)
    reader = visit(is_phone=True, has_script=False)
    reader.go("/")
    assert "4" in reader.page.locator(".summary-sentence").inner_text()
    assert "重点任务" in reader.text and "保障措施" in reader.text

    reader.page.locator("[name=q]").fill("金融")
    reader.press("搜索")
    assert reader.path == "/search/"
    assert "完善科技金融服务" in reader.text
    assert "培育高新技术企业" not in reader.text
    reader.go("/progress/")

    chip = reader.page.locator("main a[href*='status=overdue']")
    with reader.page.expect_navigation():
        chip.first.click()
    reader.look()
    assert "培育高新技术企业" in reader.text
    assert "建设十个院士工作站" not in reader.text
    with reader.page.expect_download() as waiting:
        reader.page.get_by_role("link", name="下载 CSV").click()
    text = Path(waiting.value.path()).read_text("utf-8-sig")
    assert [row[3] for row in csv.reader(io.StringIO(text))][1:] == ["培育高新技术企业"]

    reader.press("培育高新技术企业")
    assert reader.path == f"/progress/{world.overdue.item.public_item.slug}/"
    assert "逾期" in reader.text
    reader.go("/site-map/")
    assert "建设十个院士工作站" in reader.text
    reader.expected.append("404")
    reader.go("/progress/?status=done&nonsense=1")
    assert reader.page.locator("h1").count() == 1
    assert reader.context.cookies() == []
