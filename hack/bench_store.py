"""What hack/bench measures of the store: commits against the same statements bare, long lists, many tables."""
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time

import envlib
import harness as h

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(TOP, "build", "release", "tests", "bench_store")
WRITERS, SECONDS, RUNS, TABLES = 16, 2, 9, 100000


def run(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True).stdout


def rate(way, where, writers=WRITERS):
    """Commits a second."""
    return float(run(way, where, writers, SECONDS))


def ratios(bare, *ways):
    """
    Each way over the bare one: the median of what many short rounds say, forth and back. How long a disk takes to
    sync changes by the second, and by more than what is measured.
    """
    rounds = []
    for n in range(RUNS):
        one = [(i, way()) for i, way in list(enumerate((bare, *ways)))[::1 if n % 2 else -1]]
        rounds.append([value for _, value in sorted(one)])
    return [statistics.median(r[i] / r[0] for r in rounds) for i in range(1, len(ways) + 1)]


def folder_of(*objects, **where):
    base = tempfile.mkdtemp(prefix="fd-bench-", **where)
    folder = h.Folder(base)
    folder.write("lakehouse.yaml", *objects, h.catalog(), h.principal(), h.role())
    return base, folder


# ---- SQLite ----

def http_commits(desk, token):
    """16 connections, each committing to its own table as fast as it is answered."""
    script = os.path.join(desk.folder, "commit.lua")
    with open(script, "w") as f:
        f.write("local count = 0\nfunction setup(thread) thread:set('id', count); count = count + 1 end\nlocal n = 0\n"
                "function request()\n  n = n + 1\n  return wrk.format('POST', '/v1/analytics/namespaces/sales/tables/t' .. id, "
                f"{{['Authorization'] = 'Bearer {token}', ['Content-Type'] = 'application/json', ['Host'] = 'bench'}},\n"
                "    '{\"requirements\":[],\"updates\":[{\"action\":\"set-properties\",\"updates\":{\"n\":\"' .. n .. '\"}}]}')\nend\n")
    text = subprocess.run(["wrk", f"-t{WRITERS}", f"-c{WRITERS}", f"-d{SECONDS}s", "-s", script, desk.uri],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"commits failed:\n{text}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def commit_sqlite(report):
    """
    Metadata is not to be measured: at the store there is none, and over HTTP its files lie in memory, where a
    sync costs nothing. The database lies on a disk, with synchronous=FULL, and is the same file for all. The bare
    transaction is BEGIN IMMEDIATE, the one UPDATE of a commit, COMMIT, by one writer, which is the fastest there is.
    Over HTTP the two cores also make the requests, read and write JSON, and audit: that line has no target.
    """
    base, folder = folder_of(h.manifest("StorageIntegration", "store", {"storageType": "file", "bucket": "lake"}))
    memory = tempfile.mkdtemp(prefix="fd-bench-", dir="/dev/shm")
    desk = h.Frontdesk(*folder.options(), "--file-storage", memory, folder=base)
    database = os.path.join(base, "catalog.db")
    try:
        client = h.wait_for("a client", folder.credentials)
        token = h.wait_for("a token", lambda: desk.token(client))
        desk.call("POST", "/v1/analytics/namespaces", token, {"namespace": ["sales"]})
        for i in range(WRITERS):
            status, body = desk.call("POST", "/v1/analytics/namespaces/sales/tables", token, {
                "name": f"t{i}", "schema": h.SIMPLE_SCHEMA, "properties": {"write.metadata.previous-versions-max": "5"}})
            assert status == 200, body
        store, keyed, http = ratios(lambda: rate("bare", database), lambda: rate("keeper", "sqlite:" + database),
                                    lambda: rate("keyed", "sqlite:" + database), lambda: http_commits(desk, token))
        report("commit, SQLite, 16 writers, at the store", store, "x", 0.50, "bare")
        report("... each under a key", keyed, "x", None, "bare")
        report("... over HTTP, metadata in memory", http, "x", None, "bare")
    finally:
        desk.kill()
        shutil.rmtree(memory, ignore_errors=True)
        shutil.rmtree(base, ignore_errors=True)


# ---- PostgreSQL ----

TURN = ("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE\\; "
        "UPDATE frontdesk SET turn = turn + 1 WHERE id = 1 RETURNING version;\n")


def pgbench_script(path):
    """The statements of a commit, planned once for each connection as ours are."""
    statement = re.sub(r"\?(\d+)", r"$\1", run("statement").strip())
    types = ", ".join({6: "bigint", 9: "bigint"}.get(i, "text") for i in range(1, 17))
    place = "s3://bkt/bench/t:table/"
    with open(path, "w") as f:
        f.write(f"\\if :first\nPREPARE swap ({types}) AS {statement};\n\\set first 0\n\\endif\n"
                "\\set table :client_id + 1000000\n\\set old :n\n\\set n :n + 1\n" + TURN +
                f"EXECUTE swap('{place}metadata/:n.metadata.json', 'u', 'bench/c', 'bench', 't:table', 0, "
                f"'{place}metadata/:old.metadata.json', '{place}', 1, '', '', '', '', '', '', '');\nCOMMIT;\n")


def psql(server, text):
    return subprocess.run([os.path.join(server["bin"], "psql"), "-XAtq", server["url"], "-c", text],
                          stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def pgbench(server, script):
    psql(server, "UPDATE tables SET uuid = 'u', metadata_location = location || 'metadata/0.metadata.json'")
    argv = [os.path.join(server["bin"], "pgbench"), "-n", f"-c{WRITERS}", f"-j{WRITERS}", f"-T{SECONDS}", "-Dn=0", "-Dfirst=1",
            "-f", script, server["url"]]
    text = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True).stdout
    done = int(re.search(r"transactions actually processed: (\d+)", text).group(1))
    moved = int(psql(server, "SELECT sum(substring(metadata_location from '(\\d+).metadata.json')::bigint) FROM tables"))
    if moved != done:
        raise SystemExit(f"of {done} commits of pgbench {moved} moved a pointer")
    return float(re.search(r"tps = ([\d.]+)", text).group(1))


class Listener:
    """Between a program and the server's socket: counts what is answered one by one, texts and runs of prepared statements."""

    def __init__(self, target):
        self.folder, self.target, self.count = tempfile.mkdtemp(prefix="fd-ear-"), target, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.folder, ".s.PGSQL.5432"))
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                client, server = self.listener.accept()[0], socket.socket(socket.AF_UNIX)
                server.connect(self.target)
                for source, sink, counts in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self.pass_on, args=(source, sink, counts), daemon=True).start()
        except OSError:
            pass

    def pass_on(self, source, sink, counts):
        waiting, begun = b"", False
        try:
            while data := source.recv(65536):
                sink.sendall(data)
                waiting += data if counts else b""
                while len(waiting) >= 5:
                    # The first message has no type.
                    size = int.from_bytes(waiting[1:5] if begun else waiting[:4], "big") + begun
                    if len(waiting) < size:
                        break
                    self.count += begun and waiting[:1] in (b"Q", b"E")
                    waiting, begun = waiting[size:], True
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        self.listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def statements(server):
    """What a commit sends and waits for, its BEGIN and COMMIT with it."""
    listener = Listener(os.path.join(server["dir"], ".s.PGSQL.5432"))
    try:
        before = int(psql(server, "SELECT turn FROM frontdesk"))
        rate("connections", f"postgresql://fd@/postgres?host={listener.folder}", 1)
        return listener.count / (int(psql(server, "SELECT turn FROM frontdesk")) - before)
    finally:
        listener.stop()


def commit_postgres(report):
    """
    A statement is what is sent and waited for: BEGIN travels with the turn as one, COMMIT is one. Each connection has
    a thread of its own on both sides.
    """
    base = tempfile.mkdtemp(prefix="fd-pg-")
    server = h.Server("postgres", "--dir", base)
    try:
        script = os.path.join(base, "commit.sql")
        pgbench_script(script)
        run("connections", server["url"], WRITERS, 1)
        report("statements a commit, PostgreSQL", round(statements(server), 1), "", 3, lower_is_better=True)
        value, = ratios(lambda: pgbench(server, script), lambda: rate("connections", server["url"]))
        report("commit, PostgreSQL, 16 connections", value, "x", 0.60, "pgbench")
    finally:
        server.stop()
        shutil.rmtree(base, ignore_errors=True)


# ---- many tables ----

def with_many_tables(measure):
    keys = {"access_key": "a", "secret_key": "b"}
    base, folder = folder_of(h.key_secret("store-keys", keys), h.key_secret("store-admin", keys), h.integration("http://127.0.0.1:9"))
    desk = None
    try:
        run("fill", "sqlite:" + os.path.join(base, "catalog.db"), f"{h.NAMESPACE}/analytics", "sales", TABLES)
        desk = h.Frontdesk(*folder.options(), folder=base)
        client = h.wait_for("a client", folder.credentials)
        measure(desk, h.wait_for("a token", lambda: desk.token(client)))
    finally:
        if desk:
            desk.kill()
        shutil.rmtree(base, ignore_errors=True)


def list_pages(report):
    """100 pages of 1,000; what one costs must not depend on how many are before it."""
    def measure(desk, token):
        def page(at):
            began = time.monotonic()
            status, body = desk.call("GET", f"/v1/analytics/namespaces/sales/tables?pageSize=1000&pageToken={at}", token)
            assert status == 200, body
            return time.monotonic() - began, body
        tokens, names, at = [], set(), ""
        while at is not None:
            tokens.append(at)
            body = page(at)[1]
            names.update(i["name"] for i in body["identifiers"])
            at = body.get("next-page-token")
        assert (len(tokens), len(names)) == (TABLES // 1000, TABLES), (len(tokens), len(names))
        # In turns, so that both see the same noise.
        pairs = [(page(first)[0], page(last)[0]) for _ in range(20) for first, last in zip(tokens[:10], tokens[-10:])]
        first, last = (statistics.median(one) for one in zip(*pairs))
        report("last pages of 100,000 tables", last / first, "x", 1.2, "first pages", lower_is_better=True)
    with_many_tables(measure)


def memory_tables(report):
    """Nothing of the tables is read before somebody asks."""
    def measure(desk, token):
        with open(f"/proc/{desk.process.pid}/status") as f:
            value = int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024
        assert desk.call("HEAD", f"/v1/analytics/namespaces/sales/tables/t{1000000 + TABLES - 1}", token)[0] == 204
        report("memory with 100,000 tables, empty cache", value, "MB", 60, lower_is_better=True)
    with_many_tables(measure)


BENCHES = {"commit-sqlite": commit_sqlite, "commit-postgres": commit_postgres, "list-pages": list_pages,
           "memory-tables": memory_tables}
