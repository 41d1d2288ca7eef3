"""Addresses of the watchers."""

from django.urls import path

from tasks.views import healthz

app_name = "tasks"
urlpatterns = [path("healthz", healthz, name="healthz")]
