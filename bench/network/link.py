#!/usr/bin/env python3
"""Two network namespaces with a link between them that is long and loses packets: what netem would do, where there is no netem.

Each namespace has a device of TUN; this program hands each packet of IP that leaves one of them to the other after a delay, or
drops it. So the kernel's own TCP runs over it, as it is. There is no limit of bandwidth and no queue.

Needs Linux, root, `ip` and /dev/net/tun. Arguments: the delay each way in milliseconds, the share of packets that is lost (0 to
1, each direction alike), a seed, and the kernel's congestion control for TCP. Says `ready PID PID HOST` when the link is up: processes
in the first namespace and in the second, for `nsenter --net=/proc/PID/ns/net`, and the address of the second. Ends with its parent.
"""

import collections
import ctypes
import fcntl
import os
import random
import select
import signal
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN = 1
IFF_NO_PI = 0x1000
PR_SET_PDEATHSIG = 1
PACKET_BYTES = 65536
HOSTS = ["10.77.0.1", "10.77.0.2"]

libc = ctypes.CDLL(None, use_errno=True)


def ends_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def open_namespace(host, peer, congestion_control):
    """Moves this process into a fresh namespace and answers its device, and a process that keeps the namespace."""
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare: a namespace of its own needs root")
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"link0", IFF_TUN | IFF_NO_PI))
    for command in (
        "link set lo up",
        "link set link0 mtu 1500 up",
        f"addr add {host}/32 dev link0",
        # A route may name any algorithm; the setting of a namespace may not.
        f"route add {peer}/32 dev link0 src {host} congctl {congestion_control}",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    # Each connection starts anew: no threshold, no round trip is remembered from the one before.
    with open("/proc/sys/net/ipv4/tcp_no_metrics_save", "w", encoding="ascii") as setting:
        setting.write("1")
    keeper = subprocess.Popen(["sleep", "infinity"], preexec_fn=ends_with_parent)
    return device, keeper.pid


def main():
    delay, loss, seed, congestion_control = sys.argv[1:]
    delay_seconds = float(delay) / 1000
    loss_rate = float(loss)
    chance = random.Random(int(seed))
    ends_with_parent()
    pids = []
    devices = []
    for host, peer in zip(HOSTS, reversed(HOSTS)):
        device, pid = open_namespace(host, peer, congestion_control)
        devices.append(device)
        pids.append(pid)
    print("ready", *pids, HOSTS[1], flush=True)
    other = {devices[0]: devices[1], devices[1]: devices[0]}
    # The delay is the same for all, so they leave in the order in which they came.
    under_way = collections.deque()
    while True:
        wait = max(under_way[0][0] - time.monotonic(), 0) if under_way else None
        for device in select.select(devices, [], [], wait)[0]:
            try:
                while True:
                    packet = os.read(device, PACKET_BYTES)
                    if chance.random() >= loss_rate:
                        under_way.append((time.monotonic() + delay_seconds, other[device], packet))
            except BlockingIOError:
                pass
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            _, device, packet = under_way.popleft()
            os.write(device, packet)


main()
