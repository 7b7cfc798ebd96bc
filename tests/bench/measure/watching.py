"""From a save to the module that answers, with `cweb watch`; and what a command takes that is started for one deploy."""
import os
import subprocess
import tempfile
import time

from harness import processes
from harness.http_client import HttpClient
from harness.processes import BenchError
from harness.report import median, number, percentile, table

SAVES_FOR_EACH = 20  # of bench.rounds
PATIENCE_S = 10


def measure(bench):
    times = {"watch": [], "deploy": []}
    with tempfile.TemporaryDirectory(prefix="cweb-watch-") as directory, bench.peers.cweb() as server, \
            HttpClient(server.port) as client:
        file = os.path.join(directory, "saved.c")
        url = f"http://127.0.0.1:{server.port}"
        for i in range(SAVES_FOR_EACH * bench.rounds):
            times["deploy"].append(_live_after(client, file, f"deployed {i}", lambda: processes.run(
                [bench.peers.cweb_binary, "deploy", "--server", url, file], PATIENCE_S)))
        watch = processes.start([bench.peers.cweb_binary, "watch", "--server", url, file], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        try:
            _live_after(client, file, "watched", lambda: None)
            for i in range(SAVES_FOR_EACH * bench.rounds):
                times["watch"].append(_live_after(client, file, f"saved {i}", lambda: None))
        finally:
            processes.end(watch)
    rows = [[name, number(median(times[kind])), number(percentile(times[kind], 0.95)), len(times[kind])]
            for kind, name in (("watch", "cweb watch, of which 50 are the wait"), ("deploy", "cweb deploy"))]
    table("From a save until the module answers, ms", ["", "median", "p95", "saves"], rows)
    bench.summary.at_most("cweb watch: from save to live", 100, median(times["watch"]), "ms")
    return {"ms": times}


def _source(text):
    return f"""#include <cweb.h>
static int answer(struct http_request *req, struct http_response *res) {{
    (void)req;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "{text}");
    return 0;
}}
export module_t config = {{.name = "saved", .routes = {{{{"/saved", "GET", answer, NONE}}}}, .size = 1}};
"""


def _live_after(client, file, text, deploy):
    """Milliseconds from the save until GET /saved answers with this text."""
    started = time.monotonic()
    with open(file, "w", encoding="ascii") as saved:
        saved.write(_source(text))
    deploy()
    while client.get("/saved")[1] != text.encode():
        if time.monotonic() > started + PATIENCE_S:
            raise BenchError(f"what was saved was not live after {PATIENCE_S} s")
        time.sleep(0.0005)
    return (time.monotonic() - started) * 1000
