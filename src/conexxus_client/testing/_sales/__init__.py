"""
The sandbox's sales: reading a push, answering it, the ledger.
"""
