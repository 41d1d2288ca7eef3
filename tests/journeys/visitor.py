"""Somebody before a screen, and the guard that looks at every page with them."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator

from tests.factories import PASSWORD

DESK = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
# What sticks out at the side, if anything does.
OVERFLOW = """() => {
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return wide > 0 ? wide : 0;
}"""


class Visitor:
    """One browser window with its own cookies.

    Every page shown is checked: no error on the console, nothing the content policy stopped,
    nothing wider than a phone of 390 pixels.
    """

    def __init__(
        self, browser: Browser, base: str, *, is_phone: bool = False, has_script: bool = True
    ) -> None:
        self.base = base
        self.size = PHONE if is_phone else DESK
        self.context = browser.new_context(
            viewport=self.size, java_script_enabled=has_script, locale="zh-CN"
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(8_000)
        self.troubles: list[str] = []
        self.expected: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.on("response", self._answered)

    def _heard(self, message) -> None:
        if message.type in ("error", "warning") and not any(
            text in message.text for text in self.expected
        ):
            self.troubles.append(f"{self.path} console: {message.text}")

    def _failed(self, request) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):
            self.troubles.append(f"{request.url}: {request.failure}")

    def _answered(self, response) -> None:
        if response.status >= 500:
            self.troubles.append(f"{response.status} at {response.url}")

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def text(self) -> str:
        """What stands in the main part of the page."""
        return self.page.locator("main").inner_text()

    def look(self) -> None:
        """The guard: called after every step that shows a page."""
        self.page.wait_for_load_state("load")
        if self.size != PHONE:
            self.page.set_viewport_size(PHONE)
        wide = self.page.evaluate(OVERFLOW)
        if wide:
            self.troubles.append(f"{self.path} is {wide} pixels too wide for a phone")
        if self.size != PHONE:
            self.page.set_viewport_size(self.size)

    def go(self, address: str) -> "Visitor":
        self.page.goto(self.base + address if address.startswith("/") else address)
        self.look()
        return self

    def sign_in(self, username: str) -> None:
        self.page.goto(self.base + "/desk/sign-in/")
        self.page.get_by_label("用户名").fill(username)
        self.page.get_by_label("密码").fill(PASSWORD)
        self.press("登录")

    def press(self, label: str, within: Locator | None = None) -> None:
        """Press the button or link that says exactly `label`, and look at what comes."""
        place = within or self.page
        exact = re.compile(rf"^\s*{re.escape(label)}\s*$")
        found = place.locator("button:visible, a:visible, summary:visible").filter(has_text=exact)
        with self.page.expect_navigation():
            found.first.click()
        self.look()

    def act(self, label: str, **fields) -> None:
        """Open the act `label`, fill in its form by the names of its fields, and send it."""
        summary = self.page.locator("details.act > summary").filter(
            has_text=re.compile(rf"^\s*{re.escape(label)}\s*$")
        )
        box = summary.first.locator("xpath=..")
        if box.get_attribute("open") is None:
            summary.first.click()
        fill(box, fields)
        with self.page.expect_navigation():
            box.locator("button[type=submit]").click()
        self.look()

    def close(self) -> list[str]:
        self.context.close()
        return self.troubles


def fill(place: Locator, fields: dict) -> None:
    """Type, choose or tick each field by its name."""
    for name, value in fields.items():
        field = place.locator(f'[name="{name}"]')
        kind = field.first.evaluate("element => element.type")
        if kind == "select-one":
            field.select_option(**value) if isinstance(value, dict) else field.select_option(value)
        elif kind == "checkbox":
            field.set_checked(value)
        else:
            field.fill(value)
