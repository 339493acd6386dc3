"""
How fast the SDK is, as ratios within one run; `scripts/bench --help`.
"""
