"""
The fault language: its grammar, its parser, and faults as bytes on a connection.
"""
