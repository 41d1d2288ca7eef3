"""Root addresses. Only Django imports this module; it alone knows every app."""

from django.contrib import admin
from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from supervision.views.account import other_door

urlpatterns = [
    path("desk/", include("supervision.urls")),
    path("desk/", include("notifications.urls")),
    path("cms/login/", other_door),
    path("admin/login/", other_door),
    path("cms/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("admin/", admin.site.urls),
    path("", include("tasks.urls")),
    path("", include("cms.urls")),
    path("", include(wagtail_urls)),
]

handler400 = "supervision.views.errors.bad_request"
handler403 = "supervision.views.errors.permission_denied"
handler404 = "supervision.views.errors.not_found"
handler500 = "supervision.views.errors.server_error"
