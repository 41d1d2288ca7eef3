"""Measures of an official document (GB/T 9704-2012), as domain.md, section 7.3 lists them.

Lengths in twips (1/1440 inch), font sizes in half points, border widths in eighths of a point,
unless a name says otherwise.
"""

TWIPS_PER_MM = 1440 / 25.4
TWIPS_PER_POINT = 20
TWIPS_PER_LINE = 580  # 29 points; templates may set 28 to 30 points


def mm(length: float) -> int:
    """Millimetres in twips."""
    return round(length * TWIPS_PER_MM)


PAGE_WIDTH, PAGE_HEIGHT = 11906, 16838
# 22 lines of 580 are 4 twips more than 225 mm: the top margin, 37 ± 1 mm, gives them (36.94 mm).
MARGIN_TOP, MARGIN_BOTTOM = 2094, 1984
MARGIN_LEFT, MARGIN_RIGHT = 1587, 1474
TEXT_WIDTH = PAGE_WIDTH - MARGIN_LEFT - MARGIN_RIGHT
TEXT_HEIGHT = PAGE_HEIGHT - MARGIN_TOP - MARGIN_BOTTOM

# 22 lines of 28 characters: the grid squeezes a 16-point character to 442 pt / 28.
LINES, CHARACTERS = 22, 28
GRID_LINE_PITCH = 580
GRID_CHAR_SPACE = -848
# The same squeeze as spacing of each character, for programs that snap to the grid otherwise;
# with one twip less LibreOffice sets 27 characters.
SQUEEZE = -6
CHARACTER = TEXT_WIDTH / CHARACTERS

SIZE_MARK_MAX, SIZE_MARK_MIN = 124, 52  # the issuer's mark: 62 down to 26 points
SIZE_2, SIZE_SMALL_2, SIZE_3, SIZE_4, SIZE_SMALL_4 = 44, 36, 32, 28, 24

FONT_TITLE = "方正小标宋简体"
FONT_BODY = "仿宋_GB2312"
FONT_FIRST = "黑体"
FONT_SECOND = "楷体_GB2312"
FONT_PAGE_NUMBER = "宋体"

RED = "FF0000"
# Colour sheets: fill behind the word, and the word's own colour upon it.
SHEETS = {
    "blue": ("1F5FBF", "FFFFFF"),
    "yellow": ("FFD500", "000000"),
    "red": ("D40000", "FFFFFF"),
}

# The issuer's mark begins 35 mm below the top of the text block; the rule lies 4 mm below the
# number; page numbers 7 mm below the text block.
MARK_DROP_MM = 35
RULE_DROP_MM = 4
PAGE_NUMBER_DROP_MM = 7

RULE_HEAD = 18
RULE_OUTER, RULE_INNER = 8, 6  # 0.35 mm asks for 8, 0.25 mm for 6

SIGN_INDENT_CHARACTERS = 4
TITLE_CHARACTERS = 20
# Up to so many characters (eight lines) the last paragraph stays with the signature.
KEPT_CHARACTERS = 8 * CHARACTERS
