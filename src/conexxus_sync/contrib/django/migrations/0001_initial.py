"""
The sequence of a catalogue, and permissions for what is in the store.
"""

from typing import ClassVar

from django.db import migrations, models


def _in_store(name: str, **options: str) -> migrations.CreateModel:
    return migrations.CreateModel(
        name=name,
        fields=[("key", models.TextField(primary_key=True, serialize=False))],
        options={
            "abstract": False,
            "managed": False,
            "default_permissions": ("view", "change"),
            **options,
        },
    )


class Migration(migrations.Migration):
    """
    The first one.
    """

    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar = [
        migrations.CreateModel(
            name="CatalogSequence",
            fields=[
                (
                    "location_id",
                    models.CharField(max_length=200, primary_key=True, serialize=False),
                ),
                ("sequence", models.BigIntegerField()),
            ],
            options={"default_permissions": ()},
        ),
        _in_store("Run"),
        _in_store("Batch", verbose_name_plural="outbox"),
        _in_store("SetAside", verbose_name="quarantined element", verbose_name_plural="quarantine"),
    ]
