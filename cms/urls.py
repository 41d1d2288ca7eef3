"""Addresses of the public site outside Wagtail's tree."""

from django.urls import path

from cms import views

app_name = "cms"

urlpatterns = [
    path("progress/items.csv", views.items_csv, name="items_csv"),
    path("progress/items.xlsx", views.items_xlsx, name="items_xlsx"),
    path("progress/<slug:slug>/", views.item, name="item"),
    path("progress/<slug:slug>.json", views.item_json, name="item_json"),
    path("site-map/", views.site_map, name="site_map"),
    path("sitemap.xml", views.sitemap_xml, name="sitemap_xml"),
    path("leaving/", views.leaving, name="leaving"),
    path("fragment/", views.fragment, name="fragment"),
    path("robots.txt", views.robots, name="robots"),
]
