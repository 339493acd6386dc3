from django.db import models


class Product(models.Model):
    store_id = models.IntegerField(default=7)
    code = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    is_active = models.BooleanField(null=True)
    group = models.CharField(max_length=50)
    note = models.TextField(null=True)
    tags = models.JSONField(null=True)
    cents = models.IntegerField(null=True)
    weight = models.FloatField(null=True)

    class Meta:
        db_table = "order"
        unique_together = (("store_id", "code"),)


class Article(models.Model):
    """
    Its SKU is its key.
    """

    sku = models.CharField(max_length=60, primary_key=True)
    price = models.CharField(max_length=40)


class Sale(models.Model):
    number = models.IntegerField(primary_key=True)
    branch = models.CharField(max_length=20, default="loc-001")
    business_date = models.DateField()
    closed_at = models.DateTimeField()
    total = models.DecimalField(max_digits=12, decimal_places=3)
    cashier = models.CharField(max_length=50, default="7")


class SaleLine(models.Model):
    sale = models.ForeignKey(Sale, models.CASCADE, related_name="lines")
    article = models.ForeignKey(Article, models.CASCADE)
    quantity = models.IntegerField()
    price = models.DecimalField(max_digits=12, decimal_places=3)
    is_void = models.BooleanField(default=False)


class Payment(models.Model):
    sale = models.ForeignKey(Sale, models.CASCADE)
    kind = models.CharField(max_length=20)
    amount = models.DecimalField(max_digits=12, decimal_places=3)
    rough = models.FloatField(default=0.1)


class Deposit(models.Model):
    """
    It has nothing to do with sales.
    """


MODELS = [Product, Article, Sale, SaleLine, Payment]
