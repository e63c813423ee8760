// SPDX-License-Identifier: MIT
// Clients of Node.js: http, fetch (built in) and undici (npm). client.mjs LIBRARY URL [UNDICI]; see client.py.
import http from "node:http";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";

const [library, base, undiciPath] = process.argv.slice(2);
const SECONDS = 60, SHOWN = 4096;
const BLOCK = Buffer.from(Array.from({ length: 65536 }, (_, i) => i % 251));

function* blocks(length) {
  for (; length > 0; length -= BLOCK.length) yield BLOCK.subarray(0, Math.min(length, BLOCK.length));
}

// The body in one piece, made once for requests that follow each other with the same length.
let whole = Buffer.alloc(0);
function wholeOf(length) {
  if (whole.length !== length) whole = Buffer.concat([...blocks(length)]);
  return whole;
}

function result(status, headers, body) {
  return { status, headers, length: body.length, sha256: createHash("sha256").update(body).digest("hex"),
           text: body.length <= SHOWN ? body.toString("latin1") : "" };
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function askHttp(item) {
  return new Promise((resolve, reject) => {
    const headers = {};
    if (item.expect) headers.Expect = "100-continue";
    if (item.length > 0 && !item.chunked) headers["Content-Length"] = item.length;
    const request = http.request(base + item.path, { method: item.method, agent, headers, timeout: SECONDS * 1000 });
    let answered = false, continued = false;
    request.on("continue", () => { continued = true; send(); });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", (error) => { if (!answered) reject(error); });
    request.on("response", (answer) => {
      answered = true;
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("error", reject);
      answer.on("end", () => {
        if (!request.writableEnded) request.destroy();
        resolve({ ...result(answer.statusCode, answer.headers, Buffer.concat(parts)), continued });
      });
    });
    function send() {
      if (item.length > 0) Readable.from(blocks(item.length)).pipe(request);
      else request.end();
    }
    if (item.expect) request.flushHeaders(); else send();
  });
}

async function askFetch(item) {
  const options = { method: item.method, signal: AbortSignal.timeout(SECONDS * 1000) };
  if (item.length > 0) {
    options.body = item.chunked ? Readable.toWeb(Readable.from(blocks(item.length))) : wholeOf(item.length);
    if (item.chunked) options.duplex = "half";
  }
  const answer = await fetch(base + item.path, options);
  return result(answer.status, Object.fromEntries(answer.headers), Buffer.from(await answer.arrayBuffer()));
}

let client;
async function askUndici(item) {
  const options = { method: item.method, path: item.path, headers: {} };
  if (item.length > 0) {
    options.body = item.chunked ? Readable.from(blocks(item.length)) : wholeOf(item.length);
  }
  const answer = await client.request(options);
  const body = Buffer.from(await answer.body.arrayBuffer());
  return result(answer.statusCode, answer.headers, body);
}

const tell = (error) => ({ error: `${error}${error.cause ? ` (${error.cause})` : ""}` });
const items = JSON.parse(await text(process.stdin));
let results = [];
if (library === "undici" || library === "undici-pipelining") {
  const { Client } = await import(undiciPath);
  client = new Client(base, { pipelining: library === "undici" ? 1 : 8, bodyTimeout: SECONDS * 1000 });
}
if (library === "undici-pipelining") {
  results = await Promise.all(items.map((item) => askUndici(item).catch(tell)));
} else {
  const ask = { http: askHttp, fetch: askFetch, undici: askUndici }[library];
  for (const item of items) results.push(await ask(item).catch(tell));
}
process.stdout.write(JSON.stringify(results), () => process.exit(0));
