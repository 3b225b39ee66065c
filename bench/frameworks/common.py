"""What the two Python peers share."""

import ctypes
import signal
import sys

# About 100 KB as JSON, which is made for every answer.
ITEMS = [
    {"id": i, "name": f"item {i}", "price": i * 10, "tags": ["one", "two", "three"], "inStock": i % 2 == 0}
    for i in range(1000)
]


def end_with_parent() -> None:
    """No server outlives the bench, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def ready(port: int) -> None:
    print(f"ready {port}", flush=True)
