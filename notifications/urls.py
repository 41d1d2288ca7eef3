"""Addresses of the inbox."""

app_name = "notifications"
urlpatterns: list = []
