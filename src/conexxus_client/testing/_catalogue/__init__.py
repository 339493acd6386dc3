"""
The sandbox's catalogue: where items come from, and how they are served.
"""
