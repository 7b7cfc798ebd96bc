"""How soon a server is ready that keeps its modules (--modules), and what keeping them costs a deploy.

The directory is in the build directory, on a real disk: in memory, waiting for the disk would cost nothing."""
import os
import shutil
import tempfile
import time

from harness.http_client import HttpClient
from harness.processes import BenchError
from harness.report import median, number, percentile, table

MODULES = 500
DEPLOYS_FOR_EACH = 20  # of bench.rounds
KINDS = {"empty": "no module", "cached": f"{MODULES} modules, object code cached",
         "compiled": f"{MODULES} modules, cache removed"}


def measure(bench):
    directory = tempfile.mkdtemp(prefix="modules-", dir=os.path.join(bench.project, "build"))
    try:
        return _measure(bench, directory)
    finally:
        shutil.rmtree(directory)


def _measure(bench, directory):
    results = {kind: [] for kind in KINDS}
    results["empty"] = [_start(bench, os.path.join(directory, "empty"), 0) for _ in range(bench.rounds)]
    kept = os.path.join(directory, "kept")
    _fill(bench, kept)
    for _ in range(bench.rounds):
        results["cached"].append(_start(bench, kept, MODULES))
        bench.progress(f"restart: {len(results['cached'])}")
    shutil.rmtree(os.path.join(kept, ".cache"))
    results["compiled"].append(_start(bench, kept, MODULES))
    deploys = _deploys(bench, os.path.join(directory, "deploys"))
    rows = [[KINDS[kind], number(median(times)), number(max(times)), len(times)] for kind, times in results.items()]
    table("From the start of the process until it is ready, s", ["", "median", "longest", "starts"], rows)
    rows = [[name, number(median(times)), number(percentile(times, 0.95))]
            for name, times in (("without --modules", deploys["without"]), ("with --modules", deploys["kept"]))]
    table(f"A deploy of modules/counter.c, {len(deploys['kept'])} of each in turn, ms", ["", "median", "p95"], rows)
    bench.summary.at_most(f"restart with {MODULES} cached modules: ready", 1, median(results["cached"]), "s")
    return {"ready_s": results, "deploy_ms": deploys}


def _numbered(number):
    return f"""#include <cweb.h>
static int answer(struct http_request *req, struct http_response *res) {{
    (void)req;
    snprintf(res->body, HTTP_RESPONSE_SIZE, "number %d", {number});
    return 0;
}}
export module_t config = {{
    .name = "numbered {number}", .routes = {{{{"/numbered/{number}", "GET", answer, NONE}}}}, .size = 1,
}};
"""


def _fill(bench, directory):
    with _server(bench, directory) as server, HttpClient(server.port) as client:
        for i in range(MODULES):
            client.deploy(_numbered(i))
            bench.progress(f"restart: module {i}")


def _start(bench, directory, modules):
    """Seconds until the ready line; the last module answers then."""
    started = time.monotonic()
    with _server(bench, directory) as server:
        seconds = time.monotonic() - started
        if modules > 0:
            with HttpClient(server.port) as client:
                status, body = client.get(f"/numbered/{modules - 1}")
            if status != 200 or body != f"number {modules - 1}".encode():
                raise BenchError(f"after a restart a module answered {status} {body[:300]!r}")
        return seconds


def _server(bench, directory):
    return bench.peers.cweb(options=("--modules", directory))


def _deploys(bench, directory):
    """With and without a directory, in turn, on a connection that stays."""
    source = bench.peers.project_text("modules/counter.c")
    times = {"without": [], "kept": []}
    with bench.peers.cweb(options=()) as without, _server(bench, directory) as kept, \
            HttpClient(without.port) as client_without, HttpClient(kept.port) as client_kept:
        for i in range(DEPLOYS_FOR_EACH * bench.rounds):
            for name, client in (("without", client_without), ("kept", client_kept)):
                started = time.monotonic()
                client.deploy(f"{source}/* {i} */\n")
                times[name].append((time.monotonic() - started) * 1000)
    return times
