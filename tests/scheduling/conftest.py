"""
What the scheduler is tested with.
"""

from services import new_service, office, service, till
from sites import clock, site


__all__ = ["clock", "new_service", "office", "service", "site", "till"]
