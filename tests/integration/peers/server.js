// SPDX-License-Identifier: MIT
// The paths of the conformance documents, answered by Node.js; the argument is the path of the socket to listen on.
'use strict';

const http = require('node:http');

function target(request) {
    const absolute = /^https?:\/\/[^/?]*(.*)$/i.exec(request.url);
    const url = absolute ? absolute[1] : request.url;
    return url.split('?', 1)[0] || '/';
}

function answer(request, response, body) {
    const path = target(request);
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (path === '/plaintext') {
        response.writeHead(reads ? 200 : 405, { 'Content-Type': 'text/plain' });
        response.end(reads ? 'Hello, World!' : '');
    } else if (path === '/echo' || path === '/') {
        response.end(body);
    } else {
        response.writeHead(404);
        response.end();
    }
}

const server = http.createServer((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => answer(request, response, Buffer.concat(pieces)));
});
server.listen(process.argv[2]);
process.on('SIGTERM', () => process.exit(0));
