"""
Made by `python manage.py makemigrations`.
"""

from typing import ClassVar

from django.db import migrations, models


def _key() -> models.BigAutoField:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    """
    The first one.
    """

    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar = [
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", _key()),
                ("code", models.CharField(max_length=60, unique=True)),
                ("title", models.CharField(max_length=200)),
                ("price", models.DecimalField(decimal_places=4, max_digits=13)),
                ("is_active", models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name="Sale",
            fields=[
                ("id", _key()),
                ("closed_at", models.DateTimeField(null=True)),
                ("total", models.DecimalField(decimal_places=2, max_digits=12)),
            ],
        ),
        migrations.CreateModel(
            name="SaleLine",
            fields=[
                ("id", _key()),
                ("quantity", models.IntegerField()),
                ("price", models.DecimalField(decimal_places=2, max_digits=12)),
                ("product", models.ForeignKey(on_delete=models.PROTECT, to="shop.product")),
                (
                    "sale",
                    models.ForeignKey(
                        on_delete=models.CASCADE, related_name="lines", to="shop.sale"
                    ),
                ),
            ],
        ),
    ]
