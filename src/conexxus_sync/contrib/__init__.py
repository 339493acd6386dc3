"""
Adapters for the frameworks and databases of host applications, each with an extra of its own.
"""
