"""
Text, JSON documents and runbooks for people and programs.
"""
