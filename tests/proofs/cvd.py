"""Lights seen by red-blind, green-blind and blue-blind readers and in grey: still told apart.

The simulations are those of Machado, Oliveira and Fernandes (2009) at full severity, on linear
RGB; differences are CIE76 in L*a*b*. Shapes and words are compared as drawn in the page.
"""

import itertools
import re

from tests.proofs.common import ROOT, Outcome, Scale
from tests.proofs.public import browser, site

SIMULATIONS = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
LEAST_DIFFERENCE = 40
LEAST_CONTRAST = 4.5
LEAST_GREY_CONTRAST = 4.5
CODES = ("red", "yellow", "green")
DRAWN = """() => [...document.querySelectorAll('.light')].map(e => [
  [...e.classList].find(c => c.startsWith('light-')),
  e.querySelector('svg') ? e.querySelector('svg').innerHTML.replace(/\\s+/g, ' ') : '',
  [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join('')])"""


def _linear(colour: str) -> list[float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def _seen(colour: str, kind: str) -> list[float]:
    rgb = _linear(colour)
    if kind == "greyscale":
        return [0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]] * 3
    mixed = [sum(a * b for a, b in zip(row, rgb, strict=True)) for row in SIMULATIONS.get(kind, ())]
    return [min(1.0, max(0.0, part)) for part in mixed or rgb]


def _luminance(rgb: list[float]) -> float:
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]


def _contrast(one: list[float], other: list[float]) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _lab(rgb: list[float]) -> tuple[float, float, float]:
    r, g, b = rgb
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def prove(*, seed: int, scale: Scale) -> Outcome:
    sheet = ROOT / "supervision" / "static" / "supervision" / "tokens.css"
    tokens = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})\s*;", sheet.read_text("utf-8")))
    problems, least = [], {}
    for kind in SIMULATIONS:
        solids = {code: _lab(_seen(tokens[f"light-{code}-solid"], kind)) for code in CODES}
        for one, other in itertools.combinations(CODES, 2):
            difference = (
                sum((a - b) ** 2 for a, b in zip(solids[one], solids[other], strict=True)) ** 0.5
            )
            least[kind] = min(least.get(kind, 999), difference)
            if difference < LEAST_DIFFERENCE:
                problems.append(f"{kind}: {one} and {other} differ by {difference:.0f}")
    for kind in (*SIMULATIONS, "greyscale"):
        for code in ("red", "orange", "yellow", "green", "blue", "grey"):
            pairs = (
                (f"light-{code}-ink", f"light-{code}-tint"),
                (f"light-{code}-on-solid", f"light-{code}-solid"),
            )
            for ink, ground in pairs:
                found = _contrast(_seen(tokens[ink], kind), _seen(tokens[ground], kind))
                wanted = LEAST_GREY_CONTRAST if kind == "greyscale" else LEAST_CONTRAST
                if found < wanted and code != "orange":
                    problems.append(f"{kind}: {ink} on {ground} {found:.2f}")
    shapes, words = _drawn(problems)
    for one, other in itertools.combinations(sorted(shapes), 2):
        if shapes[one] == shapes[other] and words[one] & words[other]:
            problems.append(f"{one} and {other} share shape and word")
    figures = {f"least ΔE {kind}": round(value) for kind, value in least.items()}
    return Outcome(not problems, figures | {"lights drawn": len(shapes)}, problems)


def _drawn(problems: list[str]) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Shape and words of each light as the landing page draws them."""
    shapes: dict[str, str] = {}
    words: dict[str, set[str]] = {}
    served = site()
    with browser() as chromium:
        page = chromium.new_page()
        for path in ("/", served.item_path()):
            page.goto(served.base + path)
            for name, shape, word in page.evaluate(DRAWN):
                if not shape or not word:
                    problems.append(f"{path}: {name} has shape {shape!r} and word {word!r}")
                shapes[name] = shape
                words.setdefault(name, set()).add(word)
    if len(shapes) < 4:
        problems.append(f"only these lights were seen: {sorted(shapes)}")
    return shapes, words
