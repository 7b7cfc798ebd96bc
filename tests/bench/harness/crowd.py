"""websocket_crowd: thousands of sockets that are broadcast to, told by lines what to do next."""
import json
import subprocess

from harness import processes
from harness.processes import BenchError


class Crowd:
    def __init__(self, program, server, path, cores=None):
        self._server = server
        self._process = processes.start(processes.pinned([program, str(server.port), path], cores),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        processes.end(self._process)
        for file in (self._process.stdin, self._process.stdout, self._process.stderr):
            file.close()

    def open(self, count):
        self._order(f"open {count}")

    def stall(self, count):
        """Sockets that nothing is read from."""
        self._order(f"stall {count}")

    def broadcast(self, count, size, in_flight=1):
        """{"seconds", "missing", "wrong", "closed", "took_ms": of each broadcast that came to all that are read}"""
        return self._order(f"broadcast {count} {size} {in_flight}")

    def _order(self, line):
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            processes.end(self._process)
            raise BenchError(f"\"{line}\" failed against {self._server.name}: {self._process.stderr.read()}")
        return json.loads(answer)
