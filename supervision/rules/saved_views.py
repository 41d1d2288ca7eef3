"""Which filters of a page may be kept under a name."""

from urllib.parse import parse_qsl, urlencode

# Page: its parameters, in the order in which they are kept. The number of a page of a long list
# is none of them: it means something else tomorrow. Nor is the whole list for the printer.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "items": ("document", "kind", "state", "body", "leader", "light", "q", "order"),
    "matrix": ("document", "kind", "state", "body", "leader", "q"),
    "timeline": ("document", "kind", "state", "body", "leader", "light", "q"),
    "ledger": ("document", "light", "body", "columns", "details"),
    "ledgers": ("sheet", "document", "period", "kind", "state", "body", "leader", "light")
    + ("paper", "order", "numbering", "columns"),
}
LEFT_OUT = frozenset({"page", "print"})
# Names of columns stand in one value, with this between them.
JOINT = "."
LONGEST_VALUE = 100
LONGEST_LIST = 600
LISTS = frozenset({"columns", "details"})
LONGEST_QUERY = 1_000
MOST_FIELDS = 30


class UnknownParameter(ValueError):
    """The query holds what the page does not know; `name` says what."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def clean_query(page: str, query: str) -> str:
    """The query with known parameters only, each once, in a fixed order, without empty ones.

    Two addresses that filter alike give the same text. Raises UnknownParameter for an unknown
    page, an unknown or repeated name, or a value nobody can have chosen.
    """
    if page not in PARAMETERS:
        raise UnknownParameter(page)
    values: dict[str, str] = {}
    try:
        pairs = parse_qsl(query.lstrip("?"), max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise UnknownParameter(page) from error
    for name, value in pairs:
        if name in LEFT_OUT or not value.strip():
            continue
        longest = LONGEST_LIST if name in LISTS else LONGEST_VALUE
        if name not in PARAMETERS[page] or name in values or len(value) > longest:
            raise UnknownParameter(name)
        values[name] = value.strip()
    cleaned = urlencode([(name, values[name]) for name in PARAMETERS[page] if name in values])
    if len(cleaned) > LONGEST_QUERY:
        raise UnknownParameter(page)
    return cleaned
