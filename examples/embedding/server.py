"""The bare engine in Python's `wasmtime` (PyPI): a server of one connection at a time, which shows each call and event.

    PORT=8080 python3 examples/embedding/server.py build/engine.wasm

docs/abi.md has the numbers. HTTP/1.1, and HTTP/2 for a client that begins with its preface.
"""

import os
import secrets
import socket
import struct
import sys
import time

from wasmtime import Engine, Instance, Module, Store

ABI_VERSION, RECEIVE_PTR, RECEIVE_LEN, TRANSMIT_PTR, COMMAND_PTR = 0, 1, 2, 3, 5
EVENT_PTR, EVENT_CAPACITY, EVENT_WRITE_PTR, EVENT_READ_PTR, ENTROPY_PTR, ENTROPY_LEN = 9, 10, 11, 12, 18, 19
REQUEST, ABORTED, CLOSE = 1, 6, 18
HTTP_1, SERVER, NO_FLAGS, RELEASE = 1, 0, 0, 8
CONTENT_TYPE = 20
MEMORY_PAGES = 1024

wasm = Engine()
store = Store(wasm)
exports = Instance(store, Module.from_file(wasm, sys.argv[1]), []).exports(store)
memory = exports["memory"]
memory.grow(store, MEMORY_PAGES - memory.size(store))


def call(name, *arguments):
    return exports[name](store, *arguments)


def word(address):
    return struct.unpack("<I", memory.read(store, address, address + 4))[0]


def now():
    return time.monotonic() * 1000


table = call("layout")
layout = [word(table + 4 * lane) for lane in range(20)]
memory.write(store, secrets.token_bytes(layout[ENTROPY_LEN]), layout[ENTROPY_PTR])
assert call("initialize", now()) == 0


def read_events():
    """Does what the engine tells; whether it is through with the connection."""
    is_over = False
    while (count := word(layout[EVENT_READ_PTR])) != word(layout[EVENT_WRITE_PTR]):
        record = layout[EVENT_PTR] + (count & (layout[EVENT_CAPACITY] - 1)) * 32
        kind, exchange, _connection, a = struct.unpack("<4I", memory.read(store, record, record + 16))
        memory.write(store, struct.pack("<I", count + 1), layout[EVENT_READ_PTR])
        if kind & 0xFFFF == REQUEST:
            answer(exchange, a)
        elif kind & 0xFFFF == ABORTED:
            call("releaseExchange", exchange)
        elif kind & 0xFFFF == CLOSE:
            is_over = True
    return is_over


def answer(exchange, head):
    target_ptr, target_len = word(head + 16), word(head + 20)
    target = bytes(memory.read(store, target_ptr, target_ptr + target_len)).decode("latin-1")
    body = f"You asked Python for {target}\n".encode()
    value = b"text/plain"
    field = struct.pack("<HHI", CONTENT_TYPE, 0, len(value)) + value
    start = layout[COMMAND_PTR]
    memory.write(store, field + body, start)
    call("respond", exchange, 200, start, len(field), start + len(field), len(body), RELEASE)


def serve(peer):
    connection = call("openConnection", HTTP_1, SERVER, NO_FLAGS, now())
    is_over = False
    while not is_over and (data := peer.recv(layout[RECEIVE_LEN])):
        memory.write(store, data, layout[RECEIVE_PTR])
        at = 0
        while at < len(data):
            taken = call("receive", connection, at, len(data) - at, now())
            is_over = read_events() or is_over
            if taken < 0:
                break
            at += taken
        while (length := call("pollTransmit", connection)) > 0:
            peer.sendall(bytes(memory.read(store, layout[TRANSMIT_PTR], layout[TRANSMIT_PTR] + length)))
            is_over = read_events() or is_over
    call("closeConnection", connection)


with socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "8080")))) as server:
    print(f"listening on http://127.0.0.1:{server.getsockname()[1]}/", flush=True)
    while True:
        accepted, _address = server.accept()
        accepted.settimeout(10)
        with accepted:
            call("setDate", time.time() * 1000)
            try:
                serve(accepted)
            except OSError as error:
                print(error, file=sys.stderr)
