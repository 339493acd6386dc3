"""
Kills pushes, as often as it is asked: a line of JSON on stdin is a run, its
result a line on stdout.
"""

import gc
import json
import logging
import os
import signal
import sys
from pathlib import Path

from killed_pushes import Case, killed
from killed_trickles import TrickleCase

from conexxus_sync.stores.sqlite._sqlite_database import SqliteDatabase
from new_stores import create_as_copy, empty_store


KINDS = {"a day": Case, "during the day": TrickleCase}

logging.disable()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
empty_store()
SqliteDatabase._create = create_as_copy
# Children share what is there with this process, and live for a moment.
gc.freeze()
gc.disable()

for line in sys.stdin:
    folder, design, wanted, steps, kind, os.environ["STORE"] = json.loads(line)
    result = killed(Path(folder), design, wanted, steps, KINDS[kind])
    print(json.dumps(result), flush=True)
