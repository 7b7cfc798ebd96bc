// Speaks to a server through a WebSocket client that somebody else wrote.
//
//   node cases.js ws|websocket plain|compressed ws://127.0.0.1:PORT
//
// The server echoes at /echo, and closes at /closing as the path's module says. A line for each case; exit code 1 when
// one of them failed.
//
// Both clients have the same interface. Messages are strings when they are text and Buffers when they are binary.
//   protocol, extensions          what was agreed on
//   send(message)
//   sendInPieces(isText, pieces, between)   one message in as many frames; between() is called between two of them
//   nextMessage(), nextPong()     promises; refused when the connection has ended
//   ping(payload)
//   close(code, reason), closed   `closed` promises {code, reason} of the server's close frame
//   bytesRead()                   of the TCP connection
'use strict';
const assert = require('node:assert/strict');
const crypto = require('node:crypto');

const [, , packageName, mode, origin] = process.argv;
const {connect: connectTo} = require(`./${packageName}_client.js`);
const compressed = mode === 'compressed';
const patience = 20000;

const connect = (path = '/echo', protocols = []) => connectTo(origin + path, {protocols, compressed});

async function expectEcho(client, message) {
  client.send(message);
  const answer = await client.nextMessage();
  assert.equal(typeof answer, typeof message, 'text came back as binary, or binary as text');
  // A difference of a megabyte is no message that anybody reads.
  assert.equal(answer.length, message.length);
  assert.ok(Buffer.from(answer).equals(Buffer.from(message)), 'another message came back');
}

async function withClient(use, ...where) {
  const client = await connect(...where);
  await use(client);
  client.close(1000, '');
  assert.equal((await client.closed).code, 1000);
}

const cases = {
  'text comes back as text': () => withClient(async (client) => {
    for (const text of ['a', 'hello, world', 'Grüße, 世界, 🙂', '\u0000 in the middle \u0000', '\u{10ffff}']) {
      await expectEcho(client, text);
    }
  }),

  'binary comes back as binary': () => withClient(async (client) => {
    await expectEcho(client, Buffer.from(Array.from({length: 256}, (_, i) => i)));
    await expectEcho(client, Buffer.from('bytes that would do as text'));
  }),

  'empty messages': () => withClient(async (client) => {
    await expectEcho(client, '');
    await expectEcho(client, Buffer.alloc(0));
    await expectEcho(client, '');
  }),

  'each form of the length': () => withClient(async (client) => {
    for (const length of [1, 125, 126, 127, 65535, 65536, 65537]) {
      await expectEcho(client, 'x'.repeat(length));
      await expectEcho(client, crypto.randomBytes(length));
    }
  }),

  'a mebibyte': () => withClient(async (client) => {
    await expectEcho(client, 'öÖ'.repeat(1 << 18));
    await expectEcho(client, crypto.randomBytes(1 << 20));
    await expectEcho(client, Buffer.alloc(1 << 20));
  }),

  'many small messages, sent without waiting, come back in order': () => withClient(async (client) => {
    const count = 3000;
    for (let i = 0; i < count; ++i) client.send(i % 3 ? `message ${i}` : Buffer.from(`message ${i}`));
    for (let i = 0; i < count; ++i) {
      const answer = await client.nextMessage();
      assert.equal(Buffer.isBuffer(answer), i % 3 === 0);
      assert.equal(answer.toString(), `message ${i}`);
    }
  }),

  'fragmented text, cut within characters': () => withClient(async (client) => {
    const bytes = Buffer.from('🙂 in pieces: äöü 世界');
    for (const size of [1, 2, 3, 5, 100]) {
      const pieces = [];
      for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
      client.sendInPieces(true, pieces, () => {});
      assert.equal(await client.nextMessage(), bytes.toString());
    }
  }),

  'fragmented binary, with empty fragments': () => withClient(async (client) => {
    const none = Buffer.alloc(0), some = crypto.randomBytes(70000);
    for (const pieces of [[none, none], [none, some], [some, none, some], [some, some, none]]) {
      client.sendInPieces(false, pieces, () => {});
      const answer = await client.nextMessage();
      assert.ok(Buffer.isBuffer(answer) && answer.equals(Buffer.concat(pieces)));
    }
  }),

  'a ping between fragments is answered': () => withClient(async (client) => {
    let pings = 0;
    const pieces = ['one ', 'two ', 'three'].map((text) => Buffer.from(text));
    client.sendInPieces(true, pieces, () => client.ping(Buffer.from(`ping ${++pings}`)));
    assert.equal(await client.nextMessage(), 'one two three');
    for (let i = 1; i <= 2; ++i) assert.equal((await client.nextPong()).toString(), `ping ${i}`);
  }),

  'a pong brings the payload of its ping': () => withClient(async (client) => {
    for (const payload of [Buffer.from('x'), crypto.randomBytes(125), Buffer.from([0, 255, 0])]) {
      client.ping(payload);
      assert.deepEqual(await client.nextPong(), payload);
    }
    client.ping();
    assert.equal((await client.nextPong()).length, 0);
    await expectEcho(client, 'still here');
  }),

  'the server repeats the code that it is closed with': async () => {
    for (const [code, reason] of [[1000, ''], [1000, 'that was all'], [1001, ''], [1011, 'trouble'], [3000, ''],
                                  [4001, 'my own'], [4999, 'ä'.repeat(61)]]) {
      const client = await connect();
      await expectEcho(client, 'hello');
      client.close(code, reason);
      assert.equal((await client.closed).code, code);
    }
  },

  'messages sent before a close are answered before it': async () => {
    const client = await connect();
    for (let i = 0; i < 100; ++i) client.send(`message ${i}`);
    for (let i = 0; i < 100; ++i) assert.equal(await client.nextMessage(), `message ${i}`);
    client.close(1000, '');
    assert.equal((await client.closed).code, 1000);
  },

  'the server closes with code and reason': async () => {
    for (const [code, reason] of [[1000, ''], [1000, 'done'], [1008, 'not like that'], [1011, 'trouble'], [3000, ''],
                                  [4002, 'mine: äöü'], [4999, 'x'.repeat(123)]]) {
      const client = await connect('/closing');
      client.send(`${code} ${reason}`);
      const end = await client.closed;
      assert.equal(end.code, code);
      // Where no reason came, one of the packages tells the code's meaning.
      if (reason !== '') assert.equal(end.reason, reason);
    }
  },

  'what the server sent before it closed arrives': async () => {
    const client = await connect('/closing');
    client.send('first 500');
    for (let i = 0; i < 500; ++i) assert.equal(await client.nextMessage(), `message ${i}`);
    assert.equal((await client.closed).code, 1000);
  },

  'a message beyond the limit is told so': async () => {
    const client = await connect();
    client.send(Buffer.alloc((16 << 20) + 1));
    assert.equal((await client.closed).code, 1009);
  },

  'the first subprotocol is agreed on': async () => {
    await withClient(async (client) => assert.equal(client.protocol, 'chat.v2'), '/echo', ['chat.v2', 'chat.v1']);
    await withClient(async (client) => assert.equal(client.protocol, 'x'), '/echo', ['x']);
    await withClient(async (client) => assert.equal(client.protocol, ''));
  },

  'many connections at a time': async () => {
    const clients = await Promise.all(Array.from({length: 50}, () => connect()));
    await Promise.all(clients.map(async (client, i) => {
      for (let n = 0; n < 20; ++n) await expectEcho(client, `socket ${i}, message ${n}`);
    }));
    clients.forEach((client) => client.close(1000, ''));
    for (const client of clients) assert.equal((await client.closed).code, 1000);
  },

  'a path without sockets refuses': async () => {
    await assert.rejects(connect('/nowhere'), /404/);
  },

  [compressed ? 'messages are compressed' : 'messages are not compressed']: () => withClient(async (client) => {
    assert.equal(/permessage-deflate/.test(JSON.stringify(client.extensions)), compressed);
    const before = client.bytesRead(), length = 100000;
    await expectEcho(client, 'x'.repeat(length));
    const read = client.bytesRead() - before;
    assert.equal(read < length / 10, compressed, `${read} bytes came for a message of ${length}`);
  }),
};

function inTime(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing happened for ${patience / 1000} s`)), patience);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function main() {
  let failures = 0;
  for (const [name, run] of Object.entries(cases)) {
    try {
      await inTime(run());
      console.log(`ok   ${name}`);
    } catch (error) {
      ++failures;
      console.log(`FAIL ${name}: ${error.stack}`);
    }
  }
  // Sockets of cases that failed may be open still.
  process.exit(failures === 0 ? 0 : 1);
}

main();
