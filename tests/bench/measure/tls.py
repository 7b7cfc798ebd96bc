"""HTTPS beside nginx with the same certificate, protocol and cipher: what a request costs on a connection that is kept,
how many connections with a full handshake there can be, and what others notice of clients that connect and are silent."""
from harness import load
from harness.idle_peers import IdlePeers
from harness.processes import BenchError
from measure import turns
from measure.paced import UNCHANGED, others_beside

PEERS = ["cweb", "nginx"]
REFERENCE = "nginx"
KEYS = {"ecdsa": "ECDSA P-256", "rsa": "RSA 2048"}
SILENT = 1000


def measure(bench):
    results = {"keepalive": _keepalive(bench), "handshakes": {}}
    keepalive = results["keepalive"]["cweb"]
    bench.summary.at_most("HTTPS keep-alive, x nginx's server CPU per request", 1.0, keepalive["server_us_ratio"])
    bench.summary.at_most("HTTPS keep-alive, x nginx's user CPU per request", 1.0,
                          keepalive["user_us"] / results["keepalive"]["nginx"]["user_us"])
    for key, name in KEYS.items():
        results["handshakes"][key] = _handshakes(bench, key, name)
        bench.summary.at_least(f"full handshakes with {name}, x nginx's", 0.85,
                               results["handshakes"][key]["cweb"]["ratio"])
    results["silent"] = _silent(bench)
    bench.summary.at_most(f"HTTPS: others' p99 beside {SILENT} silent clients, x alone", UNCHANGED,
                          results["silent"]["cweb"]["p99_ratio"])
    return results


def _wrk(server, seconds, server_cores, client_cores, **options):
    figures = load.wrk(server, seconds, server_cores, client_cores, **options)
    if figures["errors"] or figures["non_2xx"]:
        raise BenchError(f"{server.name}: {figures['errors']} socket errors and {figures['non_2xx']} refused requests")
    return figures


def _keepalive(bench):
    contest = turns.Contest(PEERS, REFERENCE, lambda name, cores: bench.peers.start_https(name, "ecdsa", cores), _wrk)
    return turns.compare(bench, "HTTPS keep-alive, TLS 1.3, server and wrk on the same core", contest, same_core=True)


def _handshakes(bench, key, name):
    program = bench.peers.program("tls_handshakes")

    def once(server, seconds, server_cores, client_cores):
        return load.handshakes(program, server, seconds, server_cores, client_cores)

    contest = turns.Contest(PEERS, REFERENCE, lambda peer, cores: bench.peers.start_https(peer, key, cores), once,
                            unit="handshakes", client="client", latencies=False)
    return turns.compare(bench, f"connections with a full handshake, {name}, server and client on the same core",
                         contest, same_core=True)


def _silent(bench):
    def beside_peers(server, measured):
        # New ones each time: the server closes whoever says nothing for ten seconds.
        with IdlePeers(server.port) as peers:
            peers.add_silent(SILENT)
            return measured()

    return others_beside(bench, "HTTPS", f"beside {SILENT} silent clients", beside_peers, bench.rounds,
                         lambda name, cores: bench.peers.start_https(name, "ecdsa", cores))
