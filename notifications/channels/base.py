"""The port every way out goes through: one message in, nothing out, or one of three failures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from notifications.texts import Line


@dataclass(frozen=True)
class Message:
    """What is to be said, whatever the way out makes of it; `to` is an account or a group robot.

    `message_id` is the mail header's; `is_digest` a day's digest, `is_resend` a person's repeat.
    """

    to: object
    lines: Sequence[Line]
    message_id: str
    is_digest: bool = False
    is_resend: bool = False


class Channel(Protocol):
    """A way out. `send` returns only when the other side has taken the message over.

    Raises TemporaryFailure, PermanentFailure or OutcomeUnknown, and nothing else on purpose:
    anything else is treated as temporary. No failure names a secret or an address with one.
    """

    def send(self, message: Message) -> None: ...


class SendProblem(Exception):
    """Not sent, or not surely: a code of `texts.REASONS`, with the other side's words."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class TemporaryFailure(SendProblem):
    """Surely not taken over; worth another try. `is_down`: nobody else can be reached either."""

    def __init__(self, code: str, detail: str = "", *, is_down: bool = False) -> None:
        super().__init__(code, detail)
        self.is_down = is_down


class PermanentFailure(SendProblem):
    """Surely not taken over, and another try would be answered alike."""


class OutcomeUnknown(SendProblem):
    """It may have been taken over: it is never tried again by itself, a person looks."""
