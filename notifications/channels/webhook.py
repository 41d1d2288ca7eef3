"""Group robots of WeCom, DingTalk and Feishu, through apprise's plugins for them.

Apprise builds payload and signature, but answers only yes or no, and says yes to HTTP 200 even
when the body says “wrong key” or “too fast”. So the plugins speak through a witness that keeps
what the other side really answered.
"""

from threading import local

import requests
from apprise import NotifyFormat
from apprise.plugins import dingtalk, feishu, wecombot
from django.conf import settings
from django.utils import translation

from notifications import texts
from notifications.channels.base import (
    Message,
    OutcomeUnknown,
    PermanentFailure,
    SendProblem,
    TemporaryFailure,
)
from notifications.channels.http import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    check_status,
    failure_of,
)
from notifications.models import GroupRobot

Kind = GroupRobot.Kind

# WeCom takes 2,048 bytes; one length for all three keeps the messages alike.
LONGEST_BYTES = 1900
# Codes in the body of a 200 that mean “later”; every other one but 0 means “no”.
LATER = {
    Kind.WECOM: {-1, 45009, 45033},
    Kind.DINGTALK: {-1, 130101, 410100},
    Kind.FEISHU: {9499, 11232, 99991400},
}
CODE_NAMES = ("errcode", "code", "StatusCode")


class Witness:
    """Stands where a plugin expects `requests`; only the answer to our own thread is kept."""

    RequestException = requests.RequestException
    codes = requests.codes

    def __init__(self) -> None:
        self.kept = local()

    def clear(self) -> None:
        self.kept.answer = self.kept.error = None

    def post(self, url, **options):
        # A robot's address does not move; a redirect would carry the key elsewhere.
        options |= {"allow_redirects": False, "timeout": (CONNECT_SECONDS, ANSWER_SECONDS)}
        try:
            self.kept.answer = requests.post(url, **options)
        except requests.RequestException as error:
            self.kept.error = error
            raise
        return self.kept.answer


witness = Witness()
for _plugin in (wecombot, dingtalk, feishu):
    _plugin.requests = witness

PLUGINS = {
    Kind.WECOM: (wecombot.NotifyWeComBot, "https://qyapi.weixin.qq.com"),
    Kind.DINGTALK: (dingtalk.NotifyDingTalk, "https://oapi.dingtalk.com"),
    Kind.FEISHU: (feishu.NotifyFeishu, "https://open.feishu.cn"),
}


def plugin_for(kind: str, address: str, secret: str = ""):
    """The plugin of one robot; raises TypeError when the key does not have the product's form.

    `WEBHOOK_HOSTS` names another host for a product that runs in the government's own cloud.
    """
    plugin, public_host = PLUGINS[kind]
    host = settings.WEBHOOK_HOSTS.get(str(kind), public_host).rstrip("/")
    address_of_host = plugin.notify_url.replace(public_host, host)
    named = type(plugin.__name__, (plugin,), {"notify_url": address_of_host})
    if kind == Kind.WECOM:
        return named(key=address)
    if kind == Kind.DINGTALK:
        return named(token=address, secret=secret or None)
    return named(token=address)


class WebhookChannel:
    """The robot of a chat group."""

    def send(self, message: Message) -> None:
        robot = message.to
        try:
            plugin = plugin_for(robot.kind, robot.address, robot.secret)
        except TypeError:
            raise PermanentFailure("misconfigured") from None
        with translation.override(settings.LANGUAGE_CODE):
            body = texts.group_text(
                message.lines, longest=LONGEST_BYTES, is_resend=message.is_resend
            )
        witness.clear()
        is_taken = plugin.send(body=body, title="", body_format=NotifyFormat.TEXT)
        problem = self._problem(robot.kind)
        if problem is not None:
            raise problem from None
        if not is_taken:
            raise TemporaryFailure("answer")

    def _problem(self, kind: str) -> SendProblem | None:
        error, answer = witness.kept.error, witness.kept.answer
        if error is not None:
            return failure_of(error)
        if answer is None:
            return TemporaryFailure("answer")
        try:
            check_status(answer.status_code)
            body = answer.json()
            code = next(body[name] for name in CODE_NAMES if name in body)
        except SendProblem as problem:
            return problem
        except (ValueError, TypeError, StopIteration):
            return OutcomeUnknown("answer", str(answer.status_code))
        if code == 0:
            return None
        if code in LATER[kind]:
            return TemporaryFailure("busy", str(code))
        return PermanentFailure("robot", str(code))
