"""Settings name the provider of a port by its dotted path; the domain asks for it here and never imports adapters."""

from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


@cache
def provider(port: str) -> Any:
    """The one provider of `port` in this process, made on first use."""
    return import_string(settings.PORTS[port])()
