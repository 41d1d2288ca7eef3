"""How a reader wants the pages: elder mode, size of type, high contrast. All of it in the address.

The site sets no cookie, so a wish lives in the first parts of the address and every link keeps
it: `/contrast/elder/26/progress/`. Source: public-site.md, section 10.
"""

from dataclasses import dataclass, replace

ELDER_POINTS = (18, 22, 26, 30)
TEXT_SIZES = ("small", "large")


@dataclass(frozen=True)
class Mode:
    """The reader's wishes. `points` is the size of main text in elder mode, 18 to 30 pt."""

    is_contrast: bool = False
    is_elder: bool = False
    points: int = ELDER_POINTS[0]
    text: str = ""

    @property
    def prefix(self) -> str:
        """What stands before the path, without a slash at the end; empty for the plain pages."""
        parts = ["contrast"] if self.is_contrast else []
        if self.is_elder:
            parts.append("elder")
            if self.points != ELDER_POINTS[0]:
                parts.append(str(self.points))
        elif self.text:
            parts.append(f"text-{self.text}")
        return "".join(f"/{part}" for part in parts)

    @property
    def css(self) -> str:
        """The classes of the page's body."""
        names = ["contrast"] if self.is_contrast else []
        if self.is_elder:
            names += ["elder", f"elder-{self.points}"]
        elif self.text:
            names.append(f"text-{self.text}")
        return " ".join(names)

    def but(self, **changes) -> "Mode":
        return replace(self, **changes)


PLAIN = Mode()
# Every mode there is: each has an address of its own for each page.
EVERY = tuple(
    mode
    for is_contrast in (False, True)
    for mode in (
        *(Mode(is_contrast, text=text) for text in ("", *TEXT_SIZES)),
        *(Mode(is_contrast, is_elder=True, points=points) for points in ELDER_POINTS),
    )
)


def read(path: str) -> tuple[Mode, str]:
    """The mode an address asks for, and the path without it. Only the one order of parts counts."""
    mode, rest = PLAIN, path
    if rest.startswith("/contrast/"):
        mode, rest = mode.but(is_contrast=True), rest[len("/contrast") :]
    if rest.startswith("/elder/"):
        mode, rest = mode.but(is_elder=True), rest[len("/elder") :]
        for points in ELDER_POINTS[1:]:
            if rest.startswith(f"/{points}/"):
                return mode.but(points=points), rest[len(f"/{points}") :]
        return mode, rest
    for size in TEXT_SIZES:
        if rest.startswith(f"/text-{size}/"):
            return mode.but(text=size), rest[len(f"/text-{size}") :]
    return mode, rest
