"""
Complains of public names without a type, in what pyright says in JSON on stdin.
"""

import json
import sys


# Its modules have the names that Django asks for, and its classes inherit those
# of Django, which has no types.
EXCEPTED = "conexxus_sync.contrib.django."

symbols = json.load(sys.stdin)["typeCompleteness"]["symbols"]
untyped = [it for it in symbols if not it["isTypeKnown"] and not it["name"].startswith(EXCEPTED)]

for symbol in untyped:
    for found in symbol["diagnostics"]:
        print(f"{symbol['name']}: {found['message']}")

sys.exit(bool(untyped))
