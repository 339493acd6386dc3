"""
What Prometheus and OpenTelemetry see of a service (extras).
"""
