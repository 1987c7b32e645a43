"""envlib - what the programs that start a real server have in common.

A program started through run() prints one JSON line with what a client needs, then waits until its
standard input ends or a signal arrives, stops what it started by pid and removes its folder. Its
children die with it, even when it is killed.
"""
import contextlib
import ctypes
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request


PORTS_OUT = "/proc/sys/net/ipv4/ip_local_port_range"
_given = set()


def free_port():
    """One that no outgoing connection is given before it is listened at: those have a range of their own."""
    with open(PORTS_OUT) as f:
        ports = list(range(10000, int(f.read().split()[0])))
    random.shuffle(ports)
    for port in [*ports, 0]:
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            found = s.getsockname()[1]
            if found not in _given:
                _given.add(found)
                return found
    raise SystemExit("no port is free")


def _die_with_parent():
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Processes:
    """Children in the order of their start; stopped in reverse."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def start(self, name, argv, stop=signal.SIGKILL, **kwargs):
        log = open(os.path.join(self.folder, name + ".out"), "ab")
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 preexec_fn=_die_with_parent, **kwargs)
        log.close()
        child.stop_signal = stop
        self.running.append((name, child))
        return child

    def check(self):
        for name, child in self.running:
            if child.poll() is not None:
                with open(os.path.join(self.folder, name + ".out"), errors="replace") as f:
                    tail = f.read()[-2000:]
                raise SystemExit(f"{name} ended with {child.returncode}:\n{tail}")

    def stop(self):
        for _, child in reversed(self.running):
            if child.poll() is None:
                child.send_signal(child.stop_signal)
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.running = []


def wait_http(url, processes, want=(200,), seconds=60, context=None, headers=None):
    """Asks until the answer's status is wanted, and returns the body."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        processes.check()
        try:
            request = urllib.request.Request(url, headers=headers or {})
            with urllib.request.urlopen(request, timeout=2, context=context) as r:
                if r.status in want:
                    return r.read()
        except urllib.error.HTTPError as e:
            if e.code in want:
                return e.read()
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"{url} did not answer within {seconds} s")


def run(prefix, start, add_arguments=None):
    """start(folder, processes, arguments) returns the facts to print."""
    import argparse

    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--dir", help="keep everything in this folder (default: a temporary one)")
    if add_arguments:
        add_arguments(parser)
    arguments = parser.parse_args()
    folder = arguments.dir or tempfile.mkdtemp(prefix=prefix)
    os.makedirs(folder, exist_ok=True)
    processes = Processes(folder)

    def stop(*_):
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        facts = start(folder, processes, arguments)
        facts["pids"] = {name: child.pid for name, child in processes.running}
        print(json.dumps(facts), flush=True)
        while True:
            ready, _, _ = select.select([sys.stdin], [], [], 1)
            if ready and not sys.stdin.buffer.read1(4096):
                return
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        processes.stop()
        if not arguments.dir:
            shutil.rmtree(folder, ignore_errors=True)
