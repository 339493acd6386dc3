"""
The scheduler: when a pull or push is due, in which thread it runs, what is running.
"""
