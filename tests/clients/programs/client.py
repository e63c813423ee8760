# SPDX-License-Identifier: MIT
"""Clients of Python: makes the requests that it is told, one after the other over one session, and says what came back.

client.py LIBRARY URL, with a list of requests as JSON on stdin; a list of results as JSON on stdout. The other programs
beside it do the same."""

import asyncio
import functools
import hashlib
import http.client
import json
import sys
import urllib.parse

BLOCK = bytes(i % 251 for i in range(65536))
SECONDS = 60
SHOWN = 4096  # a text of at most that is in the result


def blocks(length):
    while length > 0:
        yield BLOCK[:length]
        length -= len(BLOCK)


async def async_blocks(length):
    for block in blocks(length):
        yield block


def result(status, headers, body):
    return {"status": status, "headers": {name.lower(): value for name, value in headers}, "length": len(body),
            "sha256": hashlib.sha256(body).hexdigest(), "text": body.decode("latin-1") if len(body) <= SHOWN else ""}


@functools.lru_cache(maxsize=1)
def whole(length):
    """The body in one piece, made once for requests that follow each other with the same length."""
    return b"".join(blocks(length))


def body_of(item, stream=blocks):
    """What a library is given: a generator where the request shall be chunked."""
    if item["chunked"]:
        return stream(item["length"])
    return whole(item["length"]) if item["length"] else None


class HttpClient:
    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=SECONDS)

    def ask(self, item):
        headers = {"Transfer-Encoding": "chunked"} if item["chunked"] else {}
        try:
            self.connection.request(item["method"], item["path"], body_of(item), headers, encode_chunked=item["chunked"])
        except (BrokenPipeError, ConnectionResetError):
            pass  # the answer may be there all the same
        try:
            answer = self.connection.getresponse()
            return result(answer.status, answer.getheaders(), answer.read())
        except http.client.HTTPException:
            self.connection.close()  # the library leaves that to its caller
            raise


class Requests:
    def __init__(self, url):
        import requests
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False

    def ask(self, item):
        answer = self.session.request(item["method"], self.url + item["path"], data=body_of(item), timeout=SECONDS)
        return result(answer.status_code, answer.headers.items(), answer.content)


class Httpx:
    def __init__(self, url):
        import httpx
        self.client = httpx.Client(base_url=url, timeout=SECONDS, trust_env=False)

    def ask(self, item):
        answer = self.client.request(item["method"], item["path"], content=body_of(item))
        return result(answer.status_code, answer.headers.items(), answer.content)


def each(client, items):
    results = []
    for item in items:
        try:
            results.append(client.ask(item))
        except Exception as error:
            results.append({"error": f"{type(error).__name__}: {error}"})
    return results


async def aiohttp_results(url, items):
    import aiohttp
    results = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session:
        for item in items:
            try:
                async with session.request(item["method"], url + item["path"], data=body_of(item, async_blocks),
                                           expect100=item["expect"]) as answer:
                    results.append(result(answer.status, answer.headers.items(), await answer.read()))
            except Exception as error:
                results.append({"error": f"{type(error).__name__}: {error}"})
    return results


def main():
    library, url = sys.argv[1:]
    items = json.load(sys.stdin)
    if library == "aiohttp":
        results = asyncio.run(aiohttp_results(url, items))
    else:
        results = each({"http.client": HttpClient, "requests": Requests, "httpx": Httpx}[library](url), items)
    json.dump(results, sys.stdout)


main()
