"""axe-core over every kind of page in every state: no violation, no incomplete without a reason."""

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
                    problems.append(f"{where}: {rule}: {nodes[:2]}")
                for rule, nodes in found["incomplete"]:
                    if rule in EXPLAINED:
                        explained[rule] += len(nodes)
                    else:
                        problems.append(f"{where}: undecided {rule}: {nodes[:2]}")
            context.close()
    figures = {
        "axe": "4.12.1",
        "runs": runs,
        "states": len(states),
        "rules passed": passes,
        "violations and undecided": len(problems),
        "explained": dict(explained),
    }
    return Outcome(not problems, figures, problems)
