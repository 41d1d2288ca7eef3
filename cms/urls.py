"""Addresses of the public site outside Wagtail's tree."""

from django.urls import path, re_path

from cms import data_views, follow, views

app_name = "cms"

urlpatterns = [
    path("progress/items.csv", views.items_csv, name="items_csv"),
    path("progress/items.xlsx", views.items_xlsx, name="items_xlsx"),
    path("progress/<slug:slug>/", views.item, name="item"),
    path("progress/<slug:slug>.json", views.item_json, name="item_json"),
    path("changes/", views.changes, name="changes"),
    path("corrections/", views.corrections, name="corrections"),
    path("editions/", views.editions, name="editions"),
    path("editions/<slug:key>/", views.edition, name="edition"),
    path("search/", views.search, name="search"),
    path("open-data/", data_views.open_data, name="open_data"),
    path(
        "open-data/<slug:edition>/<slug:table>.<slug:form>",
        data_views.open_data_file,
        name="open_data_file",
    ),
    path("feeds/all.xml", data_views.feed, {"kind": "all", "key": ""}, name="feed_all"),
    path("feeds/<slug:kind>/<slug:key>.xml", data_views.feed, name="feed"),
    path("follow/", follow.follow, name="follow"),
    path("follow/sent/", follow.follow_sent, name="follow_sent"),
    path("follow/confirm/<str:token>/", follow.follow_confirm, name="follow_confirm"),
    path("follow/leave/<str:token>/", follow.follow_leave, name="follow_leave"),
    path("site-map/", views.site_map, name="site_map"),
    path("sitemap.xml", views.sitemap_xml, name="sitemap_xml"),
    path("leaving/", views.leaving, name="leaving"),
    path("fragment/", views.fragment, name="fragment"),
    path("robots.txt", views.robots, name="robots"),
    # All pages of the tree: Wagtail's own pattern, but for its doors.
    re_path(r"^((?!_util/)(?:[\w-]+/)*)$", views.page, name="page"),
]
