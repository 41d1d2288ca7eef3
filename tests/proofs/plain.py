"""Reading needs no script: pages alike without it; no cookie, nobody else asked, small."""

from tests.proofs.common import Outcome, Scale
from tests.proofs.public import browser, site

MOST_BYTES = 50 * 1024


def prove(*, seed: int, scale: Scale) -> Outcome:
    served, problems, asked, searched = site(), [], 0, 0
    item = served.item_path()
    paths = ["/", "/progress/", item, "/about/", "/site-map/", "/elder/", "/progress/?status=done"]
    with browser() as chromium:
        texts = {}
        for has_script in (True, False):
            context = chromium.new_context(java_script_enabled=has_script)
            page = context.new_page()
            requests: list[str] = []
            page.on("request", lambda request, seen=requests: seen.append(request.url))
            for path in paths:
                page.goto(served.base + path)
                texts[path, has_script] = (
                    page.inner_text("main") if has_script else page.locator("main").inner_text()
                )
            for form, results in (
                ("header .search", "main .hits li"),
                (".list-search", "main table tbody tr"),
            ):
                page.goto(served.base + "/progress/")
                page.fill(f"{form} input[name=q]", "企业")
                page.click(f"{form} button")
                found = page.locator(results)
                if "q=" not in page.url or found.count() == 0:
                    problems.append(f"search with script {has_script}: {page.url}")
                    continue
                searched += 1
                found.first.locator("a[href*='/progress/']").click()
                if page.locator("h1").inner_text() == "" or "q=" in page.url:
                    problems.append(f"no item behind the result: {page.url}")
            foreign = [url for url in requests if not url.startswith((served.base, "data:"))]
            asked += len(requests)
            problems += [f"asks {url}" for url in foreign]
            if context.cookies():
                problems.append(f"cookies {context.cookies()}")
            context.close()
    problems += [
        f"{path}: another text without script"
        for path in paths
        if texts[path, True] != texts[path, False]
    ]
    sizes = {path: served.get(path).size for path in paths}
    problems += [f"{path}: {size} bytes" for path, size in sizes.items() if size > MOST_BYTES]
    figures = {
        "pages": len(paths),
        "searches": searched,
        "requests": asked,
        "first page bytes": sizes["/"],
    }
    return Outcome(not problems, figures, problems)
