"""
How many examples a test tries that is too slow for those of the profile.
"""

import os


IS_FULL = os.environ.get("CONEXXUS_PROOF_SCALE") == "full"


def examples(few, many):
    """
    *few*, or *many* at the full scale of the long proofs.
    """
    return many if IS_FULL else few
