"""What filing costs: a county's 22 returns through the one page, and the same by workbook.

A scripted browser does what a liaison does, and the head's release after it. Counted are page
loads, clicks, characters typed and seconds of the machine (a person types slower; the clicks and
the characters are the same). An officer then reviews twenty of them.
"""

import os
import shutil
import time
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from tests.proofs.common import Outcome, Scale, empty, scratch
from tests.proofs.contention import _free_port, _serve, _stop, _wait

SHARES = {Scale.QUICK: 3, Scale.FIRST: 22, Scale.AIM: 22}
REVIEWS = {Scale.QUICK: 2, Scale.FIRST: 20, Scale.AIM: 20}
PAGE_PERIOD, BOOK_PERIOD = "2026-05", "2026-06"
MONTHS = {
    "2026-04": (date(2026, 4, 1), date(2026, 4, 30), date(2026, 5, 8)),
    PAGE_PERIOD: (date(2026, 5, 1), date(2026, 5, 31), date(2026, 6, 5)),
    BOOK_PERIOD: (date(2026, 6, 1), date(2026, 6, 30), date(2026, 7, 6)),
}
WORDS = (
    "选址",
    "立项",
    "审批",
    "招标",
    "开工",
    "设备",
    "人才",
    "专利",
    "融资",
    "培训",
    "合作",
    "验收",
)
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@dataclass
class Cost:
    """What one person did before the screen."""

    page_loads: int = 0
    clicks: int = 0
    characters: int = 0
    seconds: float = 0.0
    _started: float = field(default=0.0, repr=False)

    def plus(self, other: "Cost") -> dict:
        one, two = asdict(self), asdict(other)
        return {name: round(one[name] + two[name], 1) for name in one if name != "_started"}


class Person:
    """A signed-in browser window that counts what is done in it; signing in is not counted."""

    def __init__(self, browser, base: str, username: str) -> None:
        from tests.factories import PASSWORD

        self.cost = Cost()
        self.base = base
        self.context = browser.new_context(locale="zh-CN", accept_downloads=True)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.goto(f"{base}/desk/sign-in/")
        self.page.fill("input[name=username]", username)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_load_state()
        self.page.on("load", self._loaded)
        self.cost._started = time.monotonic()

    def _loaded(self, _page) -> None:
        self.cost.page_loads += 1

    def go(self, address: str) -> None:
        self.page.goto(self.base + address)

    def click(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.cost.clicks += 1

    def leave_by(self, selector: str) -> None:
        """A click that leads to another page."""
        with self.page.expect_navigation():
            self.click(selector)

    def leave_by_key(self, key: str) -> None:
        """One key that leads to another page; counted as a character."""
        with self.page.expect_navigation():
            self.page.keyboard.press(key)
        self.cost.characters += 1

    def type(self, selector: str, text: str) -> None:
        """Typed key by key into a field reached by a click; what stood there is replaced."""
        place = self.page.locator(selector)
        place.click()
        self.cost.clicks += 1
        place.press("Control+a")
        place.press_sequentially(text)
        self.cost.characters += len(text)

    def done(self) -> Cost:
        self.cost.seconds = round(time.monotonic() - self.cost._started, 1)
        self.context.close()
        return self.cost


def prove(*, seed: int, scale: Scale) -> Outcome:
    from django.db import connection
    from playwright.sync_api import sync_playwright

    empty()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    shares = build(SHARES[scale])
    connection.close()
    port = _free_port()
    server = _serve(port)
    problems: list[str] = []
    try:
        _wait(port)
        base = f"http://127.0.0.1:{port}"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
                args=CHROMIUM,
            )
            by_page = file_by_page(browser, base, shares)
            problems += missing(PAGE_PERIOD, len(shares))
            by_book = file_by_workbook(browser, base, shares)
            problems += missing(BOOK_PERIOD, len(shares))
            review = officer_reviews(browser, base, REVIEWS[scale])
            problems += not_reviewed(REVIEWS[scale])
            browser.close()
    finally:
        _stop(server)
    figures = {
        "returns": len(shares),
        "by_page": by_page,
        "by_workbook": by_book,
        "reviews": REVIEWS[scale],
        "review": review,
        "seed": seed,
    }
    # One page, one submit: the loads do not grow with the returns.
    if by_page["page_loads"] > 8:
        problems.append(f"filing by the page took {by_page['page_loads']} page loads")
    return Outcome(holds=not problems, figures=figures, problems=problems)


def build(count: int) -> list:
    """A county with so many shares, a numeric goal each, and last month's accepted returns."""
    from supervision.models import ReportFigure
    from tests.factories import (
        AssignmentFactory,
        ClauseFactory,
        DocumentFactory,
        ItemFactory,
        PeriodFactory,
        ReportFactory,
        TargetFactory,
        build_city,
    )

    city = build_city()
    document = DocumentFactory()
    shares = []
    for number in range(count):
        clause = ClauseFactory(document=document)
        target = TargetFactory(document=document, clause=clause, value=100)
        item = ItemFactory(
            dispatched=True,
            clause=clause,
            leader=city.leader,
            number=f"负{number}",
            due_date=date(2027, 12, 31),
        )
        share = AssignmentFactory(item=item, organization=city.county, role="county")
        periods = {
            label: PeriodFactory(
                assignment=share, label=label, start_date=start, end_date=end, due_date=due
            )
            for label, (start, end, due) in MONTHS.items()
        }
        last = ReportFactory(
            period=periods["2026-04"],
            status="approved",
            self_percent=30,
            next_text="按计划推进下一阶段工作。",
            progress_text=said(number, 4),
        )
        ReportFigure.objects.create(report=last, target=target, value=20)
        share.target, share.by_label = target, periods
        shares.append(share)
    return shares


def said(number: int, month: int) -> str:
    """Some forty characters about one item in one month."""
    first, second = WORDS[number % len(WORDS)], WORDS[(number * 5 + month) % len(WORDS)]
    return (
        f"{month}月完成{first}工作{number + 2}项，其中{second}{number % 7 + 1}项；"
        f"第{number + 1}批资料已报县政府审定，累计到位资金{number * 37 + month * 11}万元。"
    )


def file_by_page(browser, base: str, shares: list) -> dict:
    """From the desk to the one page; text, figure and mark in each row; one submit; one release."""
    liaison = Person(browser, base, "county_liaison")
    liaison.go("/desk/")
    liaison.leave_by(f"main a.button[href*='/returns/{PAGE_PERIOD}/']")
    for number, share in enumerate(shares):
        prefix = f"r{share.by_label[PAGE_PERIOD].pk}"
        liaison.type(f"[name={prefix}-progress_text]", said(number, 5))
        liaison.type(f"[name={prefix}-figure_{share.target.pk}_value]", str(25 + number % 5))
        liaison.click(f"[name={prefix}-is_complete]")
    liaison.leave_by("button[value=hand_on]")
    head = Person(browser, base, "county_head")
    head.go(f"/desk/returns/{PAGE_PERIOD}/")
    head.leave_by("button[value=release_all]")
    return liaison.done().plus(head.done())


def file_by_workbook(browser, base: str, shares: list) -> dict:
    """Download, fill the cells, upload, confirm, submit what is written; one release."""
    liaison = Person(browser, base, "county_liaison")
    liaison.go("/desk/workbook/")
    path = scratch() / "returns.xlsx"
    with liaison.page.expect_download() as download:
        liaison.click(f"a[href*='/workbook/{BOOK_PERIOD}.xlsx']")
    download.value.save_as(path)
    liaison.cost.characters += fill(path, shares)
    liaison.page.set_input_files("form[action*='preview'] input[type=file]", path)
    liaison.cost.clicks += 1
    liaison.leave_by("form[action*='preview'] button[type=submit]")
    liaison.leave_by("form[action*='apply'] button[type=submit]")
    liaison.go(f"/desk/returns/{BOOK_PERIOD}/")
    liaison.leave_by("button[value=hand_on_all]")
    head = Person(browser, base, "county_head")
    head.go(f"/desk/returns/{BOOK_PERIOD}/")
    head.leave_by("button[value=release_all]")
    return liaison.done().plus(head.done())


def fill(path: Path, shares: list) -> int:
    """Fill the workbook as a liaison would; returns the characters typed."""
    from django.utils import translation
    from openpyxl import load_workbook

    from supervision.spreadsheets.returns.columns import FIGURES, HEAD_ROW, PROGRESS

    typed = 0
    with translation.override("zh-hans"):
        heads = {
            column.key: column.title
            for column in (*PROGRESS, *FIGURES)
            if column.key in ("progress_text", "value")
        }
    book = load_workbook(path)
    for sheet in book.worksheets[:2]:
        places = {cell.value: cell.column for cell in sheet[HEAD_ROW]}
        for key, head in heads.items():
            if head not in places:
                continue
            for number in range(len(shares)):
                cell = sheet.cell(HEAD_ROW + 1 + number, places[head])
                text = said(number, 6) if key == "progress_text" else str(30 + number % 5)
                cell.value = text if key == "progress_text" else int(text)
                typed += len(text)
    book.save(path)
    return typed


def officer_reviews(browser, base: str, count: int) -> dict:
    """The officer's part: so many returns accepted one after the other in the review queue.

    One key a return: A accepts what stands open, and the next one opens.
    """
    officer = Person(browser, base, "officer")
    officer.go("/desk/reviews/?kind=reports")
    for _number in range(count):
        officer.page.locator("#open [data-shortcuts]:not([hidden])").wait_for()
        officer.leave_by_key("a")
    return officer.done().plus(Cost())


def missing(label: str, wanted: int) -> list[str]:
    """What of a period did not arrive at the office, with its words."""
    from supervision.models import ProgressReport

    month = MONTHS[label][0].month
    rows = ProgressReport.objects.filter(period__label=label, status="submitted")
    found = {
        number
        for number in range(wanted)
        if rows.filter(progress_text=said(number, month)).exists()
    }
    return [f"{label}: return {number} did not arrive" for number in set(range(wanted)) - found]


def not_reviewed(wanted: int) -> list[str]:
    from supervision.models import ProgressReport

    labels = (PAGE_PERIOD, BOOK_PERIOD)
    count = ProgressReport.objects.filter(period__label__in=labels, status="approved").count()
    return [] if count == wanted else [f"{count} of {wanted} returns were reviewed"]
