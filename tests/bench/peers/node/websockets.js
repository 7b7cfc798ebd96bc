// npm's ws, on one thread: node websockets.js PORT. It has the paths of websocket_floor.c.
'use strict';
const { WebSocket, WebSocketServer } = require('ws');

const listeners = new Set();

function broadcast(order) {
  const [length, number] = order.toString().split(' ');
  const message = Buffer.alloc(Number(length));
  message.writeBigUInt64LE(BigInt(number));
  for (const socket of listeners) {
    if (socket.readyState === WebSocket.OPEN) socket.send(message);
  }
}

function welcome(socket, request) {
  socket.on('error', () => socket.terminate());
  if (request.url === '/broadcast') {
    listeners.add(socket);
    socket.on('close', () => listeners.delete(socket));
    socket.on('message', broadcast);
  } else {
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
  }
}

const server = new WebSocketServer({
  host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096, perMessageDeflate: false,
});
server.on('connection', welcome);
