"""Load on a server, what came back, and what it cost: wrk, which asks again when it was answered, paced_client, which
asks when it is time, and websocket_echo, which does either."""
import json
import re
import resource
import signal
import subprocess
import time

from harness import machine, processes
from harness.processes import BenchError
from harness.servers import PATH

CONNECTIONS = 64
ECHO_FAULTS = ("closed", "lost", "doubled", "out_of_order", "wrong")
# Cores that others used meanwhile, of those that server and client ran on.
FOREIGN_LIMIT = 0.05
ATTEMPTS = 3


def wrk_command(server, seconds, connections=CONNECTIONS, threads=1, script=None, headers=(), path=PATH):
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for header in headers:
        command += ["-H", header]
    if script:
        command += ["-s", script]
    return [*command, server.url(path)]


def parse_wrk(text):
    """Figures of wrk's report. A request that failed makes the measurement void."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    count = re.search(r"(\d+) requests in", text)
    latency = dict(re.findall(r"^\s+(50|99)%\s+(\S+)", text, re.MULTILINE))
    if not rate or not count or not int(count[1]) or len(latency) != 2:
        raise BenchError(f"wrk measured nothing:\n{text}")
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return {"requests_per_s": float(rate[1]), "requests": int(count[1]),
            "p50_us": _microseconds(latency["50"]), "p99_us": _microseconds(latency["99"]),
            "errors": sum(map(int, errors.groups())) if errors else 0, "non_2xx": int(refused[1]) if refused else 0}


def _microseconds(text):
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}[unit]


class Load:
    """A client while it runs, and what it, the server and others take of the processors meanwhile."""

    def __init__(self, server, command, seconds, server_cores, client_cores):
        self._server = server
        self._command = command
        self._time_s = seconds + 30
        self._cores = set(server_cores or machine.usable_cores()) | set(client_cores or machine.usable_cores())
        self._before = self._usage()
        self._process = processes.start(processes.pinned(command, client_cores), stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        processes.end(self._process)

    def is_running(self):
        return self._process.poll() is None

    def finish(self):
        """Waits for the end: what the client printed, and seconds of processor time by who took them."""
        name = self._command[0]
        try:
            text, _ = self._process.communicate(timeout=self._time_s)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{name} did not end within {self._time_s} s against {self._server.name}") from None
        after = self._usage()
        if self._server.process.poll() is not None:
            raise BenchError(f"{self._server.name} ended under load with {self._server.process.returncode}:\n"
                             f"{self._server.log_text()}")
        if self._process.returncode != 0:
            raise BenchError(f"{name} failed against {self._server.name}: {text}")
        spent = {key: after[key] - self._before[key] for key in after}
        spent["foreign"] = max(0.0, spent["busy"] - spent["server"] - spent["client"])
        return text, spent

    def _usage(self):
        pids = self._server.pids()
        user, kernel = processes.user_and_kernel_ticks(pids)
        # The client is a child that was waited for; this process may be one too.
        used = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
        return {"elapsed": time.monotonic(), "busy": machine.busy_seconds(self._cores),
                "server": processes.cpu_seconds(pids), "user_ticks": user, "kernel_ticks": kernel,
                "client": sum(usage.ru_utime + usage.ru_stime for usage in used)}


def wrk(server, seconds, server_cores, client_cores, **options):
    """One measurement: wrk's figures, the server's processor time, and what others took of the same processors."""
    with Load(server, wrk_command(server, seconds, **options), seconds, server_cores, client_cores) as running:
        text, spent = running.finish()
    figures = parse_wrk(text)
    return figures | _cost(spent, figures["requests"])


def _cost(spent, count):
    """Of each of `count` requests, and how the processors were divided."""
    return {
        "per_cpu_s": count / (spent["server"] + spent["client"]),
        "server_us": spent["server"] / count * 1e6,
        "server_cores": spent["server"] / spent["elapsed"],
        "client_cores": spent["client"] / spent["elapsed"],
        "user_ticks": spent["user_ticks"], "ticks": spent["user_ticks"] + spent["kernel_ticks"],
        "foreign": spent["foreign"] / spent["elapsed"],
    }


def handshakes(program, server, seconds, server_cores, client_cores, threads=8):
    """tls_handshakes: connections with a full handshake and a request each, none of which may fail."""
    command = [program, str(server.port), PATH, str(seconds), str(threads)]
    with Load(server, command, seconds, server_cores, client_cores) as running:
        text, spent = running.finish()
    counted = json.loads(text)
    if counted["failed"] or not counted["handshakes"]:
        raise BenchError(f"{counted['failed']} connections to {server.name} failed")
    return {"handshakes_per_s": counted["handshakes"] / counted["seconds"], "p50_us": None, "p99_us": None,
            **_cost(spent, counted["handshakes"])}


class PacedLoad(Load):
    """paced_client: requests that are sent at their time whatever became of those before."""

    def __init__(self, program, server, requests_per_s, seconds, server_cores=None, client_cores=None, path=PATH):
        command = [program, str(server.port), path, str(int(requests_per_s)), str(seconds)]
        if server.https:
            command += [str(CONNECTIONS), "https"]
        super().__init__(server, command, seconds, server_cores, client_cores)

    def figures(self):
        """Waits for the end. Latencies in microseconds, from when a request was due until its answer."""
        text, spent = self.finish()
        figures = json.loads(text)
        if figures["failed"] or not figures["counted"]:
            raise BenchError(f"{figures['failed']} of {figures['requests']} paced requests failed")
        return figures | {"server_us": spent["server"] / figures["requests"] * 1e6,
                          "foreign": spent["foreign"] / spent["elapsed"]}


def paced(*arguments, **options):
    """The figures of a PacedLoad from its beginning to its end."""
    with PacedLoad(*arguments, **options) as running:
        return running.figures()


class EchoLoad(Load):
    """websocket_echo: numbered messages, each of which has to come back once and in its order. With `messages_per_s`
    they are sent at their time, and a latency counts from then."""

    def __init__(self, program, server, path, size, seconds, server_cores=None, client_cores=None, sockets=CONNECTIONS,
                 in_flight=1, messages_per_s=0):
        command = [program, str(server.port), path, str(sockets), str(size), str(seconds), str(in_flight),
                   str(messages_per_s)]
        super().__init__(server, command, seconds, server_cores, client_cores)

    def figures(self):
        """Waits for the end. What went wrong is in ECHO_FAULTS."""
        text, spent = self.finish()
        figures = json.loads(text)
        if not figures["messages"]:
            raise BenchError(f"no message came back from {self._server.name}: {text}")
        return figures | _cost(spent, figures["messages"])


def echo(*arguments, **options):
    """The figures of an EchoLoad from its beginning to its end, in which nothing may have gone wrong."""
    with EchoLoad(*arguments, **options) as running:
        figures = running.figures()
    faults = {name: figures[name] for name in ECHO_FAULTS if figures[name]}
    if faults:
        raise BenchError(f"messages were not sent back as they should be: {faults}")
    return figures


def undisturbed(measure):
    """The first measurement that others did not disturb; when all were, the one that they disturbed least."""
    best = None
    for attempt in range(ATTEMPTS):
        figures = measure()
        if best is None or figures["foreign"] < best["foreign"]:
            best = figures | {"attempt": attempt}
        if figures["foreign"] <= FOREIGN_LIMIT:
            break
    return best


def system_calls(server, seconds, client_cores):
    """System calls per request while the server is busy all the time, in all and by name. Being watched makes it
    several times slower, so that calls that it makes by the clock weigh more than they do without."""
    processes.require("strace")
    command = ["strace", "-f", "-c", "-q"]
    for pid in server.pids():
        command += ["-p", str(pid)]
    tracer = processes.start(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(0.5)
        if tracer.poll() is not None:
            raise BenchError(f"strace cannot look at {server.name}: {tracer.stderr.read()}")
        text = processes.run(wrk_command(server, seconds), seconds + 30, client_cores)
        tracer.send_signal(signal.SIGINT)
        _, report = tracer.communicate(timeout=10)
    finally:
        processes.end(tracer)
    traced = parse_wrk(text)
    requests = traced["requests"]
    calls = {}
    for line in report.splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
            calls[fields[-1]] = calls.get(fields[-1], 0) + int(fields[3]) / requests
    if not calls:
        raise BenchError(f"strace counted nothing of {server.name}:\n{report}")
    return {"all": sum(calls.values()), "by_name": calls, "requests_per_s": traced["requests_per_s"]}
