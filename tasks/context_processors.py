"""How the machinery is doing, for the office's home page."""


def operations(request) -> dict:
    return {}
