"""Mail: one message to one person, as text and as HTML."""

import smtplib
from collections.abc import Callable

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from notifications import texts
from notifications.channels.base import Message, OutcomeUnknown, PermanentFailure, TemporaryFailure

# A mail names this many matters; the inbox has them all.
LONGEST = 50
END_OF_DATA = b"\r\n.\r\n"


class MailChannel:
    """The mail host of the settings."""

    def send(self, message: Message) -> None:
        hand_over(compose(message))


def hand_over(mail: EmailMessage) -> None:
    """Give one mail to the mail host. Raises a SendProblem that says what is known of its fate."""
    connection = get_connection(fail_silently=False)
    try:
        connection.open()
    except (smtplib.SMTPException, OSError) as error:
        raise TemporaryFailure("host_down", _words(error), is_down=True) from error
    mail.connection = connection
    is_content_out = _watch(getattr(connection, "connection", None))
    try:
        mail.send(fail_silently=False)
    except (smtplib.SMTPException, OSError) as error:
        raise _failure(error, is_content_out=is_content_out()) from error
    finally:
        connection.close()


def compose(message: Message) -> EmailMultiAlternatives:
    """The mail as it leaves, in the reader's language."""
    with translation.override(settings.LANGUAGE_CODE):
        # Red first, then as it happened.
        lines = sorted(
            message.lines,
            key=lambda line: ({"red": 0, "yellow": 1}.get(line.tone, 2), line.happened_at),
        )
        context = {
            "user": message.to,
            "lines": lines[:LONGEST],
            "left_out": max(len(lines) - LONGEST, 0),
            "is_resend": message.is_resend,
            "site_url": settings.SITE_URL,
            "inbox_url": settings.SITE_URL + reverse("notifications:inbox"),
            "office_name": settings.OFFICE_NAME,
        }
        subject = (
            texts.digest_subject(len(lines)) if message.is_digest else texts.alarm_subject(lines[0])
        )
        if message.is_resend:
            subject = texts.resend_subject(subject)
        mail = EmailMultiAlternatives(
            subject=" ".join(subject.split())[:150],
            body=render_to_string("notifications/digest.txt", context),
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[message.to.email],
            headers={"Message-ID": message.message_id, "Auto-Submitted": "auto-generated"},
        )
        mail.attach_alternative(render_to_string("notifications/digest.html", context), "text/html")
    return mail


def _watch(smtp) -> Callable[[], bool]:
    """Whether the whole content has left for the host: from then on a silence says nothing."""
    if smtp is None or not hasattr(smtp, "send"):
        return lambda: False
    seen = []
    send = smtp.send

    def watched(data):
        if isinstance(data, bytes) and data.endswith(END_OF_DATA):
            seen.append(True)
        return send(data)

    smtp.send = watched
    return lambda: bool(seen)


def _failure(error: Exception, *, is_content_out: bool) -> Exception:
    """What an answer of the host, or its silence, means for this one message."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        kind = PermanentFailure if 500 <= code < 600 else TemporaryFailure
        return kind("refused", f"{code} {_text(words)}")
    if isinstance(error, smtplib.SMTPSenderRefused):
        # Our own address is not welcome: nobody's mail would be.
        return TemporaryFailure("host_down", _words(error), is_down=True)
    if isinstance(error, smtplib.SMTPResponseException):
        kind = PermanentFailure if 500 <= error.smtp_code < 600 else TemporaryFailure
        return kind("refused", _words(error))
    if is_content_out:
        return OutcomeUnknown("no_answer", type(error).__name__)
    return TemporaryFailure("host_down", _words(error), is_down=True)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return f"{type(error).__name__} {error}"


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
