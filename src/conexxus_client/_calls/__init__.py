"""
One call to the back office: request, attempts, limits, answer.  No I/O.
"""
