"""Django's handle on evidence."""

from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    name = "huika.domain.evidence"
    label = "evidence"
