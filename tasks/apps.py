"""App configuration."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from supervision.signals import export_requested
        from tasks.exports import wake_worker

        export_requested.connect(wake_worker, dispatch_uid="tasks.wake_worker")
