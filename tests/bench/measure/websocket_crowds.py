"""Many sockets: what an idle one costs, how long a broadcast takes to reach the last, and what happens when one of
those that are broadcast to does not read."""
from harness import processes
from harness.crowd import Crowd
from harness.http_client import HttpClient
from harness.processes import BenchError
from harness.report import median, number, table

PEERS = ["cweb", "floor", "npm ws"]
SOCKETS = 10_000
# These bring what the others share; memory is counted from then on.
FIRST_SOCKETS = 500
# Those of this process and of the server beside its sockets.
SPARE_DESCRIPTORS = 1_000
MOST_ROUNDS = 3
BROADCASTS, BROADCAST_BYTES = 15, 100
FLOOD_MESSAGES, FLOOD_BYTES, FLOOD_IN_FLIGHT = 16_384, 65_536, 8
READERS = 4
MIB = 1024  # KiB


def measure(bench):
    return {"broadcast": _broadcast(bench), "stalled": _stalled(bench)}


def _broadcast(bench):
    count = min(SOCKETS, bench.descriptors - SPARE_DESCRIPTORS)
    if count < SOCKETS:
        print(f"The limit of descriptors (ulimit -n: {bench.descriptors}) allows {count:,} sockets.")
    rounds = {name: [] for name in PEERS}
    for round_number in range(min(bench.rounds, MOST_ROUNDS)):
        for name in PEERS:
            bench.progress(f"broadcast, round {round_number + 1}: {name}")
            rounds[name].append(_broadcast_once(bench, name, count))
    results = {name: {key: median([figures[key] for figures in taken]) for key in taken[0]}
               for name, taken in rounds.items()}
    table(f"a broadcast of {BROADCAST_BYTES} bytes to {count:,} sockets, a core each",
          ["", "ms to the last", "server CPU ms", "resident KiB for an idle socket"],
          [[name, number(figures["last_ms"]), number(figures["server_ms"]), number(figures["socket_kib"])]
           for name, figures in results.items()])
    bench.summary.at_most(f"{count:,} idle WebSockets: resident each", 20, results["cweb"]["socket_kib"], "KiB")
    return results | {"sockets": count, "rounds": rounds}


def _broadcast_once(bench, name, count):
    server_cores, client_cores = bench.core_pair(same_core=False)
    with bench.peers.start_websockets(name, server_cores) as server:
        with Crowd(bench.peers.program("websocket_crowd"), server, "/broadcast", client_cores) as crowd:
            crowd.open(FIRST_SOCKETS)
            before_kib = processes.resident_kib(server.pid)
            crowd.open(count - FIRST_SOCKETS)
            server.wait_until_idle()
            socket_kib = (processes.resident_kib(server.pid) - before_kib) / (count - FIRST_SOCKETS)
            _complete(crowd.broadcast(1, BROADCAST_BYTES))
            before_s = processes.cpu_seconds(server.pids())
            figures = _complete(crowd.broadcast(BROADCASTS, BROADCAST_BYTES))
            server_ms = (processes.cpu_seconds(server.pids()) - before_s) / BROADCASTS * 1e3
    return {"last_ms": median(figures["took_ms"]), "server_ms": server_ms, "socket_kib": socket_kib}


def _complete(figures):
    if figures["missing"] or figures["wrong"] or figures["closed"]:
        raise BenchError("a broadcast did not come to all: " +
                         ", ".join(f"{figures[key]} {key}" for key in ("missing", "wrong", "closed")))
    return figures


def _stalled(bench):
    """The next message is asked for when the sockets that are read have one, so that these bound the rate."""
    server_cores, client_cores = bench.core_pair(same_core=False)
    results = {}
    for name, stalled in (("all read", 0), ("one does not", 1)):
        bench.progress(f"1 GiB broadcast, {name}")
        with bench.peers.cweb_with_websockets(server_cores) as server:
            with Crowd(bench.peers.program("websocket_crowd"), server, "/broadcast", client_cores) as crowd:
                crowd.open(READERS)
                crowd.stall(stalled)
                _complete(crowd.broadcast(10 * FLOOD_IN_FLIGHT, FLOOD_BYTES, FLOOD_IN_FLIGHT))
                before_kib = processes.resident_kib(server.pid)
                processes.begin_peak(server.pid)
                figures = crowd.broadcast(FLOOD_MESSAGES, FLOOD_BYTES, FLOOD_IN_FLIGHT)
                results[name] = {"seconds": figures["seconds"], "missing": figures["missing"] + figures["wrong"],
                                 "closed": figures["closed"],
                                 "peak_mib": (processes.peak_kib(server.pid) - before_kib) / MIB,
                                 "reached": _reached_last(server)}
    table(f"1 GiB in messages of 64 KiB broadcast to {READERS} sockets that are read, without and with one that is not",
          ["", "seconds", "messages missing", "sockets closed of those", "reached by the last", "peak resident, + MiB"],
          [[name, number(row["seconds"]), number(row["missing"], 0), number(row["closed"], 0), row["reached"],
            number(row["peak_mib"], 1)] for name, row in results.items()])
    disturbed = results["one does not"]
    bench.summary.at_most("a peer that does not read, 1 GiB broadcast: resident memory grows by", 64,
                          disturbed["peak_mib"], "MiB", digits=1)
    bench.summary.at_most("a peer that does not read: messages missing at the others", 0,
                          disturbed["missing"] + disturbed["closed"], digits=0)
    return results


def _reached_last(server):
    """How many sockets took the last message: not the one that does not read, when it has been given up."""
    with HttpClient(server.port) as client:
        _, body = client.get("/reached")
        return int(body)
