// The npm package `ws` behind the interface that the cases are written for; see cases.js.
'use strict';
const WebSocket = require('ws');
const {Inbox} = require('./inbox.js');

exports.connect = (url, {protocols = [], compressed}) => new Promise((resolve, reject) => {
  const socket = new WebSocket(url, protocols, {perMessageDeflate: compressed && {threshold: 0}});
  const messages = new Inbox(), pongs = new Inbox();
  const closed = new Promise((tell) => {
    socket.on('close', (code, reason) => {
      messages.end(`closed with ${code}`);
      pongs.end(`closed with ${code}`);
      tell({code, reason: reason.toString()});
    });
  });
  socket.on('message', (data, isBinary) => messages.put(isBinary ? data : data.toString()));
  socket.on('pong', (data) => pongs.put(data));
  // After the handshake an error is followed by a close, and that is what the cases look at.
  socket.on('error', reject);
  socket.on('open', () => resolve({
    protocol: socket.protocol,
    extensions: socket.extensions,
    bytesRead: () => socket._socket.bytesRead,
    send: (data) => socket.send(data),
    sendInPieces: (isText, pieces, between) => pieces.forEach((piece, i) => {
      if (i > 0) between();
      socket.send(piece, {fin: i === pieces.length - 1, binary: !isText});
    }),
    nextMessage: () => messages.take(),
    ping: (payload) => socket.ping(payload),
    nextPong: () => pongs.take(),
    close: (code, reason) => socket.close(code, reason),
    closed,
  }));
});
