"""The function that records events, append-only triggers, no NOTIFY by writers."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parents[1] / "sql" / "record.sql"


class Migration(migrations.Migration):
    dependencies = [("kit", "0001_initial"), ("procrastinate", "0041_post_retry_failed_job")]
    operations = [migrations.RunSQL(SQL.read_text())]
