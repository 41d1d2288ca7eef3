"""Addresses of the workbench. Identifiers are opaque; a number never authorises."""

from django.urls import path

from supervision.views.components import components

app_name = "supervision"

# The office, leaders, publishers
office_urls: list = []

# Bureaus and counties
body_urls: list = []

# Workbooks
spreadsheet_urls: list = []

urlpatterns = [
    path("components/", components, name="components"),
    *office_urls,
    *body_urls,
    *spreadsheet_urls,
]
