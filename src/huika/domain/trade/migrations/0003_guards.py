"""Guards over a card's price."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parents[1] / "sql" / "guards.sql"


class Migration(migrations.Migration):
    dependencies = [("trade", "0002_reserves")]
    operations = [migrations.RunSQL(SQL.read_text())]
