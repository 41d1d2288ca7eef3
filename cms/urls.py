"""Addresses of the public site outside Wagtail's tree."""

app_name = "cms"
urlpatterns: list = []
