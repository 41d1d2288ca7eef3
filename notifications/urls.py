"""Addresses of inbox, outbox and choices."""

from django.urls import path

from notifications import outbox_views as outbox
from notifications.views import inbox, mark

app_name = "notifications"
urlpatterns = [
    path("inbox/", inbox, name="inbox"),
    path("inbox/mark/", mark, name="mark"),
    path("outbox/", outbox.outbox_page, name="outbox"),
    path("outbox/act/", outbox.outbox_act, name="outbox_act"),
    path("outbox/upcoming/", outbox.upcoming_page, name="upcoming"),
    path("outbox/hold/", outbox.hold, name="hold"),
    path("outbox/hold/<uuid:uid>/release/", outbox.hold_release, name="hold_release"),
    path("outbox/robots/", outbox.robots, name="robots"),
    path("outbox/robots/<uuid:uid>/", outbox.robot_act, name="robot_act"),
    path("preferences/", outbox.preferences, name="preferences"),
]
