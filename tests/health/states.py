"""
How a service says that it is.
"""


def states(service):
    """
    The state, and the names of the alerts.
    """
    health = service.health()
    return health.state, {alert.name for alert in health.alerts}
