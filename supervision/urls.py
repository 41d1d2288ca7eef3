"""Addresses of the workbench."""

app_name = "supervision"
urlpatterns: list = []
