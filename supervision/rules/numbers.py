"""Numbers of items and letters: year in 〔 〕, no leading zero, no 第."""


def format_number(prefix: str, year: int, n: int, *, is_letter: bool = False) -> str:
    """督字〔2026〕18 for an item, 衡政督〔2026〕8号 for a letter (domain.md, section 7.2)."""
    if n < 1:
        raise ValueError(f"numbers begin at 1, not {n}")
    return f"{prefix}〔{year}〕{n}" + ("号" if is_letter else "")
