"""Settings of bench.ledger: the ledger with what it stands on, and django-hordak, over the same connections."""

from huika.config.settings import *  # noqa: F403

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "procrastinate.contrib.django",
    "huika.kit.apps.KitConfig",
    "huika.domain.ledger.apps.LedgerConfig",
    "mptt",
    "hordak",
]
AUTH_USER_MODEL = "auth.User"
HORDAK_INTERNAL_CURRENCY = DEFAULT_CURRENCY = "CNY"
HORDAK_CURRENCIES = CURRENCIES = ["CNY"]
