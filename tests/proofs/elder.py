"""Elder mode measured in Chromium: the computed sizes, gaps, contrasts and targets of each page."""

from tests.proofs.common import Outcome, Scale
from tests.proofs.public import browser, site

POINTS = (18, 22, 26, 30)
PX_PER_PT = 96 / 72
MEASURE = """() => {
  const shown = e => { const r = e.getBoundingClientRect(), s = getComputedStyle(e);
    return r.width > 1 && r.height > 1 && s.visibility !== 'hidden' && s.clip === 'auto'
      && !e.closest('.visually-hidden') && !e.closest('svg'); };
  const parse = c => { const m = c.match(/[\\d.]+/g).map(Number);
    return m.length > 3 ? m : [...m, 1]; };
  const lum = c => { const f = c.slice(0, 3).map(v => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); });
    return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
  const ground = e => { for (let n = e; n; n = n.parentElement) {
    const c = parse(getComputedStyle(n).backgroundColor); if (c[3] === 1) return c; }
    return [255, 255, 255, 1]; };
  const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) { const node = walker.currentNode, e = node.parentElement;
    if (!node.data.trim() || !shown(e)) continue;
    const s = getComputedStyle(e), a = lum(parse(s.color)), b = lum(ground(e));
    texts.push({text: node.data.trim().slice(0, 20), size: parseFloat(s.fontSize),
      line: parseFloat(s.lineHeight) / parseFloat(s.fontSize),
      contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
      isTextShadow: s.fontStyle === 'italic'}); }
  const gaps = [...document.querySelectorAll('main .reading p')].filter(shown).map(e => {
    const s = getComputedStyle(e);
    return parseFloat(s.marginBottom) / parseFloat(s.lineHeight); });
  const box = e => { const r = e.getBoundingClientRect();
    return {text: (e.innerText || e.name || '').slice(0, 20), width: r.width, height: r.height}; };
  const main = '.modes a, .public-nav a, .search input, .button, button, summary, .chip';
  const targets = [...document.querySelectorAll(main)].filter(shown).map(box);
  const others = [...document.querySelectorAll('a, input, select')].filter(
    e => shown(e) && !e.classList.contains('skip-link')).map(box);
  return {texts, gaps, targets, others,
    cursor: getComputedStyle(document.querySelector('main')).cursor,
    hand: getComputedStyle(document.querySelector('main a, footer a')).cursor,
    charts: [...document.querySelectorAll('.chart')].filter(shown).length,
    over: document.documentElement.scrollWidth - document.documentElement.clientWidth};
}"""


def prove(*, seed: int, scale: Scale) -> Outcome:
    served, problems = site(), []
    paths = ["/", "/progress/", served.item_path(), "/about/", "/site-map/", "/bulletins/"]
    sizes = POINTS[:1] if scale is Scale.QUICK else POINTS
    least = {"text": 999.0, "contrast": 99.0, "line": 99.0, "gap": 99.0, "main": 999, "other": 999}
    measured = 0
    with browser() as chromium:
        for width in (1366, 320):
            page = chromium.new_page(viewport={"width": width, "height": 900})
            for before in ("", "/contrast"):
                for points in sizes:
                    mode = f"{before}/elder" + (f"/{points}" if points > POINTS[0] else "")
                    for path in paths:
                        page.goto(served.base + mode + path)
                        found = page.evaluate(MEASURE)
                        measured += len(found["texts"])
                        problems += _judge(f"{mode}{path} at {width}", found, points, least)
        keyboard = _journey(chromium, served.base, problems)
    figures = {
        "texts measured": measured,
        "least text px": round(least["text"], 1),
        "least contrast": round(least["contrast"], 2),
        "least line height": round(least["line"], 2),
        "least gap in lines": round(least["gap"], 2),
        "least main target px": round(least["main"]),
        "least other target px": round(least["other"]),
        "keys to the table": keyboard,
    }
    return Outcome(not problems, figures, problems)


def _judge(where: str, found: dict, points: int, least: dict) -> list[str]:
    problems = []
    for text in found["texts"]:
        least["text"] = min(least["text"], text["size"])
        least["contrast"] = min(least["contrast"], text["contrast"])
        least["line"] = min(least["line"], text["line"])
        if text["size"] < points * PX_PER_PT - 0.1:
            problems.append(f"{where}: “{text['text']}” is {text['size']} px")
        if text["contrast"] < 4.5:
            problems.append(f"{where}: “{text['text']}” contrast {text['contrast']:.2f}")
        if text["line"] < 1.3:
            problems.append(f"{where}: “{text['text']}” line height {text['line']:.2f}")
    for gap in found["gaps"]:
        least["gap"] = min(least["gap"], gap)
        if gap < 1.3 - 0.001:
            problems.append(f"{where}: paragraphs {gap:.2f} lines apart")
    for name, wanted, key in (("targets", 60, "main"), ("others", 44, "other")):
        for box in found[name]:
            side = min(box["width"], box["height"])
            least[key] = min(least[key], side)
            if side < wanted - 0.1:
                problems.append(
                    f"{where}: “{box['text']}” {box['width']:.0f} x {box['height']:.0f} px"
                )
    for name in ("cursor", "hand"):
        if "large.svg" not in found[name]:
            problems.append(f"{where}: pointer {found[name]}")
    if found["charts"]:
        problems.append(f"{where}: {found['charts']} charts in the simplified version")
    if found["over"] > 0:
        problems.append(f"{where}: {found['over']} px wider than the screen")
    return problems


def _journey(chromium, base: str, problems: list[str]) -> int:
    """With the keyboard alone from the plain landing page into elder mode and to an item."""
    page = chromium.new_page(viewport={"width": 1366, "height": 900})
    page.goto(base + "/")
    keys = 0

    def walk_to(test: str) -> bool:
        nonlocal keys
        for _ in range(120):
            page.keyboard.press("Tab")
            keys += 1
            if page.evaluate(f"(() => {{ const e = document.activeElement; return {test}; }})()"):
                with page.expect_navigation():
                    page.keyboard.press("Enter")
                return True
        return False

    if not walk_to("e.getAttribute('href') === '/elder/'") or "/elder/" not in page.url:
        problems.append("keyboard: elder mode was not reached")
    if not walk_to("!!e.closest('main table') && e.tagName === 'A'"):
        problems.append("keyboard: no item was reached")
    if "/elder/progress/" not in page.url:
        problems.append(f"keyboard: ended at {page.url}")
    return keys
