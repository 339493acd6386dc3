"""
`manage.py sell`: what a till does.
"""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from shop.models import Product, Sale, SaleLine


class Command(BaseCommand):
    """
    Stores the sale of one piece.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code")
        parser.add_argument("closed_at", type=datetime.fromisoformat)

    def handle(self, *_: object, code: str, closed_at: datetime, **options: Any) -> None:
        product = Product.objects.get(code=code)
        sale = Sale.objects.create(closed_at=closed_at, total=product.price)
        SaleLine.objects.create(sale=sale, product=product, quantity=1, price=product.price)
