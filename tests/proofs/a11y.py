"""axe-core over every kind of page in every state: no violation, no incomplete without a reason.

And the pages walked with the keyboard alone: every target is reached in turn, seen, and not hidden;
a search, a filter and an item are reached without a pointer.
"""

from collections import Counter
from importlib import resources
from pathlib import Path

from tests.proofs.common import Outcome, Scale
from tests.proofs.public import browser, site

AXE = Path(str(resources.files("axe_playwright_python").joinpath("axe.min.js")))
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# rule: why axe cannot decide, and where the answer is proved instead
EXPLAINED = {
    "color-contrast": "text over hatched SVG bars; figures stand beside each bar, and the pairs "
    "are measured by tests/supervision/test_css.py",
}
# Paper has no pointer: the size of a target is not asked of the printed page.
NOT_ON_PAPER = {"target-size"}
STATES = {
    "default": ("", 1366, {}),
    "elder": ("/elder", 1366, {}),
    "elder 30 pt": ("/elder/30", 1366, {}),
    "high contrast": ("/contrast", 1366, {}),
    "contrast elder": ("/contrast/elder", 390, {}),
    "small text": ("/text-small", 1366, {}),
    "320 px": ("", 320, {}),
    "forced colours": ("", 1366, {"forced_colors": "active"}),
    "reduced motion": ("", 1366, {"reduced_motion": "reduce"}),
    "print": ("", 1366, {"media": "print"}),
}
RUN = """tags => axe.run(document, {runOnly: {type: 'tag', values: tags}}).then(r => ({
  violations: r.violations.map(v => [v.id, v.nodes.map(n => n.target.join(' ') + ' ' +
    (n.failureSummary || '').slice(0, 160))]),
  incomplete: r.incomplete.map(v => [v.id, v.nodes.map(n => n.target.join(' '))]),
  passes: r.passes.length}))"""


def prove(*, seed: int, scale: Scale) -> Outcome:
    served, problems = site(), []
    item = served.item_path()
    bulletin = [p for p in served.crawl(("/bulletins/",), most_filters=0) if "/bulletins/" in p][-1]
    paths = ["/", "/progress/", item, "/about/", "/site-map/", "/bulletins/", bulletin]
    paths += ["/progress/?q=查无此事", "/progress/?status=overdue", "/nowhere/", "/fragment/"]
    states = dict(list(STATES.items())[:2]) if scale is Scale.QUICK else STATES
    explained: Counter = Counter()
    runs = passes = 0
    # The content policy of the pages forbids foreign script, and must: axe comes in beside it.
    with browser() as chromium:
        for state, (mode, width, media) in states.items():
            context = chromium.new_context(
                viewport={"width": width, "height": 900}, bypass_csp=True
            )
            page = context.new_page()
            page.emulate_media(**media)
            for path in paths:
                page.goto(served.base + mode + path)
                page.add_script_tag(path=AXE)
                found = page.evaluate(RUN, TAGS)
                runs, passes = runs + 1, passes + found["passes"]
                where = f"{path} ({state})"
                for rule, nodes in found["violations"]:
                    if state == "print" and rule in NOT_ON_PAPER:
                        continue
                    problems.append(f"{where}: {rule}: {nodes[:2]}")
                for rule, nodes in found["incomplete"]:
                    if rule in EXPLAINED:
                        explained[rule] += len(nodes)
                    else:
                        problems.append(f"{where}: undecided {rule}: {nodes[:2]}")
            context.close()
        reached = sum(
            _walk(chromium, served.base + mode + path, width, problems)
            for mode, width in ((("", 1366), ("", 320), ("/elder", 1366), ("/contrast", 1366)))
            for path in ("/", "/progress/", item)
        )
        _journeys(chromium, served.base, problems)
    figures = {
        "axe": "4.12.1",
        "runs": runs,
        "states": len(states),
        "rules passed": passes,
        "violations and undecided": len(problems),
        "explained": dict(explained),
        "targets reached by keyboard": reached,
    }
    return Outcome(not problems, figures, problems)


TARGETS = "a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']"
COUNT = """selector => [...document.querySelectorAll(selector)].filter(e => {
  const closed = e.closest('details:not([open])');
  return e.getClientRects().length && getComputedStyle(e).visibility !== 'hidden'
    && (!closed || e.tagName === 'SUMMARY'); }).length"""
FOCUSED = """() => { const e = document.activeElement;
  if (!e || e === document.body) return null;
  window.seen = window.seen || []; const place = window.seen.indexOf(e);
  window.seen.push(e);
  const r = e.getBoundingClientRect(), s = getComputedStyle(e);
  const x = Math.min(Math.max(r.left + r.width / 2, 1), innerWidth - 1);
  const y = Math.min(Math.max(r.top + r.height / 2, 1), innerHeight - 1);
  // A link broken over lines has its middle beside it: ask each of its lines.
  const parts = [...e.getClientRects()].map(p => [p.left + p.width / 2, p.top + p.height / 2]);
  const isTop = [[x, y], ...parts].some(([a, b]) => {
    const top = document.elementFromPoint(a, b);
    return top && (e.contains(top) || top.contains(e)); });
  return {name: e.tagName + ' ' + (e.innerText || e.name || '').trim().slice(0, 20),
    isAgain: place >= 0, isTop, isIn: r.bottom > 0 && r.top < innerHeight,
    isSeen: (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2)
      || s.boxShadow !== 'none'}; }"""


def _walk(chromium, address: str, width: int, problems: list[str]) -> int:
    """Tab over a whole page; says how many targets were reached."""
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(address)
    wanted, reached = page.evaluate(COUNT, TARGETS), 0
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None or found["isAgain"]:
            break
        reached += 1
        for name, fault in (("isTop", "is covered"), ("isIn", "is out of sight")):
            if not found[name]:
                problems.append(f"{address} at {width}: focused “{found['name']}” {fault}")
        if not found["isSeen"]:
            problems.append(f"{address} at {width}: the focus of “{found['name']}” is not seen")
    if reached != wanted:
        problems.append(f"{address} at {width}: {reached} of {wanted} targets by keyboard")
    page.close()
    return reached


def _journeys(chromium, base: str, problems: list[str]) -> None:
    """Skip to the content, search, filter, read an item: no pointer, no script."""
    context = chromium.new_context(viewport={"width": 1366, "height": 900})
    page = context.new_page()

    def walk_to(test: str) -> bool:
        for _ in range(200):
            page.keyboard.press("Tab")
            if page.evaluate(f"(() => {{ const e = document.activeElement; return {test}; }})()"):
                return True
        problems.append(f"keyboard: nothing with {test} on {page.url}")
        return False

    def enter() -> None:
        with page.expect_navigation():
            page.keyboard.press("Enter")

    page.goto(base + "/")
    page.keyboard.press("Tab")
    if not page.evaluate("document.activeElement.classList.contains('skip-link')"):
        problems.append("keyboard: the first stop is not the way to the content")
    page.keyboard.press("Enter")
    if page.evaluate("document.activeElement.id || location.hash.slice(1)") != "main":
        problems.append("keyboard: the content was not reached")
    page.goto(base + "/")
    if walk_to("e.name === 'q'"):
        page.keyboard.type("企业")
        enter()
        if walk_to("!!e.closest('.hits') && e.tagName === 'A'"):
            enter()
            if "/progress/" not in page.url:
                problems.append(f"keyboard: the search ended at {page.url}")
    page.goto(base + "/progress/")
    if walk_to("e.tagName === 'SUMMARY'"):
        page.keyboard.press("Enter")
        if walk_to("e.tagName === 'A' && e.href.includes('lead=')"):
            enter()
            rows = page.locator("main table tbody tr").count()
            if "lead=" not in page.url or not rows:
                problems.append(f"keyboard: the filter ended at {page.url} with {rows} rows")
    context.close()
