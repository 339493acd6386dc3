"""
How the service is: what the store knows, which alerts follow.
"""
