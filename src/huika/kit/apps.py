"""Django's handle on kit."""

from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "huika.kit"
    label = "kit"

    def ready(self) -> None:
        """Find every capability's followers and words, as procrastinate finds its jobs."""
        from django.utils.module_loading import autodiscover_modules

        autodiscover_modules("followers", "words", "repairs")
