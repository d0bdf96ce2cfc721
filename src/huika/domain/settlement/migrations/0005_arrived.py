"""When a recycler's money arrived at the custodian, which may be days before it was booked here."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("settlement", "0004_confirm")]
    operations = [
        migrations.AddField("prefund", "arrived_at", models.DateTimeField(null=True)),
        migrations.RunSQL("UPDATE settlement_prefund SET arrived_at = at", migrations.RunSQL.noop),
        migrations.AlterField("prefund", "arrived_at", models.DateTimeField()),
    ]
