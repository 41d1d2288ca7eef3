"""Addresses of the workbench. Identifiers are opaque; a number never authorises."""

from django.urls import path

from supervision.views import audit, documents, home, items, matrix, releases, reviews
from supervision.views.components import components

app_name = "supervision"

# The office, leaders, publishers
office_urls: list = [
    path("", home.home, name="home"),
    path("items/", items.items, name="items"),
    path("items/new/", items.item_new, name="item_new"),
    path("items/bulk/", items.items_dispatch, name="items_dispatch"),
    path("items/<uuid:uid>/", items.item, name="item"),
    path("items/<uuid:uid>/edit/", items.item_edit, name="item_edit"),
    path("items/<uuid:uid>/<slug:act>/", items.item_act, name="item_act"),
    path("matrix/", matrix.matrix, name="matrix"),
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/<slug:queue>/<uuid:uid>/<slug:act>/", reviews.review_act, name="review_act"),
    path("documents/", documents.documents, name="documents"),
    path("documents/<uuid:uid>/", documents.document, name="document"),
    path("documents/<uuid:uid>/<slug:act>/", documents.document_act, name="document_act"),
    path("releases/", releases.releases, name="releases"),
    path("releases/propose/", releases.release_propose, name="release_propose"),
    path("releases/<uuid:uid>/", releases.release, name="release"),
    path("releases/<uuid:uid>/<slug:act>/", releases.release_act, name="release_act"),
    path("audit/", audit.audit, name="audit"),
]

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
