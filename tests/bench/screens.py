"""Photograph the main screens of the demonstration for docs/screens, in three widths and on paper.

Run by `make screens`: a demonstration in a temporary database, a web server, Chromium. The
pictures of the guides are made from the same photographs. `screens.py NAME …` takes only those.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "docs" / "screens"
PASSWORD = "Duban-demo-2026"
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# file name, who is signed in (None: nobody), address or the link to follow from it
SHOTS = (
    ("office-home", "ducha", "/desk/", None),
    ("matrix", "ducha", "/desk/matrix/", None),
    ("item", "ducha", "/desk/items/?light=red", "table a[href*='/desk/items/']"),
    ("reviews", "ducha", "/desk/reviews/", None),
    ("timeline", "ducha", "/desk/timeline/", None),
    ("ledger", "ducha", "/desk/ledger/?columns=number.item.lead.due.progress.light", None),
    ("tables", "ducha", "/desk/ledgers/?sheet=register", None),
    ("letters", "ducha", "/desk/letters/", None),
    ("edition", "baomi", "/desk/releases/", "main table a"),
    ("leader-home", "fushizhang", "/desk/", None),
    ("body-home", "gxj", "/desk/mine/", None),
    ("body-return", "gxj", "/desk/returns/", "main a[href*='/desk/returns/20']"),
    ("public-home", None, "/", None),
    ("public-item", None, "/progress/", "table a[href*='/progress/']"),
    ("public-list", None, "/progress/?status=on_track", None),
    ("public-home-elder", None, "/elder/", None),
    ("public-item-elder", None, "/elder/progress/", "table a[href*='/progress/']"),
    ("public-home-contrast", None, "/contrast/", None),
)
# Printed by Chromium, first sheet: file name, address, the link to follow from it
PAPERS = (
    ("public-home-print", "/", None),
    ("public-list-print", "/progress/", None),
    ("public-item-print", "/progress/", "table a[href*='/progress/']"),
)
PAPER_DPI = 80
HEIGHTS = {1366: 900, 390: 844, 1920: 1080}
# Name, width and colours of the guides' pictures.
GUIDES = ROOT / "supervision" / "static" / "supervision" / "guides"
IN_GUIDES, GUIDE_WIDTH, GUIDE_COLOURS = ("body-home", "office-home", "leader-home"), 900, 96


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(address: str) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"no answer from {address}")


def photograph(browser: Browser, base: str, wanted: set[str]) -> None:
    for width, height in HEIGHTS.items():
        for name, who, address, link in SHOTS:
            if wanted and name not in wanted:
                continue
            context = browser.new_context(viewport={"width": width, "height": height})
            page = context.new_page()
            if who:
                page.goto(f"{base}/desk/sign-in/")
                page.fill("input[name=username]", who)
                page.fill("input[name=password]", PASSWORD)
                page.click("main button[type=submit]")
            page.goto(base + address)
            if link:
                page.click(link)
            page.screenshot(path=OUT / f"{name}-{width}.png")
            context.close()


def put_on_paper(browser: Browser, base: str, folder: str, wanted: set[str]) -> None:
    """The first sheet of each printed page, as `pdftoppm` (poppler-utils) draws it."""
    for name, address, link in PAPERS:
        if wanted and name not in wanted:
            continue
        page = browser.new_page()
        page.goto(base + address)
        if link:
            page.click(link)
            page.locator("h1").wait_for()
        page.pdf(path=f"{folder}/{name}.pdf", prefer_css_page_size=True)
        page.close()
        subprocess.run(
            ["pdftoppm", "-png", "-singlefile", "-r", str(PAPER_DPI)]
            + [f"{folder}/{name}.pdf", OUT / name],
            check=True,
        )


def shrink() -> None:
    """The pictures of the guides: narrower and in few colours, because they are shipped."""
    GUIDES.mkdir(parents=True, exist_ok=True)
    for name in IN_GUIDES:
        with Image.open(OUT / f"{name}-1366.png") as found:
            height = round(found.height * GUIDE_WIDTH / found.width)
            small = found.convert("RGB").resize((GUIDE_WIDTH, height), Image.Resampling.LANCZOS)
            small.quantize(GUIDE_COLOURS).save(GUIDES / f"{name}.png", optimize=True)


def main() -> None:
    wanted = set(sys.argv[1:])
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        environment = os.environ | {"DATABASE_URL": f"sqlite:///{folder}/screens.sqlite3"}

        def manage(*arguments: str) -> None:
            subprocess.run(
                [sys.executable, "manage.py", *arguments],
                cwd=ROOT,
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )

        manage("migrate", "--verbosity=0")
        manage("demo")
        manage("sync_site")
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "4"]
            + ["supervision.config.wsgi"],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(base + "/")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path="/usr/bin/chromium", args=CHROMIUM
                )
                photograph(browser, base, wanted)
                put_on_paper(browser, base, folder, wanted)
                browser.close()
        finally:
            server.terminate()
            server.wait(timeout=20)
    if not wanted:
        shrink()
    print(f"pictures in {OUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
