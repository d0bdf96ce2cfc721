"""The ledger's SQL functions and append-only triggers."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parents[1] / "sql" / "ledger.sql"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial"), ("kit", "0002_record")]
    operations = [migrations.RunSQL(SQL.read_text())]
