"""Mail: one message to one person, as text and as HTML."""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from notifications import texts
from notifications.models import Delivery
from supervision.models import User

# A mail names this many matters; the inbox has them all.
LONGEST = 50


def send_mail(*, user: User, events: Sequence[Delivery], message_id: str, is_digest: bool) -> None:
    """Hand one mail to the host. Raises what the back-end raises: nothing fails silently."""
    with translation.override(settings.LANGUAGE_CODE):
        lines = [texts.line_for(delivery.event, reason_code=delivery.duty) for delivery in events]
        # Red first, then as it happened.
        lines.sort(key=lambda line: ({"red": 0, "yellow": 1}.get(line.tone, 2), line.happened_at))
        context = {
            "user": user,
            "lines": lines[:LONGEST],
            "left_out": max(len(lines) - LONGEST, 0),
            "site_url": settings.SITE_URL,
            "inbox_url": settings.SITE_URL + reverse("notifications:inbox"),
            "office_name": settings.OFFICE_NAME,
        }
        subject = texts.digest_subject(len(lines)) if is_digest else texts.alarm_subject(lines[0])
        message = EmailMultiAlternatives(
            subject=" ".join(subject.split())[:150],
            body=render_to_string("notifications/digest.txt", context),
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[user.email],
            headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
        )
        message.attach_alternative(
            render_to_string("notifications/digest.html", context), "text/html"
        )
    message.send(fail_silently=False)
