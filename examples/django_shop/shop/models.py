"""
What the shop sells, and what it has sold.
"""

from django.db import models


class Product(models.Model):
    """
    An item of the catalogue.
    """

    code = models.CharField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=13, decimal_places=4)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return str(self.title)


class Sale(models.Model):
    """
    A receipt; without a moment at which it was closed, it is an open one.
    """

    closed_at = models.DateTimeField(null=True)
    total = models.DecimalField(max_digits=12, decimal_places=2)

    def __str__(self) -> str:
        return f"Sale {self.pk}"


class SaleLine(models.Model):
    """
    A line of a receipt.
    """

    sale = models.ForeignKey(Sale, models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, models.PROTECT)
    quantity = models.IntegerField()
    price = models.DecimalField(max_digits=12, decimal_places=2)

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product}"
