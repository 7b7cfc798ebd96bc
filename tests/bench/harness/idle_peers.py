"""Connections on which nothing happens, or not enough."""
import select
import socket

# Loopback addresses other than the clients' own, several of them: each has its ports to itself, and finding a free one
# among many that are taken is slow.
SOURCE_ADDRESSES = [f"127.0.0.{number}" for number in range(2, 18)]


class IdlePeers:
    """Connections that stay as they are until the end of the `with`."""

    def __init__(self, port):
        self._port = port
        self._sockets = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for peer in self._sockets:
            peer.close()
        self._sockets.clear()

    def add_silent(self, count):
        """Connect and say nothing."""
        for _ in range(count):
            self._connect()

    def add_half_sent(self, count):
        """Stop in the middle of a request, each at another byte."""
        request = f"GET /counter HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept: text/plain\r\n\r\n".encode()
        for i in range(count):
            self._connect().sendall(request[:1 + i % (len(request) - 1)])

    def add_answered(self, count, path):
        """Ask once and keep the connection. Stops at the first that the server refuses; the number of the others."""
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode()
        for added in range(count):
            peer = self._connect()
            peer.sendall(request)
            if not peer.recv(65536).startswith(b"HTTP/1.1 200"):
                self._sockets.pop().close()
                return added
        return count

    def open_count(self):
        """How many the server has not closed; those that it answered without being asked count as closed."""
        poll = select.poll()
        for peer in self._sockets:
            poll.register(peer, select.POLLIN)
        return len(self._sockets) - len(poll.poll(0))

    def _connect(self):
        source = SOURCE_ADDRESSES[len(self._sockets) % len(SOURCE_ADDRESSES)]
        peer = socket.create_connection(("127.0.0.1", self._port), timeout=30, source_address=(source, 0))
        self._sockets.append(peer)
        return peer
