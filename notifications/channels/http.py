"""What an HTTP answer, or the lack of one, means. Addresses hold secrets and are never repeated."""

import requests

from notifications.channels.base import OutcomeUnknown, PermanentFailure, TemporaryFailure

CONNECT_SECONDS = 4
ANSWER_SECONDS = 8


def check_status(status: int) -> None:
    """Return for 2xx; raise what any other status means."""
    if 200 <= status < 300:
        return
    if status == 429:
        raise TemporaryFailure("busy", str(status))
    if status == 504:  # a gateway passed it on and heard nothing
        raise OutcomeUnknown("no_answer", str(status))
    if status >= 500:
        raise TemporaryFailure("http", str(status))
    raise PermanentFailure("http", str(status))


def failure_of(error: requests.RequestException) -> Exception:
    """Never connected: surely not sent. Connected and then silence: nobody knows."""
    if isinstance(error, requests.exceptions.SSLError):
        return TemporaryFailure("certificate", type(error).__name__, is_down=True)
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.ProxyError)):
        return TemporaryFailure("host_down", type(error).__name__, is_down=True)
    if isinstance(error, requests.ConnectionError) and _was_never_connected(error):
        return TemporaryFailure("host_down", type(error).__name__, is_down=True)
    if isinstance(error, (requests.ConnectionError, requests.Timeout)):
        return OutcomeUnknown("no_answer", type(error).__name__)
    return PermanentFailure("misconfigured", type(error).__name__)


def _was_never_connected(error: requests.ConnectionError) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError"}
