"""The measurements of hack/bench. Every figure is a ratio to something run beside it, a size, or a count of
milliseconds with its target. Called by hack/bench."""
import argparse
import json
import os
import re
import resource
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TOP, "tests", "e2e"), os.path.join(TOP, "tests", "env")]
os.environ["FRONTDESK"] = os.path.join(TOP, "build", "release", "frontdesk")

import bench_store  # noqa: E402
import envlib  # noqa: E402
import harness as h  # noqa: E402
from e2e_folder import Desk  # noqa: E402

SECONDS, CONNECTIONS, IDLE, RUNS = 5, 64, 9000, 3
results = []


def report(name, value, unit, target, against="", lower_is_better=False):
    met = target is None or (value <= target if lower_is_better else value >= target)
    results.append({"name": name, "value": value, "unit": unit, "target": target, "against": against, "met": met})
    shown = "" if target is None else f"{'<=' if lower_is_better else '>='} {target}"
    print(f"{name:<44} {value:>10.3f} {unit:<14} {shown:<10} {against:<12} {'' if met else 'MISSED'}", flush=True)


def pinned(core, argv):
    return ["taskset", "-c", str(core), *argv]


def wrk(url, script=None):
    argv = pinned(1, ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *(["-s", script] if script else []), url])
    text = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if bad:
        raise SystemExit(f"{url}: {bad.group(1)} wrong answers")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def ratio(measured, beside):
    """Median of each, measured in turns so that both see the same noise."""
    pairs = [(measured(), beside()) for _ in range(RUNS)]
    return statistics.median(p[0] for p in pairs) / statistics.median(p[1] for p in pairs)


class Nginx:
    def __init__(self, folder):
        self.port = envlib.free_port()
        self.files = tempfile.mkdtemp(prefix="fd-nginx-")
        os.chmod(self.files, 0o755)
        conf = os.path.join(folder, "nginx.conf")
        with open(conf, "w") as f:
            f.write(f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
                    "events { worker_connections 20000; }\nhttp { access_log off; keepalive_requests 100000000;\n"
                    "sendfile on; tcp_nopush on; open_file_cache max=10; default_type application/json;\n"
                    f"server {{ listen 127.0.0.1:{self.port}; location / {{ return 200 '{{\"hello\":\"world\"}}'; }}\n"
                    f"location = /answer.json {{ root {self.files}; }} }} }}\n")
        self.process = subprocess.Popen(pinned(0, ["nginx", "-p", folder, "-c", conf]), stderr=subprocess.DEVNULL)
        h.wait_for("nginx", lambda: socket.create_connection(("127.0.0.1", self.port)).close() is None)
        self.url = f"http://127.0.0.1:{self.port}/"

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.files, ignore_errors=True)


class Bench(Desk):
    """The program in folder mode on one core, a real RGW, nginx beside it."""

    @classmethod
    def begin(cls):
        cls.setUpClass()
        subprocess.run(["taskset", "-a", "-c", "-p", "0", str(cls.desk.process.pid)], check=True, stdout=subprocess.DEVNULL)
        cls.nginx = Nginx(cls.base)
        cls.addClassCleanup(cls.nginx.stop)

    @classmethod
    def callers(cls):
        """The tokens of 16 callers."""
        for i in range(16):
            cls.folder.write(f"caller{i}.yaml", h.principal(f"caller{i}"),
                             h.role(f"caller{i}", principals=[{"kind": "Principal", "name": f"caller{i}"}]))
        tokens = []
        for i in range(16):
            client = h.wait_for("a caller", lambda i=i: cls.credentials(f"caller{i}-credentials"))
            tokens.append(h.wait_for("its token", lambda c=client: cls.desk.token(c)))
        return tokens

    @classmethod
    def script(cls, name, tokens, path, headers=""):
        """A wrk script: each caller in turn, over 50 tables; `path` ends where a table's number begins."""
        file = os.path.join(cls.base, name + ".lua")
        before, after = path.split("{}")
        with open(file, "w") as f:
            f.write("local tokens = {" + ",".join(f'"{t}"' for t in tokens) + "}\nlocal n = 0\nrequest = function()\n  n = n + 1\n"
                    f"  return wrk.format('GET', '{before}' .. (n * 7 % 50) .. '{after}', "
                    f"{{['Authorization'] = 'Bearer ' .. tokens[n % 16 + 1], ['Host'] = 'bench'{headers}}})\nend\n")
        return file

    @classmethod
    def varied(cls):
        """A wrk script: 16 callers' tokens over 50 tables."""
        tokens = cls.callers()
        for i in range(50):
            cls.create(f"t{i}")
        for token in tokens:
            for i in range(50):
                path = f"/v1/analytics/namespaces/sales/tables/t{i}/credentials"
                h.wait_for("a credential", lambda p=path, t=token: cls.desk.call("GET", p, t)[0] == 200)
        return cls.script("varied", tokens, "/v1/analytics/namespaces/sales/tables/t{}/credentials")


def constant(bench):
    report("constant answer", ratio(lambda: wrk(bench.desk.admin + "/healthz"), lambda: wrk(bench.nginx.url)), "x", 0.90, "nginx")


def credentials(bench):
    script = bench.varied()
    value = ratio(lambda: wrk(bench.desk.uri, script), lambda: wrk(bench.nginx.url))
    report("credentials from the cache", value, "x", 0.50, "nginx")
    return script


WIDE = {"type": "struct", "schema-id": 0, "fields": [
    {"id": i + 1, "name": f"a_column_{i}", "type": "long", "required": False, "doc": "what stands in this column, and in which unit"}
    for i in range(150)]}


def load(bench):
    """A table with 20 KB of metadata in the cache, with credentials, against nginx sending the same bytes."""
    tokens = bench.callers()
    files = [bench.create(f"wide{i}", schema=WIDE)[1]["metadata-location"] for i in range(50)]

    def answer(token, i):
        return bench.desk.get(f"{bench.desk.uri}/v1/analytics/namespaces/sales/tables/wide{i}",
                              {"Authorization": "Bearer " + token, "X-Iceberg-Access-Delegation": "vended-credentials"})

    def check():
        keys = set()
        for token in tokens:
            for i, file in enumerate(files):
                status, text, _ = answer(token, i)
                body = json.loads(text)
                if status != 200 or body["metadata-location"] != file or len(body["metadata"]["schemas"][0]["fields"]) != 150:
                    raise SystemExit(f"a load of wide{i} was answered wrongly: {status} {text[:300]}")
                keys.add((token, i, body["storage-credentials"][0]["config"]["s3.access-key-id"]))
        if len({k[2] for k in keys}) != len(keys):
            raise SystemExit("two callers, or two tables, share a key")
    check()
    with open(os.path.join(bench.nginx.files, "answer.json"), "wb") as f:
        f.write(answer(tokens[0], 0)[1])
    script = bench.script("load", tokens, "/v1/analytics/namespaces/sales/tables/wide{}",
                          ", ['X-Iceberg-Access-Delegation'] = 'vended-credentials'")
    value = ratio(lambda: wrk(bench.desk.uri, script), lambda: wrk(bench.nginx.url + "answer.json"))
    check()
    report("load a table of 20 KB with credentials", value, "x", 0.50, "nginx")


def idle(bench):
    script = bench.varied()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, IDLE + 1000), hard))
    host, port = bench.desk.uri[len("http://"):].split(":")
    plain = statistics.median(wrk(bench.desk.uri, script) for _ in range(RUNS))
    held = [socket.create_connection((host, int(port))) for _ in range(IDLE)]
    try:
        for s in held:
            s.sendall(b"GET /v1/config HTTP/1.1\r\nHost: bench\r\n\r\n")
        for s in held:
            s.recv(4096)
        loaded = statistics.median(wrk(bench.desk.uri, script) for _ in range(RUNS))
    finally:
        for s in held:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    report(f"... with {IDLE} idle connections", loaded / plain, "x", 0.90, "line above")


class Poller:
    """A kept-alive connection that asks the same question as fast as it is answered."""

    def __init__(self, bench):
        host, port = bench.desk.uri[len("http://"):].split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = ("HEAD /v1/analytics/namespaces/sales/tables/first HTTP/1.1\r\nHost: bench\r\n"
                        f"Authorization: Bearer {bench.token}\r\n\r\n").encode()

    def allowed(self):
        self.socket.sendall(self.request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(4096)
        return answer.split(b" ", 2)[1] == b"204"


# Strangers who send bodies as fast as they are taken; the arguments are host and port.
STRANGERS = """
import socket, sys
piece = b"x" * 65536
while True:
    flood = [socket.create_connection((sys.argv[1], int(sys.argv[2]))) for _ in range(30)]
    for s in flood:
        s.settimeout(1)
        s.sendall(b"POST /v1/analytics/namespaces HTTP/1.1\\r\\nHost: bench\\r\\nContent-Length: 15000000\\r\\n\\r\\n")
    for _ in range(115):
        for s in list(flood):
            try:
                s.sendall(piece)
            except OSError:
                flood.remove(s)
    for s in flood:
        s.close()
"""


def flood(bench):
    """A caller that asks 1,000 times a second, alone and beside strangers' bodies."""
    bench.create("first")
    poller = Poller(bench)
    h.wait_for("an answer", poller.allowed)

    def rate():
        began, asked = time.monotonic(), 0
        while (now := time.monotonic()) < began + SECONDS:
            time.sleep(max(0, began + asked / 1000 - now))
            if not poller.allowed():
                raise SystemExit("the steady caller was answered wrongly")
            asked += 1
        return asked / SECONDS

    def beside():
        host, port = bench.desk.uri[len("http://"):].split(":")
        strangers = subprocess.Popen(pinned(1, [sys.executable, "-c", STRANGERS, host, port]))
        try:
            return rate()
        finally:
            strangers.kill()
            strangers.wait()
    report("a steady caller beside a flood of bodies", ratio(beside, rate), "x", 0.90, "alone")


def change(bench):
    """From the rename of a manifest to the decision on 16 connections spread over all loops, 1,000 resources."""
    for i in range(10):
        bench.folder.write(f"many{i}.yaml", *[h.role(f"many{i}-{j}", principals=[{"kind": "Principal", "name": "etl"}],
                                                     privileges=["NAMESPACE_LIST"], namespaces=[f"other{i}x{j}"]) for j in range(100)])
    keep = h.lakehouse(bench.endpoint())
    bench.folder.write("lakehouse.yaml", *keep[:-1])
    bench.folder.write("switch.yaml", h.role())
    pollers = [Poller(bench) for _ in range(16)]
    h.wait_for("all is well", lambda: all(p.allowed() for p in pollers))
    took = []
    for i in range(500):
        want = bool(i % 2)
        bench.folder.write("switch.yaml", h.role(privileges=h.ALL if want else ["NAMESPACE_LIST"]))
        # From here on it can be seen; what the rename waits for is the disk's.
        began = time.monotonic()
        for p in pollers:
            while p.allowed() != want:
                pass
        took.append((time.monotonic() - began) * 1000)
    took.sort()
    report("a change in force in every loop, p50", took[249], "ms", None)
    report("a change in force in every loop, p99", took[494], "ms", 10, lower_is_better=True)


def rss_mb(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024


def start(_):
    base = tempfile.mkdtemp(prefix="fd-start-")
    folder = h.Folder(base)
    keys = {"access_key": "a", "secret_key": "b"}
    folder.write("ten.yaml", h.key_secret("store-keys", keys), h.key_secret("store-admin", keys),
                 h.integration("http://127.0.0.1:9"), h.catalog(), *[h.principal(f"p{i}") for i in range(4)], *[h.role(f"r{i}") for i in range(4)])
    took = []
    for _ in range(5):
        began = time.monotonic()
        desk = h.Frontdesk(*folder.options(), folder=base, wait=False)
        while desk.get(desk.admin + "/readyz")[0] != 200:
            time.sleep(0.002)
        took.append((time.monotonic() - began) * 1000)
        memory = rss_mb(desk.process.pid)
        desk.stop()
    report("start to ready, folder mode", statistics.median(took), "ms", 100, lower_is_better=True)
    report("memory after start, ten resources", memory, "MB", 20, lower_is_better=True)
    shutil.rmtree(base, ignore_errors=True)


def fill(kube, count):
    """`count` resources of about 2.3 KB, by several connections."""
    with open(kube.kubeconfig) as f:
        config = json.load(f)
    token, server = config["users"][0]["user"]["token"], config["clusters"][0]["cluster"]["server"]
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE

    def post(numbers):
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust))
        for n in numbers:
            body = h.manifest("CatalogRole", f"role-{n}", {
                "catalogRef": {"name": "analytics"}, "principals": [{"kind": "Principal", "name": "etl"}],
                "grants": [{"privileges": ["TABLE_READ_DATA"], "namespaces": [f"tenant{n}-{i}-{'x' * 30}" for i in range(40)]}]})
            opener.open(urllib.request.Request(
                f"{server}/apis/{h.GROUP}/v1/namespaces/{h.NAMESPACE}/catalogroles", json.dumps(body).encode(),
                {"Authorization": "Bearer " + token, "Content-Type": "application/json"}, method="POST")).read()
    threads = [threading.Thread(target=post, args=(range(i, count, 8),)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def cluster(_):
    """10,000 resources at a real API server: how long until ready, and how much memory."""
    kube = h.Kube()
    desk = None
    try:
        kube.install()
        print("   making 10,000 resources", flush=True)
        fill(kube, 10000)
        began = time.monotonic()
        desk = h.Frontdesk("--kubeconfig", kube.kubeconfig, wait=False)
        while desk.get(desk.admin + "/readyz")[0] != 200:
            time.sleep(0.01)
        report("first sync of 10,000 resources", (time.monotonic() - began) * 1000, "ms", None)
        report("memory with 10,000 resources", rss_mb(desk.process.pid), "MB", None)
    finally:
        if desk:
            desk.kill()
        kube.stop()


def main():
    parser = argparse.ArgumentParser(prog="hack/bench")
    parser.add_argument("--json")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    wanted = arguments.names or ["start", "constant", "credentials", "load", "idle", "flood", "change", "cluster", *bench_store.BENCHES]
    print(f"{'what':<44} {'value':>10} {'unit':<14} {'target':<10} against", flush=True)
    bench = Bench
    try:
        if set(wanted) & {"constant", "credentials", "load", "idle", "flood", "change"}:
            bench.begin()
        for name in wanted:
            if name in bench_store.BENCHES:
                bench_store.BENCHES[name](report)
                continue
            {"start": start, "constant": constant, "credentials": credentials, "load": load, "idle": idle, "flood": flood,
             "change": change, "cluster": cluster}[name](bench)
    finally:
        bench.doClassCleanups()
    if arguments.json:
        with open(arguments.json, "w") as f:
            json.dump(results, f, indent=1)
    sys.exit(0 if all(r["met"] for r in results) else 1)


if __name__ == "__main__":
    main()
