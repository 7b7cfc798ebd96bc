"""WebSockets: what an echo costs beside a floor and npm's ws, what thousands of sockets cost, and what sockets notice
of deploys, of handlers that sleep and of peers that do not read."""
import sys

from harness import load
from harness.processes import BenchError
from measure import turns, websocket_crowds, websocket_troubles

PEERS = ["cweb", "floor", "npm ws"]
REFERENCE = "floor"
# Bytes of a message: what it is called, and the share of the floor's rate on the same core that has to be reached.
SIZES = {20: ("20 bytes", 0.95), 16_384: ("16 KiB", 0.9)}


def measure(bench):
    """One part that fails leaves the others their tables."""
    results, failures = {}, []
    for name, part in (("echo", echo), ("crowds", websocket_crowds.measure), ("troubles", websocket_troubles.measure)):
        try:
            results[name] = part(bench)
        except BenchError as error:
            bench.progress("")
            print(f"websockets, {name}: {error}", file=sys.stderr)
            failures.append(name)
    if failures:
        raise BenchError(f"{' and '.join(failures)} could not be measured")
    return results


def echo(bench):
    """Binary messages, one in flight on each of 64 sockets, one server thread."""
    results = {}
    for size, (name, share) in SIZES.items():
        contest = turns.Contest(PEERS, REFERENCE, bench.peers.start_websockets, _echo_of(bench, size), unit="messages",
                                client="client")
        same_core = turns.compare(bench, f"WebSocket echo of {name}, server and client on the same core", contest,
                                  same_core=True)
        results[name] = {"same_core": same_core}
        if len(bench.cores) > 1:
            results[name]["own_cores"] = turns.compare(
                bench, f"WebSocket echo of {name}, a core each (the client is the bound)", contest)
        bench.summary.at_least(f"WebSocket echo of {name} on the same core, x the floor's messages/s", share,
                               same_core["cweb"]["ratio"])
    return results


def _echo_of(bench, size):
    program = bench.peers.program("websocket_echo")

    def once(server, seconds, server_cores, client_cores):
        return load.echo(program, server, "/echo", size, seconds, server_cores, client_cores)

    return once
