"""Talks to `/ws` with PyPI's `websockets`, and prints a line for each check: its name, a tab, and what is wrong, if anything.

    python web_socket_client.py PLAIN_URL SECURE_URL CERTIFICATE
"""

import asyncio
import os
import ssl
import sys

import websockets
from websockets.asyncio.client import connect

PLAIN, SECURE, CERTIFICATE = sys.argv[1:4]
LARGE = 1 << 22


async def echoes(url, **options):
    async with connect(url, max_size=None, **options) as ws:
        for size in (0, 1, 125, 126, 65535, 65536, LARGE):
            text = ("aé€😀z" * size)[:size]
            await ws.send(text)
            assert await ws.recv() == text, f"text of {size}"
            data = os.urandom(size)
            await ws.send(data)
            assert await ws.recv() == data, f"bytes of {size}"


async def in_fragments(url, **options):
    async with connect(url, **options) as ws:
        await ws.send(["Grü", "ße", "", "!"])
        assert await ws.recv() == "Grüße!"
        await ws.send([b"a", b"", b"b" * 100_000])
        assert await ws.recv() == b"a" + b"b" * 100_000


async def in_order(url, **options):
    async with connect(url, max_queue=None, **options) as ws:
        texts = [f"message {index} " * 100 for index in range(500)]
        await asyncio.gather(*(ws.send(text) for text in texts))
        assert [await ws.recv() for _ in texts] == texts


async def pings(url, **options):
    async with connect(url, **options) as ws:
        for payload in (b"", b"are you there?", bytes(125)):
            await asyncio.wait_for(await ws.ping(payload), 5)


async def closes(url, **options):
    for code, reason in ((1000, ""), (1001, "leaving"), (3000, "é€"), (4999, "x" * 123)):
        ws = await connect(url, **options)
        await ws.close(code, reason)
        assert ws.close_code == code, f"{ws.close_code} and not {code}"


async def too_large(url, **options):
    ws = await connect(url, **options)
    try:
        await ws.send(bytes((16 << 20) + 1))
        await ws.recv()
    except (websockets.ConnectionClosed, AttributeError):
        # The connection ends while it is sending, which asyncio's transport may stumble over.
        pass
    assert ws.close_code in (1009, 1006), ws.close_code


async def main():
    tls = ssl.create_default_context(cafile=CERTIFICATE)
    ways = {
        "plain": (PLAIN, {"compression": None}),
        "plain, deflate": (PLAIN, {}),
        "TLS": (SECURE, {"compression": None, "ssl": tls}),
        "TLS, deflate": (SECURE, {"ssl": tls}),
    }
    for way, (url, options) in ways.items():
        for check in (echoes, in_fragments, in_order, pings, closes, too_large):
            problem = ""
            try:
                await asyncio.wait_for(check(url, **options), 30)
            except Exception as error:  # What is wrong is what this program is to tell.
                problem = f"{type(error).__name__} {error}".replace("\n", " ")[:300]
            print(f"{check.__name__.replace('_', ' ')}, {way}\t{problem}", flush=True)


asyncio.run(main())
