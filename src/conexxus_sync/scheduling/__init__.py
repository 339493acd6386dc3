"""
What is due, in which thread, and what is at work.
"""
