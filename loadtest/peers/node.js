// SPDX-License-Identifier: MIT
// Node's own HTTP server as a peer: one thread of JavaScript.
'use strict';
const http = require('http');

const HELLO = Buffer.from('Hello, World!');

function answer(response, body) {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
  response.end(body);
}

const server = http.createServer((request, response) => {
  if (request.method !== 'POST') {
    request.resume();
    answer(response, HELLO);
    return;
  }
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => answer(response, Buffer.concat(parts)));
});
server.keepAliveTimeout = 600000;
server.requestTimeout = 0;
server.listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096 });
process.on('SIGTERM', () => process.exit(0));
