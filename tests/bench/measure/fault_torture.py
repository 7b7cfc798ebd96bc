"""What clients of another module notice while every kind of fault happens: each handler of tests/e2e/faults is called
over and over, and wrk asks the counter meanwhile. None of its requests may fail."""
import glob
import os
import re

from harness import load
from harness.http_client import HttpClient
from harness.processes import BenchError
from harness.report import number, table

CONNECTIONS = 32
SECONDS = 20
FAULTS = "tests/e2e/faults"
DEADLINE_MS = 300
OPTIONS = ("--threads", "1", "--fault-limit", "0")


def measure(bench):
    server_cores, client_cores = bench.core_pair(False)
    with bench.peers.cweb_with_counter(server_cores, OPTIONS) as server, HttpClient(server.port) as client:
        cases = [_deploy(bench, client, file) for file in
                 sorted(glob.glob(os.path.join(bench.project, FAULTS, "*.c")))]
        server.wait_until_idle()
        pid = server.pids()
        alone = load.wrk(server, SECONDS, server_cores, client_cores, connections=CONNECTIONS)
        beside, faults = _under_load(server, client, cases, server_cores, client_cores)
        if server.pids() != pid:
            raise BenchError("the server process is another one than before the faults")
    rows = [[name, number(row["requests"], 0), str(row["errors"] + row["non_2xx"]), number(row["p50_us"], 0),
             number(row["p99_us"], 0)] for name, row in (("alone", alone), (f"beside {faults} faults", beside))]
    table(f"wrk -c{CONNECTIONS} for {SECONDS} s on another module's route, {len(cases)} kinds of faults", ["", "requests",
          "failed", "p50 us", "p99 us"], rows)
    bench.summary.at_most("requests that failed beside faults of another module", 0,
                          beside["errors"] + beside["non_2xx"])
    return {"alone": alone, "beside": beside, "faults": faults, "kinds": len(cases)}


def _deploy(bench, client, file):
    """(name, the status that its client gets)"""
    name = os.path.splitext(os.path.basename(file))[0]
    code = bench.peers.project_text(file)
    status = int(re.search(r"^ \* answer: (\d+)", code, re.MULTILINE)[1])
    source = bench.peers.project_text(f"{FAULTS}/frame.c.in")
    for mark, text in (("HEAD", bench.peers.project_text(f"{FAULTS}/frame_head.c.in")), ("CASE", code), ("NAME", name),
                       ("DEADLINE_MS", str(DEADLINE_MS if status == 504 else 0))):
        source = source.replace(f"@{mark}@", text)
    client.deploy(source)
    return name, status


def _under_load(server, client, cases, server_cores, client_cores):
    """wrk's figures, and how many faults there were."""
    faults = 0
    command = load.wrk_command(server, SECONDS, connections=CONNECTIONS)
    with load.Load(server, command, SECONDS, server_cores, client_cores) as running:
        while running.is_running():
            name, expected = cases[faults % len(cases)]
            status, body = client.get(f"/fault/{name}")
            if status != expected:
                raise BenchError(f"{name} was answered with {status}: {body[:300]!r}")
            faults += 1
        text, _ = running.finish()
    if faults < len(cases):
        raise BenchError(f"only {faults} faults in {SECONDS} s: not every kind was seen")
    return load.parse_wrk(text), faults
