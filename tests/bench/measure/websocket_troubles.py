"""What sockets notice of deploys and of a handler that sleeps, and what becomes of a send to a socket that is gone."""
import json
import threading
import time

from harness import load
from harness.http_client import HttpClient
from harness.processes import BenchError
from harness.report import median, number, percentile, table
from harness.websocket_client import WebSocketClient
from measure.paced import alternate

MODULE = "tests/bench/modules/websocket_load.c"
MESSAGE_BYTES = 20
DEPLOYS_S, DEPLOY_INTERVAL_S = 20, 0.05
DEPLOY_SOCKETS, DEPLOY_IN_FLIGHT = 200, 4
SLEEP_S = 2
CALLS = 1_000_000


def measure(bench):
    return {"deploys": _deploys(bench), "sleeper": _sleeper(bench), "gone": _gone(bench)}


def _deploys(bench):
    """Server, client and compiler go where the scheduler puts them; the server has as many threads as it takes."""
    bench.progress(f"WebSockets under deploys, {DEPLOYS_S} s")
    source = bench.peers.project_text(MODULE)
    program = bench.peers.program("websocket_echo")
    with bench.peers.cweb_with_websockets(options=()) as server, HttpClient(server.port) as client:
        with load.EchoLoad(program, server, "/echo", MESSAGE_BYTES, DEPLOYS_S, sockets=DEPLOY_SOCKETS,
                           in_flight=DEPLOY_IN_FLIGHT) as echo:
            took_ms = _deploy_while(echo, client, source)
            figures = echo.figures()
    table(f"{DEPLOY_SOCKETS} sockets with {DEPLOY_IN_FLIGHT} messages in flight each, {DEPLOYS_S} s of deploys",
          ["deploys", "median ms", "p99 ms", "messages", "p50 us", "p99 us", "max us", *load.ECHO_FAULTS],
          [[len(took_ms), number(median(took_ms), 1), number(percentile(took_ms, 0.99), 1),
            number(figures["messages"], 0), *(number(figures[key], 0) for key in ("p50_us", "p99_us", "max_us")),
            *(figures[name] for name in load.ECHO_FAULTS)]])
    bench.summary.at_most("WebSockets under deploys: closed, lost, doubled, out of order or wrong", 0,
                          sum(figures[name] for name in load.ECHO_FAULTS), digits=0)
    return figures | {"deploys_ms": took_ms}


def _deploy_while(echo, client, source):
    """Milliseconds that each deploy took. One that takes longer than the interval delays the next."""
    took_ms = []
    while echo.is_running():
        started = time.monotonic()
        client.deploy(f"{source}/* version {len(took_ms)} */\n")
        took = time.monotonic() - started
        took_ms.append(took * 1e3)
        time.sleep(max(0.0, DEPLOY_INTERVAL_S - took))
    return took_ms


def _sleeper(bench):
    """Messages are due when they are due, so that those which a standing server lets wait are counted, all of them."""
    server_cores, client_cores = bench.core_pair(same_core=False)
    program = bench.peers.program("websocket_echo")
    with bench.peers.cweb_with_websockets(server_cores) as server, WebSocketClient(server.port, "/sleep") as sleeper:
        rate = int(load.echo(program, server, "/echo", MESSAGE_BYTES, 1, server_cores,
                             client_cores)["messages_per_s"] / 2)

        def alone():
            return load.echo(program, server, "/echo", MESSAGE_BYTES, bench.seconds, server_cores, client_cores,
                             messages_per_s=rate)

        def beside_sleeper():
            # In the middle of what is counted, when that is long enough.
            start = threading.Timer(max(0.6, (bench.seconds + 0.5 - SLEEP_S) / 2), sleeper.send, [b"sleep"])
            start.start()
            figures = alone()
            start.join()
            if (answer := sleeper.receive()) != b"sleep":
                raise BenchError(f"the handler that sleeps answers {answer[:80]!r}")
            return figures

        results = alternate(bench, f"WebSocket echo, {number(rate, 0)} messages/s, one server thread",
                            min(bench.rounds, 3), ("alone", alone), ("one on_message sleeps 2 s", beside_sleeper))
    worst_ms = max(figures["p99_us"] for figures in results["rounds"]["one on_message sleeps 2 s"]) / 1e3
    bench.summary.at_most("one on_message sleeps 2 s: p99 of the others, one server thread", 50, worst_ms, "ms")
    return results | {"messages_per_s": rate, "worst_p99_ms": worst_ms}


def _gone(bench):
    """The socket was closed by its client, with the whole closing handshake, a second before it is sent to."""
    bench.progress("send to a socket that is gone")
    cores, _ = bench.core_pair(same_core=False)
    with bench.peers.cweb(cores) as server, HttpClient(server.port) as client:
        client.deploy(bench.peers.project_text("tests/bench/modules/websocket_gone.c"))
        with WebSocketClient(server.port, "/gone") as socket:
            socket.close()
        time.sleep(1)
        status, body = client.get(f"/gone?calls={CALLS}")
        if status != 200:
            raise BenchError(f"/gone answers {status} {body[:200]!r}")
    figures = json.loads(body)
    table(f"{CALLS:,} x ws->send from a thread of the module to a socket that closed a second ago",
          ["refused with -1", "ns each"], [[number(figures["refused"], 0), number(figures["ns"], 1)]])
    bench.summary.at_most("ws->send on a socket that is gone, a million times: not refused", 0,
                          CALLS - figures["refused"], digits=0)
    return figures
