"""
Handlers of logs for as long as a test needs them.
"""

import logging
import threading
from contextlib import contextmanager


class Listening(logging.Handler):
    """
    A handler that waits for some words.
    """

    def __init__(self, words):
        super().__init__()
        self.words, self.heard = words, threading.Event()

    def emit(self, record):
        if self.words in record.getMessage():
            self.heard.set()


@contextmanager
def handling(handler, *names):
    for name in names:
        logging.getLogger(name).addHandler(handler)
    try:
        yield handler
    finally:
        for name in names:
            logging.getLogger(name).removeHandler(handler)
