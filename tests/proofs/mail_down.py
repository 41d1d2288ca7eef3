"""The mail host is gone for a day: no message is lost, no page waits for it, all leave after it.

Time is simulated, the mail host is real: a closed port first, then a listening SMTP server. Ticks
come every five minutes of the simulated time. Pages are asked for with the host up and down.
"""

import socket
import statistics
import time
from collections import Counter
from datetime import timedelta

from tests.proofs.common import TODAY, Outcome, Scale, build_world, empty, noon

SHARES = {Scale.QUICK: 60, Scale.FIRST: 500, Scale.AIM: 10_000}
HOURS = {Scale.QUICK: 24, Scale.FIRST: 24, Scale.AIM: 7 * 24}
PAGES = {Scale.QUICK: 5, Scale.FIRST: 40, Scale.AIM: 40}


class Sink:
    """Keeps every mail it is given."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []

    async def handle_DATA(self, server, session, envelope):
        from email import message_from_bytes

        message = message_from_bytes(envelope.content)
        self.mails += [(address, message["Message-ID"]) for address in envelope.rcpt_tos]
        return "250 taken"


def prove(*, seed: int, scale: Scale) -> Outcome:
    import time_machine
    from aiosmtpd.controller import Controller
    from django.conf import settings
    from django.test import Client

    from notifications.models import Delivery, InboxEntry, SendStatus
    from notifications.services import fan_out_missed
    from supervision.models import User
    from tasks.jobs import sweep
    from tests.proofs.two_schedulers import adopt

    empty()
    city = build_world(SHARES[scale])
    adopt()
    port = _closed_port()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.MAIL_BREAKER_FLOOR = 1_000_000
    settings.SEND_MAIL = True
    client = Client()
    client.force_login(city.officer)

    def tick(at) -> None:
        with time_machine.travel(at, tick=False):
            sweep(at.date(), at=at)
            fan_out_missed()
            _send(at)

    def page_seconds() -> float:
        times = []
        for _ in range(PAGES[scale]):
            started = time.perf_counter()
            response = client.get("/desk/inbox/")
            assert response.status_code == 200, response.status_code
            times.append(time.perf_counter() - started)
        return statistics.median(times)

    start = noon(TODAY, 8, 0)
    with time_machine.travel(start, tick=False):
        sweep(TODAY, at=start)
        fan_out_missed()
    wanted = set(Delivery.objects.values_list("pk", flat=True))
    inbox = InboxEntry.objects.count()
    calm = page_seconds()
    down = 0
    at = start
    while at < start + timedelta(hours=HOURS[scale]):
        tick(at)
        down += 1
        at += timedelta(minutes=5)
    during = page_seconds()
    states = Counter(Delivery.objects.values_list("status", flat=True))
    sent_while_down = states[SendStatus.SENT]

    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    started = time.monotonic()
    try:
        for _ in range(3 * 24 * 12):
            tick(at)
            at += timedelta(minutes=5)
            if not Delivery.objects.filter(status__in=_OPEN).exists():
                break
        drained = time.monotonic() - started
    finally:
        controller.stop()
    after = Counter(Delivery.objects.values_list("status", flat=True))
    known = set(Delivery.objects.values_list("pk", flat=True))
    doubled = [key for key, n in Counter(sink.mails).items() if n > 1]
    reached = {address for address, _id in sink.mails}
    addresses = set(
        User.objects.filter(
            deliveries__status=SendStatus.SENT, deliveries__channel__in=_MAIL
        ).values_list("email", flat=True)
    )
    problems = []
    if wanted - known:
        problems.append(f"{len(wanted - known)} messages gone")
    if sent_while_down:
        problems.append(f"{sent_while_down} called sent while nobody listened")
    if after[SendStatus.DEAD] or after[SendStatus.UNKNOWN] or any(after[s] for s in _OPEN):
        problems.append(f"not drained: {dict(after)}")
    if doubled:
        problems.append(f"sent twice: {doubled[:3]}")
    if addresses - reached:
        problems.append(f"called sent and never arrived: {sorted(addresses - reached)[:3]}")
    if InboxEntry.objects.count() < inbox:
        problems.append("inbox entries are missing")
    # The page must not wait for the host: a timeout would be seconds, noise is milliseconds.
    if during > calm * 2 + 0.05:
        problems.append(f"pages took {during:.3f} s instead of {calm:.3f} s")
    figures = {
        "hours down": HOURS[scale],
        "ticks while down": down,
        "messages waiting": len(wanted),
        "sent while down": sent_while_down,
        "mails after": len(sink.mails),
        "lost": len(wanted - known),
        "doubled": len(doubled),
        "states": {str(state): n for state, n in sorted(after.items())},
        "page s, up": round(calm, 4),
        "page s, down": round(during, 4),
        "seconds to drain": round(drained, 1),
    }
    return Outcome(not problems and bool(sink.mails), figures, problems)


_OPEN = ("pending", "sending", "failed", "held")
_MAIL = ("digest", "mail")


def _send(at) -> None:
    from notifications.sending import send_pending

    send_pending(at)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
