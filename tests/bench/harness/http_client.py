"""A client that keeps its connection: as little as the measurements need, so that it costs little beside what it
measures. Answers must have a Content-Length."""
import json
import socket
import ssl

from harness.processes import BenchError


class HttpClient:
    def __init__(self, port, source_address=None, https=False):
        self._host = f"127.0.0.1:{port}"
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30, source_address=source_address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if https:
            # The certificate was made for this run; nobody has signed it.
            self._socket = ssl._create_unverified_context().wrap_socket(self._socket, server_hostname="localhost")
        self._received = b""

    @property
    def cipher(self):
        """(name, version of TLS, bits)"""
        return self._socket.cipher()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def get(self, path):
        """(status, body)"""
        return self._ask(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())

    def deploy(self, source):
        """The JSON report of a deploy that has to succeed."""
        body = source.encode()
        head = (f"POST /mgnt HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: text/x-c\r\nAccept: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        status, answer = self._ask(head.encode() + body)
        if status != 200:
            raise BenchError(f"a deploy was answered with {status}: {answer.decode(errors='replace')[:500]}")
        return json.loads(answer)

    def _ask(self, request):
        self._socket.sendall(request)
        head, _, body = self._receive_until_head_ends()
        status = int(head[9:12])
        length = None
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if length is None:
            raise BenchError(f"an answer without Content-Length: {head[:200]!r}")
        parts = [body]
        missing = length - len(body)
        while missing > 0:
            parts.append(self._receive())
            missing -= len(parts[-1])
        whole = b"".join(parts)
        self._received = whole[length:]
        return status, whole[:length]

    def _receive_until_head_ends(self):
        received = self._received
        while b"\r\n\r\n" not in received:
            received += self._receive()
        return received.partition(b"\r\n\r\n")

    def _receive(self):
        data = self._socket.recv(262144)
        if not data:
            raise BenchError("the server closed a connection that was asked")
        return data
