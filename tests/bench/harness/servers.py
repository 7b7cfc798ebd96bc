"""The servers that are compared: each answers GET /counter with a body of the same size on one thread."""
import contextlib
import json
import os
import select
import socket
import subprocess
import tempfile
import time

from harness import processes
from harness.http_client import HttpClient
from harness.processes import BenchError
from harness.websocket_client import WebSocketClient

PATH = "/counter"
# What modules/counter.c answers after its first million requests.
BODY = "count 1000000\\n"
# What OpenSSL's clients ask for first.
TLS_CIPHER = ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256)
CONTENT_TYPE = "text/plain; charset=utf-8"
START_TIME_S = 20
MOST_CONNECTIONS = 40_000


class Server:
    """One that runs, until the end of the `with`."""

    def __init__(self, name, process, port, log):
        self.name = name
        self.process = process
        self.port = port
        self.https = False
        self._serving = None
        self._log = log

    def __enter__(self):
        return self

    def __exit__(self, *_):
        processes.end(self.process)
        self._log.close()

    @property
    def pid(self):
        """Of the process that answers: cweb's has a parent that only waits."""
        return self._serving or self.process.pid

    def serves_as(self, port, pid):
        self.port, self._serving = port, pid

    def pids(self):
        return processes.tree(self.pid)

    def url(self, path=PATH):
        return f"{'https' if self.https else 'http'}://127.0.0.1:{self.port}{path}"

    def log_text(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def wait_until_idle(self):
        """What a server does on its own account after its start or a deploy is not part of a request's cost."""
        end = time.monotonic() + START_TIME_S
        used, before = processes.cpu_seconds(self.pids()), -1.0
        while used - before > 0.001 and time.monotonic() < end:
            time.sleep(0.1)
            before, used = used, processes.cpu_seconds(self.pids())


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Peers:
    """Starts the servers. `directory` takes their configurations and goes with them."""

    def __init__(self, build_directory, project_directory, before=None):
        self._before = before
        self.cweb_binary = os.path.join(build_directory, "cweb")
        self._programs = os.path.join(build_directory, "tests", "bench")
        self._project = project_directory
        self._directory = tempfile.TemporaryDirectory(prefix="cweb-bench-")
        # The worker of an nginx that root starts is another user.
        os.chmod(self._directory.name, 0o755)

    def close(self):
        self._directory.cleanup()

    @property
    def directory(self):
        """For files of measurements; it goes with this object."""
        return self._directory.name

    def program(self, name):
        path = os.path.join(self._programs, name)
        if not os.access(path, os.X_OK):
            raise BenchError(f"{path} is not there; `make bench` builds it")
        return path

    def project_text(self, path):
        with open(os.path.join(self._project, path)) as file:
            return file.read()

    def start(self, name, cores=None):
        """The server of this name, answering and idle."""
        starters = {"cweb": self.cweb_with_counter, "before": self._cweb_before, "nginx": self._nginx, "h2o": self._h2o,
                    "floor": self._floor}
        return _started(name, starters[name], cores, _answers_counter)

    def start_https(self, name, key, cores=None):
        """The same by HTTPS, "cweb" or "nginx", with the certificate of the key: "ecdsa" or "rsa"."""
        certificate, private_key = self._certificate(key)

        def cweb(cores):
            return self.cweb_with_counter(cores, ("--threads", "1", "--cert", certificate, "--key", private_key))

        def nginx(cores):
            server = self._nginx(cores, f"ssl_certificate {certificate}; ssl_certificate_key {private_key}; "
                                        "ssl_protocols TLSv1.2 TLSv1.3;")
            server.https = True
            return server

        return _started(name, {"cweb": cweb, "nginx": nginx}[name], cores, _answers_counter_by_tls13)

    def _certificate(self, key):
        """The files of one that is made when it is first asked for."""
        certificate, private_key = (os.path.join(self._directory.name, f"{key}.{end}") for end in ("crt", "key"))
        if not os.path.exists(certificate):
            kind = {"ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}[key]
            processes.run(["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "2", "-subj",
                           "/CN=localhost", "-keyout", private_key, "-out", certificate], 30)
        return certificate, private_key

    def start_websockets(self, name, cores=None):
        """The server of this name with the paths of modules/websocket_load.c, idle. "npm ws" and the floor have no
        /sleep."""
        starters = {"cweb": self.cweb_with_websockets, "npm ws": self._node, "floor": self._websocket_floor}
        return _started(name, starters[name], cores, _echoes)

    def cweb(self, cores=None, options=("--threads", "1"), binary=None):
        """A cweb without modules, as soon as it is ready."""
        read_end, write_end = os.pipe()
        try:
            command = [binary or self.cweb_binary, "serve", "--port", "0", "--ready-fd", str(write_end), *options]
            process, log = self._launch(command, cores, pass_fds=[write_end])
        finally:
            os.close(write_end)
        server = Server("cweb", process, 0, log)
        try:
            ready = json.loads(_read_line(read_end, START_TIME_S))
            server.serves_as(ready["port"], ready["pid"])
            server.https = ready.get("scheme") == "https"
        except (ValueError, TimeoutError):
            server.__exit__()
            raise BenchError(f"cweb did not become ready; see {' '.join(command)}") from None
        finally:
            os.close(read_end)
        return server

    def cweb_with_counter(self, cores=None, options=("--threads", "1")):
        return self._cweb_with("modules/counter.c", cores, options)

    def _cweb_before(self, cores=None, options=("--threads", "1")):
        return self._cweb_with("modules/counter.c", cores, options, self._before)

    def cweb_with_websockets(self, cores=None, options=("--threads", "1")):
        return self._cweb_with("tests/bench/modules/websocket_load.c", cores, options)

    def _cweb_with(self, module, cores, options, binary=None):
        server = self.cweb(cores, options, binary)
        try:
            with HttpClient(server.port, https=server.https) as client:
                client.deploy(self.project_text(module))
        except BaseException:
            server.__exit__()
            raise
        return server

    def _nginx(self, cores, tls=""):
        """`tls`: the lines of its configuration that name a certificate; empty for plain HTTP."""
        port = free_port()
        home = self._directory.name
        configuration = os.path.join(home, f"nginx-{port}.conf")
        with open(configuration, "w") as file:
            file.write(f"""
daemon off; worker_processes 1; pid {home}/nginx-{port}.pid; error_log stderr error;
events {{ worker_connections {MOST_CONNECTIONS}; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; default_type "{CONTENT_TYPE}";
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  server {{ listen 127.0.0.1:{port}{" ssl" if tls else ""} backlog=4096; {tls} location {PATH} {{ return 200 "{BODY}"; }} }}
}}
""")
        return self._listening("nginx", ["nginx", "-e", "stderr", "-c", configuration], port, cores)

    def _h2o(self, cores):
        port = free_port()
        return self._listening("h2o", [self.program("h2o_counter"), str(port)], port, cores)

    def _floor(self, cores):
        port = free_port()
        return self._listening("floor", [self.program("floor"), str(port)], port, cores)

    def _websocket_floor(self, cores):
        port = free_port()
        return self._listening("floor", [self.program("websocket_floor"), str(port)], port, cores)

    def _node(self, cores):
        port = free_port()
        script = os.path.join(self._project, "tests", "bench", "peers", "node", "websockets.js")
        return self._listening("npm ws", ["node", script, str(port)], port, cores,
                               environment={"NODE_PATH": os.path.join(self._programs, "node", "node_modules")})

    def _listening(self, name, command, port, cores, environment=()):
        processes.require(command[0])
        process, log = self._launch(command, cores, environment=environment)
        server = Server(name, process, port, log)
        end = time.monotonic() + START_TIME_S
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return server
            time.sleep(0.02)
        text = server.log_text()
        server.__exit__()
        raise BenchError(f"{name} did not start: {' '.join(command)}\n{text}".rstrip())

    def _launch(self, command, cores, pass_fds=(), environment=()):
        log = tempfile.TemporaryFile()
        # Nobody but the tables bounds the connections; versions without such a bound ignore the variable.
        environment = os.environ | {"CWEB_MAX_CONNECTIONS": str(MOST_CONNECTIONS)} | dict(environment)
        process = processes.start(processes.pinned(command, cores), stdout=log, stderr=subprocess.STDOUT,
                                  cwd=self._directory.name, pass_fds=pass_fds, env=environment)
        return process, log


def _started(name, starter, cores, check):
    for attempts_left in (2, 1, 0):
        try:
            server = starter(cores)
            try:
                check(server)
                server.wait_until_idle()
            except BaseException:
                server.__exit__()
                raise
            return server
        except BenchError:
            # Somebody may have taken the free port meanwhile.
            if attempts_left == 0:
                raise


def _answers_counter(server):
    with HttpClient(server.port, https=server.https) as client:
        status, body = client.get(PATH)
    if status != 200 or not body.startswith(b"count ") or len(body) > len("count 1000000\n"):
        raise BenchError(f"{server.name} answers {status} with {body[:80]!r}")


def _answers_counter_by_tls13(server):
    with HttpClient(server.port, https=True) as client:
        if client.cipher != TLS_CIPHER:
            raise BenchError(f"{server.name} speaks {client.cipher}, and what is compared is {TLS_CIPHER}")
    _answers_counter(server)


def _echoes(server):
    with WebSocketClient(server.port, "/echo") as client:
        client.send(b"are you there?")
        if (answer := client.receive()) != b"are you there?":
            raise BenchError(f"{server.name} sends back {answer[:80]!r}")


def _read_line(descriptor, time_s):
    line = b""
    end = time.monotonic() + time_s
    while not line.endswith(b"\n"):
        if not select.select([descriptor], [], [], max(0, end - time.monotonic()))[0]:
            raise TimeoutError
        byte = os.read(descriptor, 4096)
        if not byte:
            break
        line += byte
    return line
