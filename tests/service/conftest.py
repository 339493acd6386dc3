"""
What the service is tested with.
"""

from services import new_service, office, service, till
from sites import clock


__all__ = ["clock", "new_service", "office", "service", "till"]
