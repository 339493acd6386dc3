"""
Runs commands in forks of one process that has imported them: a command that is
started as a program spends most of its time on imports.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import threading
import time

import conexxus_client.transports
import conexxus_sync.cli
import conexxus_sync.stores


class WarmProcess:
    """
    A process that has imported the commands, and runs each in a fork of its own.
    """

    def __init__(self):
        self.line, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, __file__], stdin=theirs, env={"PATH": os.environ["PATH"]}
            )

    def run(self, arguments, *, folder, environ, stdout=None, stderr=None):
        """
        A command, until it ends: its exit code, and what it wrote to stdout and
        to stderr, unless that went to a file that was given.
        """
        given = stdout, stderr
        with contextlib.ExitStack() as stack:
            kept = [os.memfd_create("output") for file in given if file is None]
            for file in kept:
                stack.callback(os.close, file)
            fresh = iter(kept)
            files = [next(fresh) if file is None else file for file in given]
            asked = json.dumps([arguments, os.fspath(folder), environ]).encode()
            socket.send_fds(self.line, [len(asked).to_bytes(4, "big")], files)
            self.line.sendall(asked)
            code = int.from_bytes(received(self.line, 4), "big", signed=True)
            written = [os.pread(file, os.fstat(file).st_size, 0) for file in kept]
        return code, *(text.decode(errors="replace") for text in written)

    def close(self):
        self.line.close()
        self.process.wait()


def received(line, count):
    data = b""
    while len(data) < count:
        more = line.recv(count - len(data))
        if not more:
            raise EOFError("the warm process has ended")
        data += more
    return data


def serve(line):
    """
    Fork for each command that is asked for. Returns in the forks.
    """
    while True:
        size, files, *_ = socket.recv_fds(line, 4, 2)
        if not size:
            sys.exit()
        arguments, folder, environ = json.loads(received(line, int.from_bytes(size, "big")))
        child = os.fork()
        if not child:
            line.close()
            become(arguments, folder, environ, files)
            return
        for file in files:
            os.close(file)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        line.sendall(code.to_bytes(4, "big", signed=True))


def become(arguments, folder, environ, files):
    """
    Be as `python -m` would have started it.
    """
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    os.chdir(folder)
    for standard, file in enumerate(files, 1):
        os.dup2(file, standard)
        os.close(file)
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)
    os.close(devnull)
    encoding = environ.get("PYTHONIOENCODING", "utf-8")
    # They know what was behind them before.
    sys.stdout = os.fdopen(1, "w", encoding=encoding, closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding=encoding, errors="backslashreplace", closefd=False)
    sys.path[0] = folder
    sys.argv[1:] = arguments


def end(code):
    """
    Do what Python does at its end, but for giving back each object: that copies
    what is shared with the warm process, and takes longer than most commands.
    """
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    # What the commands import when they run.
    for package in (
        conexxus_client,
        conexxus_client.transports,
        conexxus_sync,
        conexxus_sync.cli,
        conexxus_sync.stores,
    ):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    for name in ("cattrs", "cyclopts", "rich.console", "stamina"):
        importlib.import_module(name)
    gc.freeze()
    serve(socket.socket(fileno=os.dup(0)))
    try:
        runpy.run_module("conexxus_sync.cli", run_name="__main__", alter_sys=True)
    except SystemExit as exc:
        end(exc.code or 0)
