"""
Values and pure rules: what a run, a batch, an item, an alert is.  No I/O.
"""
