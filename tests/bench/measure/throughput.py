"""Requests per second and what one costs: cweb with the counter, nginx, h2o and a floor, on one thread each."""
import os
import sys

from harness import load
from harness.processes import BenchError
from harness.report import number, table
from measure import turns

PEERS = ["cweb", "nginx", "h2o", "floor"]
REFERENCE = "nginx"
# Long beside the calls with which connections are made.
TRACED_S = 4
SCRIPTS = os.path.abspath(os.path.join(os.path.dirname(__file__), os.pardir, "peers"))


def keepalive(bench):
    same_core = _compare(bench, "keep-alive, server and wrk on the same core", same_core=True)
    results = {"same_core": same_core}
    if len(bench.cores) > 1:
        results["own_cores"] = _compare(bench, "keep-alive, server and wrk on a core each (wrk is the bound)")
    try:
        results["system_calls"] = _system_calls(bench)
    except BenchError as error:  # not everybody may look at processes
        print(f"keepalive: {error}", file=sys.stderr)
    bench.summary.at_least("keep-alive on the same core, x nginx's requests/s", 1.03, same_core["cweb"]["ratio"])
    bench.summary.at_most("user CPU per request", 0.7, same_core["cweb"]["user_us"], "us")
    bench.summary.at_most("system calls per request", 2.05,
                          results.get("system_calls", {}).get("cweb", {}).get("all"), digits=3)
    return results


def pipelined(bench):
    """A batch's latency says nothing of a request's, so it is left out. cweb knows headers that come again, as those of
    most clients do; the second table is without that."""
    same = _compare(bench, "pipelined 16 deep, a core each", latencies=False, script=f"{SCRIPTS}/pipelined.lua")
    differing = _compare(bench, "the same, each request with other headers than the one before", latencies=False,
                         script=f"{SCRIPTS}/pipelined_differing.lua")
    bench.summary.at_least("pipelined 16 deep, x nginx's requests/s", 6, same["cweb"]["ratio"])
    return {"same_headers": same, "differing_headers": differing}


def connections(bench):
    results = _compare(bench, "a connection per request, a core each", headers=["Connection: close"])
    bench.summary.at_most("a connection per request, x nginx's server CPU", 1.1, results["cweb"]["server_us_ratio"])
    return results


def _compare(bench, title, same_core=False, latencies=True, **wrk_options):
    def once(server, seconds, server_cores, client_cores):
        figures = load.wrk(server, seconds, server_cores, client_cores, **wrk_options)
        if figures["errors"] or figures["non_2xx"]:
            raise BenchError(f"{server.name}: {figures['errors']} socket errors and {figures['non_2xx']} refused "
                             "requests")
        return figures

    names = PEERS + (["before"] if bench.has_before else [])
    contest = turns.Contest(names, REFERENCE, bench.peers.start, once, latencies=latencies)
    return turns.compare(bench, title, contest, same_core)


def _system_calls(bench):
    server_cores, client_cores = bench.core_pair(same_core=False)
    results = {}
    for name in PEERS:
        with bench.peers.start(name, server_cores) as server:
            results[name] = load.system_calls(server, TRACED_S, client_cores)
    rows = []
    for name, calls in results.items():
        often = sorted(((count, call) for call, count in calls["by_name"].items() if count >= 0.005), reverse=True)
        which = ", ".join(f"{call} {count:.2f}" for count, call in often)
        rows.append([name, number(calls["all"], 3), number(calls["requests_per_s"], 0), which])
    table("system calls per keep-alive request, all the time busy and traced", ["", "all", "requests/s", "which"], rows)
    return results
