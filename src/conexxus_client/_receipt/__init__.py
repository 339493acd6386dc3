"""
What a receipt is made of: exact amounts, tenders, taxes, discounts, kinds.
"""
