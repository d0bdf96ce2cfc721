"""Guards over payouts and captures."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parents[1] / "sql" / "guards.sql"


class Migration(migrations.Migration):
    dependencies = [("settlement", "0002_money")]
    operations = [migrations.RunSQL(SQL.read_text())]
