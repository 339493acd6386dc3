"""
What people and programs are shown: sentences, documents, runbooks.
"""
