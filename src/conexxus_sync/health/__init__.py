"""
Health of a service: snapshot of the store, alert rules, overview.
"""
