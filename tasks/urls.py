"""Addresses of the watchers."""

app_name = "tasks"
urlpatterns: list = []
