"""Addresses of the inbox."""

from django.urls import path

from notifications.views import inbox, mark

app_name = "notifications"
urlpatterns = [
    path("", inbox, name="inbox"),
    path("mark/", mark, name="mark"),
]
