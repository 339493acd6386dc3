"""
Clock, threads, cancellation, processes, logging: what the process lends to the engines.
"""
