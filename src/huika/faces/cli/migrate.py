"""Migrate as the owner, then give the app role exactly what the models say. Run as `python -m`."""

import os

import django


def main() -> None:
    """Needs HUIKA_DB_AS=owner and the role URLs."""
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from huika.kit import grants

    call_command("migrate", verbosity=0, interactive=False)
    grants.apply(settings.APP_ROLE)
    connection.close()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huika.config.settings")
    main()
