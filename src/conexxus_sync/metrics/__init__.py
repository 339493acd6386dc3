"""
Exporters for Prometheus and OpenTelemetry (extras).
"""
