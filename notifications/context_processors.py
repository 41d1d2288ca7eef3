"""Unread count for the top bar."""


def unread(request) -> dict:
    return {}
