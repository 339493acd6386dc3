"""
Models of the app: the sequence of a catalogue, and names for what is in the store.
"""

from django.db import models


class CatalogSequence(models.Model):
    """
    How far the catalogue of a location has come, in the host's own database.
    """

    location_id = models.CharField(max_length=200, primary_key=True)
    sequence = models.BigIntegerField()

    class Meta:
        default_permissions = ()


class _InStore(models.Model):
    """
    Something in the SDK's store: no table of the project, but a place in the
    admin and permissions.
    """

    key = models.TextField(primary_key=True)

    class Meta:
        abstract = True
        managed = False
        default_permissions = ("view", "change")

    def __str__(self) -> str:
        return str(self.key)


class Run(_InStore):
    """
    A pull or a push.
    """


class Batch(_InStore):
    """
    Sales that were frozen together.
    """

    class Meta(_InStore.Meta):
        verbose_name_plural = "outbox"


class SetAside(_InStore):
    """
    An item or a sale in quarantine.
    """

    class Meta(_InStore.Meta):
        verbose_name = "quarantined element"
        verbose_name_plural = "quarantine"
