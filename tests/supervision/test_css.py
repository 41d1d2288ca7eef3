"""What offices have is Chromium 86, a strict content policy and, now and then, poor eyesight."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "supervision" / "static" / "supervision"
SHEETS = sorted(STATIC.glob("*.css"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
TOKENS = dict(
    re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})\s*;", (STATIC / "tokens.css").read_text("utf-8"))
)

# Pattern of a feature and the version of Chromium that first knew it.
TOO_NEW = {
    r":(?:has|is|where|user-invalid|user-valid|modal|popover-open)\(?(?=[\s,{(:.])": "88-119",
    r":not\([^)]*,": "88, a list in :not()",
    r"@(?:container|layer|property|scope|starting-style|view-transition)\b": "85-118",
    r"(?<![\w-])inset(?:-inline|-block)?\s*:": "87",
    r"(?<![\w-])(?:margin|padding)-(?:inline|block)\s*:": "87",
    r"(?<![\w-])border-(?:inline|block)(?:-color|-style|-width)?\s*:": "87",
    r"(?<![\w-])aspect-ratio\s*:": "88",
    r"(?<![\w-])accent-color\s*:": "93",
    r"(?<![\w-])(?:translate|rotate|scale)\s*:": "104",
    r"(?<![\w-])text-(?:underline-offset|decoration-thickness|wrap)\s*:": "87-114",
    r"(?<![\w-])(?:scrollbar-gutter|interpolate-size|field-sizing|mask|anchor-name)\s*:": "94-125",
    r"overflow(?:-x|-y)?\s*:\s*clip": "90",
    r"\b(?:oklch|oklab|lch|lab|hwb|color|color-mix|light-dark)\(": "101-123",
    r"\b\d*\.?\d+(?:[dsl]v[hwib]|[dsl]v(?:min|max)|cq\w+|lh|rlh|cap|ic)\b": "105-110",
    r"@media[^{]*[<>]": "104, a range in a media query",
    r"\bsubgrid\b": "117",
}


def sheet_text(path):
    """The sheet without comments and strings."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
    return re.sub(r'"[^"]*"', '""', text)


def too_new(text):
    found = [
        f"{match[0]} ({since})" for p, since in TOO_NEW.items() for match in re.finditer(p, text)
    ]
    return found + nested_rules(text)


def nested_rules(text):
    """Rules inside rules (Chromium 112); only at-rules may hold rules."""
    found, open_blocks, head = [], [], ""
    for character in text:
        if character == "{":
            head = head.strip()
            if open_blocks and not open_blocks[-1].startswith("@") and not head.startswith("@"):
                found.append(f"{head} (112, nesting)")
            open_blocks.append(head)
            head = ""
        elif character == "}":
            open_blocks.pop()
            head = ""
        elif character == ";":
            head = ""
        else:
            head += character
    assert not open_blocks, "unbalanced braces"
    return found


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_sheets_use_nothing_newer_than_chromium_86(path):
    assert too_new(sheet_text(path)) == []


@pytest.mark.parametrize(
    "rule",
    [
        "a:has(b) { top: 0 }",
        "a:is(b, c) { top: 0 }",
        "a:not(b, c) { top: 0 }",
        "a { inset: 0 }",
        "a { margin-inline: 0 }",
        "a { aspect-ratio: 1 }",
        "a { color: oklch(1 0 0) }",
        "a { height: 100dvh }",
        "a { & b { top: 0 } }",
        "a { b { top: 0 } }",
        "@container (min-width: 1px) { a { top: 0 } }",
        "@media (width > 1px) { a { top: 0 } }",
        "a { rotate: 4deg }",
    ],
)
def test_the_lint_itself_sees_what_is_too_new(rule):
    assert too_new(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "a { transform: rotate(4deg); margin-inline-start: 1px; background-color: red }",
        "@media (min-width: 1px) { a:not(.b):focus-visible { top: 0 } }",
        "a { border-inline-start-color: red; border-inline-start: 1px solid }",
    ],
)
def test_the_lint_itself_leaves_old_features_alone(rule):
    assert too_new(rule) == []


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_colours_live_in_the_tokens_only(path):
    if path.name != "tokens.css":
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl)a?\(", sheet_text(path)) == []


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_sheets_ask_nobody_else(path):
    text = path.read_text("utf-8")

    assert not re.search(r"url\(\s*[\"']?(?:https?:)?//", text)
    assert "@import" not in text
    assert "!important" not in text


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_every_token_used_is_defined(path):
    defined = set(re.findall(r"(--[\w-]+)\s*:", (STATIC / "tokens.css").read_text("utf-8")))

    assert set(re.findall(r"var\((--[\w-]+)", path.read_text("utf-8"))) <= defined


@pytest.mark.parametrize(
    "path",
    # A mail has no style sheet to link to, and no content policy.
    [path for path in TEMPLATES if path.name != "digest.html"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_templates_obey_the_content_policy(path):
    text = re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", path.read_text("utf-8"), flags=re.S)

    assert not re.search(r"\sstyle\s*=", text), "inline style"
    assert not re.search(r"<style\b", text), "inline style sheet"
    assert not re.search(r"<script(?![^>]*\ssrc=)", text), "inline script"
    assert not re.search(r"<[^>]*\son\w+\s*=", text), "inline handler"
    assert not re.search(r"(?:src|<link[^>]*href)=[\"'](?:https?:)?//", text), "foreign address"


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


LIGHTS = ["red", "yellow", "green", "blue", "grey"]
TEXT_PAIRS = [
    *((f"light-{light}-ink", f"light-{light}-tint") for light in LIGHTS),
    *((f"light-{light}-on-solid", f"light-{light}-solid") for light in LIGHTS),
    *(
        (ink, ground)
        for ink in ("ink", "ink-soft", "ink-faint", "link", "link-visited", "action-hover")
        for ground in ("surface", "ground", "surface-sunken", "surface-hover")
    ),
    *((f"light-{light}-ink", "surface-hover") for light in LIGHTS),
    ("ink", "light-blue-tint"),
    ("ink", "light-green-tint"),
    ("ink", "light-grey-tint"),
    ("ink", "danger-tint"),
    ("ink", "notice-tint"),
    ("ink", "mark"),
    ("action-ink", "action"),
    ("action-ink", "action-hover"),
    ("action", "action-tint"),
    ("danger-ink", "surface"),
    ("danger-ink", "danger-tint"),
    ("notice-ink", "notice-tint"),
    ("masthead-ink", "masthead"),
]


@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_has_enough_contrast(ink, ground):
    assert contrast(TOKENS[ink], TOKENS[ground]) >= 4.5


@pytest.mark.parametrize(
    ("line", "ground"),
    [
        ("line-strong", "surface"),
        ("line-strong", "ground"),
        ("line-strong", "surface-sunken"),
        ("focus", "surface"),
        ("focus", "ground"),
        ("action", "light-grey-tint"),
        ("light-red-solid", "surface"),
        ("light-green-solid", "surface"),
    ],
)
def test_controls_and_marks_can_be_seen(line, ground):
    assert contrast(TOKENS[line], TOKENS[ground]) >= 3


@pytest.mark.parametrize(
    ("light", "ratio"),
    [("red", 7.97), ("yellow", 7.59), ("green", 7.33), ("blue", 7.55), ("grey", 8.43)],
)
def test_lights_have_the_contrast_they_were_chosen_for(light, ratio):
    pair = TOKENS[f"light-{light}-ink"], TOKENS[f"light-{light}-tint"]

    assert contrast(*pair) == pytest.approx(ratio, abs=0.01)


def test_the_red_of_the_masthead_is_not_the_red_of_a_light():
    masthead, light = TOKENS["masthead"], TOKENS["light-red-solid"]

    difference = sum((a - b) ** 2 for a, b in zip(lab(masthead), lab(light), strict=True)) ** 0.5
    assert difference > 10


def lab(colour):
    """CIE L*a*b* under D65."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)
