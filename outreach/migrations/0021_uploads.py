"""A list that somebody brought is called an upload wherever a page names it, as in the menu."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("outreach", "0020_lists_of_millions")]
    operations = [
        migrations.AlterModelOptions(
            name="importbatch",
            options={
                "permissions": [("import_facilitators", "Can upload people into a campaign")],
                "verbose_name": "upload",
                "verbose_name_plural": "uploads",
            },
        ),
    ]
