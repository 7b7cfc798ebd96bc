"""How soon a fault is answered and a fresh instance is there, and how far behind its deadline an endless loop ends.

Each figure is of whole requests, as a client sees them; "restart" is what the server itself says of its part."""
import re
import time

from harness.http_client import HttpClient
from harness.processes import BenchError
from harness.report import median, number, percentile, table

FAULTS_FOR_EACH = 40  # of bench.rounds: a fault is short beside a measurement under load
LOOPS_FOR_EACH = 4
DEADLINE_MS = 100
OPTIONS = ("--threads", "1", "--fault-limit", "0")
KINDS = {"own": "a null pointer", "library": "a wild pointer given to snprintf", "deep": "a stack overflow"}
RESTARTED = re.compile(r"a fresh instance answers, ([0-9.]+) ms later")


def measure(bench):
    server_cores, _ = bench.core_pair(False)
    with bench.peers.cweb(server_cores, OPTIONS) as server, HttpClient(server.port) as client:
        source = bench.peers.project_text("tests/bench/modules/faulty.c").replace("DEADLINE_MS", str(DEADLINE_MS))
        client.deploy(source)
        server.wait_until_idle()
        results = {kind: _faults(bench, client, kind) for kind in KINDS}
        results["loop"] = _loops(bench, client)
    _print(bench, results)
    worst = max(results[kind]["to_fresh_ms"] for kind in ("own", "library"))
    bench.summary.at_most("fault to restarted instance", 5, worst, "ms")
    bench.summary.at_most("runaway loop: answer after its deadline", 50, results["loop"]["late_ms"], "ms")
    return results


def _faults(bench, client, kind):
    """Of a fault and of the request behind it, which a fresh instance has to answer: its statics are as at deploy."""
    samples = []
    for _ in range(FAULTS_FOR_EACH * bench.rounds):
        _expect(client, "/faulty/count", 200)
        started = time.monotonic()
        status, body = client.get(f"/faulty/{kind}")
        answered = time.monotonic()
        _, count = client.get("/faulty/count")
        fresh = time.monotonic()
        restart = RESTARTED.search(body.decode())
        if status != 500 or restart is None or count != b"count 1":
            raise BenchError(f"{KINDS[kind]} was answered with {status} {body[:300]!r}, then {count!r}")
        samples.append({"answer_ms": (answered - started) * 1000, "to_fresh_ms": (fresh - started) * 1000,
                        "restart_ms": float(restart[1])})
        bench.progress(f"faults: {KINDS[kind]}, {len(samples)}")
    figures = {key: median([sample[key] for sample in samples]) for key in samples[0]}
    return figures | {"to_fresh_p95_ms": percentile([sample["to_fresh_ms"] for sample in samples], 0.95),
                      "count": len(samples), "samples": samples}


def _loops(bench, client):
    late = []
    for _ in range(LOOPS_FOR_EACH * bench.rounds):
        started = time.monotonic()
        _expect(client, "/faulty/loop", 504)
        late.append((time.monotonic() - started) * 1000 - DEADLINE_MS)
        bench.progress(f"faults: loops, {len(late)}")
    return {"late_ms": median(late), "late_p95_ms": percentile(late, 0.95), "count": len(late), "samples": late}


def _expect(client, path, expected):
    status, body = client.get(path)
    if status != expected:
        raise BenchError(f"{path} was answered with {status}: {body[:300]!r}")


def _print(bench, results):
    rows = [[KINDS[kind], *(number(results[kind][key]) for key in ("answer_ms", "to_fresh_ms", "to_fresh_p95_ms",
                                                                    "restart_ms"))] for kind in KINDS]
    table(f"Faults, {FAULTS_FOR_EACH * bench.rounds} of each, ms: medians", ["", "until its answer",
          "until a fresh instance's", "p95", "restart"], rows)
    loop = results["loop"]
    print(f"  a loop without end and with a deadline of {DEADLINE_MS} ms is answered {number(loop['late_ms'])} ms after "
          f"it, p95 {number(loop['late_p95_ms'])}")
