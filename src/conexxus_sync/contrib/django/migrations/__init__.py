"""
Migrations of the app.
"""
