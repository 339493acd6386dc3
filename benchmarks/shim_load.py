"""
Asks a URL so many times a second, and prints how long the answers took.

A program of its own, so that its work is not counted among the shim's.
"""

import argparse
import http.client
import json
import threading
import time
from urllib.parse import urlsplit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--per-second", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()

    load = Load(arguments.url, arguments.per_second, arguments.seconds)
    print(json.dumps(load.run()))


class Load:
    """
    An open loop: a request leaves when its time has come, whatever became of
    the others, and its latency counts from that time.
    """

    threads = 8

    def __init__(self, url: str, per_second: int, seconds: float) -> None:
        self.url = urlsplit(url)
        self.per_second = per_second
        self.count = int(per_second * seconds)
        self.latencies: list[float] = []
        self.errors = 0
        self._next = iter(range(self.count))
        self._lock = threading.Lock()

    def run(self) -> dict[str, float]:
        self._begin = time.monotonic()
        threads = [threading.Thread(target=self._ask) for _ in range(self.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        latencies = sorted(self.latencies)
        return {
            "requests": self.count,
            "errors": self.errors,
            "p50": latencies[len(latencies) // 2],
            "p99": latencies[len(latencies) * 99 // 100],
            "max": latencies[-1],
        }

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=10)

        while True:
            with self._lock:
                number = next(self._next, None)
            if number is None:
                break
            due = self._begin + number / self.per_second
            time.sleep(max(0.0, due - time.monotonic()))
            self._once(connection, due)

        connection.close()

    def _once(self, connection: http.client.HTTPConnection, due: float) -> None:
        try:
            connection.request("GET", self.url.path)
            answer = connection.getresponse()
            answer.read()
            ok = answer.status == 200
        except (OSError, http.client.HTTPException):
            connection.close()
            ok = False

        with self._lock:
            self.errors += not ok
            self.latencies.append(time.monotonic() - due)


if __name__ == "__main__":
    main()
