"""
An app with the models of a till, for a Django project of tests.
"""
