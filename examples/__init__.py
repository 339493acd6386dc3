"""
Small programs that show how the SDK is used.
"""
