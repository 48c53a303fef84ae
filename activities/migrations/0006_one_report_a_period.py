import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("activities", "0005_months_to_periods")]

    operations = [
        migrations.RemoveField(model_name="periodreport", name="kind"),
        migrations.RemoveField(model_name="periodreport", name="number"),
        migrations.AlterField(
            model_name="periodreport",
            name="period",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="targets.period"
            ),
        ),
        migrations.AlterField(
            model_name="periodreport",
            name="first_at",
            field=models.DateTimeField(verbose_name="gửi lần đầu lúc"),
        ),
        migrations.AddConstraint(
            model_name='periodreport',
            constraint=models.UniqueConstraint(fields=('unit', 'period'), name='one_report_a_period'),
        ),
    ]
