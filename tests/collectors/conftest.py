"""
What collectors are tested with.
"""

from gates import gate, hasty
from services import new_service, office, service, till
from sites import clock, site


__all__ = ["clock", "gate", "hasty", "new_service", "office", "service", "site", "till"]
