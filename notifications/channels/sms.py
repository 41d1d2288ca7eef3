"""Text messages through the gateway of the settings; for red only, and off by default.

The gateway takes `POST` JSON with `phone`, `content` and `id`, answers 2xx when it has taken the
message over, and drops a second message with the same `id`. A gateway that speaks otherwise gets
an adapter of its own behind the same port.
"""

import requests
from django.conf import settings
from django.utils import translation

from notifications import texts
from notifications.channels.base import Message, PermanentFailure
from notifications.channels.http import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    check_status,
    failure_of,
)


class SmsChannel:
    """One text message to one mobile phone."""

    def send(self, message: Message) -> None:
        if not settings.SMS_GATEWAY_URL:
            raise PermanentFailure("misconfigured")
        with translation.override(settings.LANGUAGE_CODE):
            content = texts.short_text(message.lines[0], is_resend=message.is_resend)
        headers = {}
        if settings.SMS_GATEWAY_TOKEN:
            headers["Authorization"] = f"Bearer {settings.SMS_GATEWAY_TOKEN}"
        try:
            answer = requests.post(
                settings.SMS_GATEWAY_URL,
                json={
                    "phone": message.to.mobile_phone,
                    "content": content,
                    "id": message.message_id.strip("<>"),
                },
                headers=headers,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise failure_of(error) from None
        check_status(answer.status_code)
