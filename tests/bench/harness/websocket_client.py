"""One WebSocket, for the few messages that a measurement sends by the way; those that are counted are sent by
websocket_echo and websocket_crowd. Messages of the server are in one frame."""
import os
import socket
import struct

from harness.processes import BenchError

_KEY, _ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # the example of RFC 6455, 1.3
_BINARY, _CLOSE, _PING, _PONG = 2, 8, 9, 10
_NORMAL = struct.pack(">H", 1000)


class WebSocketClient:
    def __init__(self, port, path):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Key: {_KEY}\r\n"
                             "Sec-WebSocket-Version: 13\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self._file.readline()
            if not line:
                break
            head += line
        if not head.startswith(b"HTTP/1.1 101 ") or _ACCEPT not in head:
            self._socket.close()
            raise BenchError(f"{path} is no WebSocket: {head[:200]!r}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
        self._socket.close()

    def send(self, message):
        self._send_frame(_BINARY, message)

    def receive(self):
        """The next message, text or binary."""
        while True:
            opcode, payload = self._receive_frame()
            if opcode == _PING:
                self._send_frame(_PONG, payload)
            elif opcode == _CLOSE:
                raise BenchError(f"the server closed a WebSocket: {payload!r}")
            elif opcode != _PONG:
                return payload

    def close(self):
        """The closing handshake, to its end: the server knows of it and is done with the socket."""
        self._send_frame(_CLOSE, _NORMAL)
        while self._receive_frame()[0] != _CLOSE:
            pass
        if self._file.read(1):
            raise BenchError("the server sent something behind its close frame")

    def _send_frame(self, opcode, payload):
        mask = os.urandom(4)
        length = len(payload)
        short = length if length < 126 else 126 if length < 65536 else 127
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | short)
        head += {126: struct.pack(">H", length & 0xffff), 127: struct.pack(">Q", length)}.get(short, b"")
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self._socket.sendall(head + mask + masked)

    def _receive_frame(self):
        first, length = struct.unpack(">BB", self._read(2))
        if length == 126:
            length, = struct.unpack(">H", self._read(2))
        elif length == 127:
            length, = struct.unpack(">Q", self._read(8))
        return first & 15, self._read(length)

    def _read(self, count):
        data = self._file.read(count)
        if len(data) < count:
            raise BenchError("the server ended a WebSocket without a word")
        return data
