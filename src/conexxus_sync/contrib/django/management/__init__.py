"""
Management of the project.
"""
