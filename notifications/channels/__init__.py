"""Ways out of the house, behind one small port (`base.Channel`).

Each is imported when it is first used: a process that sends nothing does not load apprise.
"""

from functools import cache
from importlib import import_module

from notifications.channels.base import Channel

CHANNELS = {
    "digest": "notifications.channels.mail.MailChannel",
    "mail": "notifications.channels.mail.MailChannel",
    "webhook": "notifications.channels.webhook.WebhookChannel",
    "sms": "notifications.channels.sms.SmsChannel",
}


@cache
def channel(name: str) -> Channel:
    """The way out of this name; raises KeyError for a name nobody knows."""
    module, _dot, class_name = CHANNELS[name].rpartition(".")
    return getattr(import_module(module), class_name)()
