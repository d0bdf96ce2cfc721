"""Settings of the tests: a database of their own, cloned for each worker, reached with the app role."""

import os

os.environ.setdefault("HUIKA_SETTING", "demo")
os.environ.setdefault("HUIKA_SECRET_KEY", "a fixed secret for tests only, never used to serve")
os.environ.setdefault("HUIKA_DB_HEALTH_CHECKS", "0")
os.environ.setdefault("HUIKA_COMPARISONS_AN_HOUR", "1000000")

from huika.config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
