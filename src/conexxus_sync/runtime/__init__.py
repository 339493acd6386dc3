"""
What the process provides: clock, threads, cancellation, process identity, logging.
"""
