// The npm package `websocket` behind the interface that the cases are written for; see cases.js. It knows no
// extensions, but shows its frames: permessage-deflate (RFC 7692) is added to them here.
'use strict';
const zlib = require('zlib');
const {client: WebSocketClient, frame: WebSocketFrame} = require('websocket');
const {Inbox} = require('./inbox.js');

const CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8;
const FLUSHED = Buffer.from([0, 0, 0xff, 0xff]);

// The package refuses each frame with a reserved bit as soon as it is whole: the bit is noted before that.
const addData = WebSocketFrame.prototype.addData;
WebSocketFrame.prototype.addData = function (bytes) {
  const whole = addData.call(this, bytes);
  if (whole && this.rsv1 && this.config.compressed) {
    this.rsv1 = false;
    this.compressed = true;
  }
  return whole;
};

function deflated(payload) {
  const bytes = zlib.deflateRawSync(payload, {finishFlush: zlib.constants.Z_SYNC_FLUSH});
  return bytes.subarray(0, bytes.length - FLUSHED.length);
}

class Connection {
  constructor(connection, response) {
    this.connection = connection;
    this.protocol = connection.protocol || '';
    this.extensions = response.headers['sec-websocket-extensions'] || '';
    this.compressed = connection.config.compressed;
    this.messages = new Inbox();
    this.pongs = new Inbox();
    connection.on('message', (message) =>
      this.messages.put(message.type === 'utf8' ? message.utf8Data : message.binaryData));
    connection.on('pong', (payload) => this.pongs.put(payload));
    connection.on('error', () => {});
    this.closed = new Promise((tell) => connection.on('close', (code, reason) => {
      this.messages.end(`closed with ${code}`);
      this.pongs.end(`closed with ${code}`);
      // Of a close that it began itself, the package tells what it sent and not what came back.
      tell(this.reply || {code, reason});
    }));
    const processFrame = connection.processFrame;
    connection.processFrame = (frame) => {
      if (frame.opcode === CLOSE && connection.waitingForCloseResponse) {
        this.reply = {code: frame.closeStatus, reason: frame.binaryPayload.toString()};
      }
      if (frame.compressed) {
        if (!frame.fin) throw new Error('a compressed message in several frames');
        frame.binaryPayload = zlib.inflateRawSync(Buffer.concat([frame.binaryPayload, FLUSHED]),
                                                  {finishFlush: zlib.constants.Z_SYNC_FLUSH});
        frame.length = frame.binaryPayload.length;
      }
      processFrame.call(connection, frame);
    };
  }

  bytesRead() { return this.connection.socket.bytesRead; }

  sendFrame(opcode, fin, payload, compressed) {
    const frame = new WebSocketFrame(Buffer.alloc(4), Buffer.alloc(10), this.connection.config);
    Object.assign(frame, {opcode, fin, binaryPayload: payload, rsv1: compressed, rsv2: false, rsv3: false});
    this.connection.sendFrame(frame);
  }

  send(data) {
    if (!this.compressed) {
      this.connection.send(data);
      return;
    }
    this.sendFrame(Buffer.isBuffer(data) ? BINARY : TEXT, true, deflated(Buffer.from(data)), true);
  }

  sendInPieces(isText, pieces, between) {
    if (this.compressed) {
      // The message is compressed and then cut, wherever that is.
      const whole = deflated(Buffer.concat(pieces)), size = Math.ceil(whole.length / pieces.length);
      pieces = pieces.map((_, i) => whole.subarray(i * size, (i + 1) * size));
    }
    pieces.forEach((piece, i) => {
      if (i > 0) between();
      const opcode = i > 0 ? CONTINUATION : isText ? TEXT : BINARY;
      this.sendFrame(opcode, i === pieces.length - 1, piece, this.compressed && i === 0);
    });
  }

  nextMessage() { return this.messages.take(); }
  ping(payload) { this.connection.ping(payload); }
  nextPong() { return this.pongs.take(); }
  close(code, reason) { this.connection.close(code, reason); }
}

exports.connect = (url, {protocols = [], compressed}) => new Promise((resolve, reject) => {
  const client = new WebSocketClient({maxReceivedFrameSize: 32 << 20, maxReceivedMessageSize: 32 << 20, compressed});
  client.on('connectFailed', reject);
  client.on('connect', (connection) => resolve(new Connection(connection, client.response)));
  client.connect(url, protocols, null, compressed ? {'Sec-WebSocket-Extensions': 'permessage-deflate'} : {});
});
