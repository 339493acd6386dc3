"""
Values and pure rules: runs, batches, items, alerts, business dates. No I/O.
"""
