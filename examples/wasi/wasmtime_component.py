"""Runs a component of WASI 0.2 in Python's `wasmtime` (PyPI), for where its command line is not at hand:

    PORT=8080 python3 examples/wasi/wasmtime_component.py build/wasi/server.component.wasm
"""

import os
import sys

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime import _bindings as ffi
from wasmtime.component import Component, Linker

engine = Engine(Config())
linker = Linker(engine)
linker.add_wasip2()

wasi = WasiConfig()
wasi.env = list(os.environ.items())
wasi.inherit_stdout()
wasi.inherit_stderr()
# The package has no name of its own for `-S inherit-network`.
ffi.wasi_config_inherit_network(wasi.ptr())
store = Store(engine)
store.set_wasi(wasi)

with open(sys.argv[1], "rb") as file:
    component = Component(engine, file.read())
instance = linker.instantiate(store, component)
interface = instance.get_export_index(store, "wasi:cli/run@0.2.0")
run = instance.get_func(store, instance.get_export_index(store, "run", interface))
run(store)
