"""What others notice of deploys, and of peers that waste the server's time."""
import itertools
import time

from harness import load, modules
from harness.http_client import HttpClient
from harness.idle_peers import IdlePeers
from harness.report import median, number
from measure.paced import UNCHANGED, alternate, others_beside

DEPLOY_INTERVAL_S = 0.02
HALF_SENT = SILENT = 500
SWAPPED = "/swapped"

_versions = itertools.count(1)


def hot_swap(bench):
    """Server, client and compiler go where the scheduler puts them; the server has as many threads as it takes."""
    program = bench.peers.program("paced_client")
    with bench.peers.cweb(options=()) as server, HttpClient(server.port) as client:
        _deploy_next_version(client)
        server.wait_until_idle()
        rate = load.wrk(server, 2, None, None, threads=2, path=SWAPPED)["requests_per_s"] / 2

        def without():
            return load.paced(program, server, rate, bench.seconds, path=SWAPPED)

        def under_deploys():
            with load.PacedLoad(program, server, rate, bench.seconds, path=SWAPPED) as paced:
                deploys_ms = _deploy_while(paced, client)
                return paced.figures() | {"deploys_ms": deploys_ms}

        results = alternate(bench, f"hot swap, {number(rate, 0)} requests/s, unpinned", bench.rounds,
                            ("without deploys", without), ("a deploy every 20 ms", under_deploys))
    deploys_ms = [time_ms for figures in results["rounds"]["a deploy every 20 ms"] for time_ms in figures["deploys_ms"]]
    print(f"  {len(deploys_ms)} deploys, median {number(median(deploys_ms))} ms")
    bench.summary.at_most("hot swap: p99 with a deploy every 20 ms, x without", 3, results["p99_ratio"])
    return results | {"requests_per_s": rate, "deploy_ms": median(deploys_ms)}


def _deploy_next_version(client):
    client.deploy(modules.answering("swapped", SWAPPED, f"version {next(_versions)}"))


def _deploy_while(paced, client):
    """Milliseconds that each deploy took."""
    took_ms = []
    due = time.monotonic()
    while paced.is_running():
        started = time.monotonic()
        _deploy_next_version(client)
        now = time.monotonic()
        took_ms.append((now - started) * 1e3)
        # One that takes longer than the interval delays the next and is not made up for.
        due = max(due + DEPLOY_INTERVAL_S, now)
        time.sleep(due - now)
    return took_ms


def guard(bench):
    def beside_peers(server, measured):
        # New ones each time: the server cuts such peers after a while, as it should.
        with IdlePeers(server.port) as peers:
            peers.add_half_sent(HALF_SENT)
            peers.add_silent(SILENT)
            return measured()

    results = others_beside(bench, "guard", f"beside {HALF_SENT} half-sent requests and {SILENT} silent peers",
                            beside_peers, bench.rounds)
    what = "guard: others' p99 beside 500 half-sent and 500 silent"
    bench.summary.at_most(f"{what}, x alone", UNCHANGED, results["cweb"]["p99_ratio"])
    bench.summary.at_most(f"{what}, x nginx's", UNCHANGED, results["p99_x_nginx"])
    return results
