"""On every page: seven elements of the footer, search, map, switches in the same place; exits."""

from urllib.parse import quote, urlsplit

from tests.proofs.common import Outcome, Scale
from tests.proofs.public import site

ELEMENTS = (
    "zfwzgl.www.gov.cn/exposure/jiucuo.html?site_code=",
    "bszs.conac.cn/sitename?method=show&amp;id=",
    "https://beian.miit.gov.cn/",
    "https://beian.mps.gov.cn/",
    "网站标识码",
    "主办",
    "承办",
)


def prove(*, seed: int, scale: Scale) -> Outcome:
    from cms.dress import OFFICIAL
    from cms.tags import Head

    served, problems, pages, links, exits = site(), [], 0, 0, 0
    for path, answer in served.crawl(most_filters=5).items():
        if answer.status != (404 if path == "/nowhere/" else 200) and not path.startswith("/desk"):
            problems.append(f"{path}: status {answer.status}")
        if not answer.is_page or answer.status != 200 or path.startswith(("/fragment", "/desk")):
            continue
        pages += 1
        foot = answer.text[answer.text.index("<footer") :]
        problems += [f"{path}: no {element}" for element in ELEMENTS if element not in foot]
        here = quote(served.base + urlsplit(path).path, safe="")
        if f"url={here}" not in foot:
            problems.append(f"{path}: the report of errors names another page")
        before = answer.text[: answer.text.index("<main")]
        order = [before.find(mark) for mark in ('class="modes"', "<header", 'name="q"', "<nav")]
        if -1 in order or order[0] > order[1]:
            problems.append(f"{path}: the switches or the search are not in their place")
        if "/site-map/" not in foot:
            problems.append(f"{path}: no site map")
        for href, relation in Head(answer.text).links:
            links += 1
            target = urlsplit(href)
            if target.netloc and target.netloc != urlsplit(served.base).netloc:
                exits += 1
                is_exit = path.startswith("/leaving/") and "external" in relation
                if target.hostname not in OFFICIAL and not is_exit:
                    problems.append(f"{path}: {href} leaves without a warning")
    figures = {"pages": pages, "links": links, "official exits": exits, "faults": len(problems)}
    return Outcome(not problems and pages > 25, figures, problems)
