"""rounds - what is asked of a program that dies or is cut off, and what must be true afterwards.

A round asks for changes of tables, several at once, and keeps what was answered. What must be true then,
whatever happened, is `Round.check`; it asks the program, the database and the files.
"""
import contextlib
import ctypes
import http.client
import itertools
import json
import mmap
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import unittest
import uuid

import harness as h

TABLES = "/v1/analytics/namespaces/sales/tables"
KILL, TEAR, POWER = range(3)  # kill_at.c
NEVER = 1 << 40
CALLS = ["any call", "recv", "send", "write", "pwrite", "fsync", "truncate", "create", "mkdir", "unlink", "rename"]
WRITING = [CALLS.index(name) for name in ("send", "write", "pwrite")]
HOWS = {KILL: "killed", TEAR: "killed in the middle", POWER: "power lost"}


class Plan(ctypes.Structure):
    _fields_ = [("left", ctypes.c_int64), ("how", ctypes.c_int64), ("call", ctypes.c_int64),
                ("seen", ctypes.c_int64 * len(CALLS)), ("last", ctypes.c_char * 240)]


class KillAt:
    """A plan for a program that is started with `environment`."""

    def __init__(self, folder):
        path = os.path.join(folder, "kill_at")
        with open(path, "w+b") as f:
            f.truncate(ctypes.sizeof(Plan))
            self.plan = Plan.from_buffer(mmap.mmap(f.fileno(), ctypes.sizeof(Plan)))
        self.environment = {"LD_PRELOAD": os.path.join(os.path.dirname(h.program()), "tests", "kill_at.so"),
                            "KILL_AT": path, "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def arm(self, n, call=0):
        """Dies at the n-th call of that kind from now."""
        self.plan.call, self.plan.seen = call, (ctypes.c_int64 * len(CALLS))()
        self.plan.left = n

    def disarm(self):
        """What happened since it was armed stays known: whether it came through, and else where it died."""
        self.came_through, self.plan.left = self.plan.left > 0, 0
        self.words = f"{HOWS[self.plan.how]} at {CALLS[self.plan.call]} {self.plan.last.decode()}"

    def seen(self):
        """The kinds of calls that were made since it was armed."""
        return [i for i, n in enumerate(self.plan.seen) if n]

    def run(self, argv, n, call=0, how=KILL):
        """A program from its start to its end."""
        self.plan.how = how
        self.arm(n, call)
        done = subprocess.run(argv, env={**os.environ, **self.environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True, timeout=60)
        self.disarm()
        assert done.returncode != -signal.SIGKILL or not self.came_through, done
        return done

    def each(self, calls, hows, dense=1000):
        """Every n for every kind of `calls`, each until the caller's round came through; beyond `dense` fewer
        and fewer."""
        for how, call in itertools.product(hows, calls):
            n, self.came_through = 1, how == TEAR and call not in WRITING
            while not self.came_through:
                yield n, call, how
                n += 1 if n < dense else max(1, n // 3)


class Killable(h.Frontdesk):
    """The program with a plan for its death."""

    def __init__(self, *options, folder, **more):
        self.kill_at = KillAt(folder)
        super().__init__(*options, folder=folder, **more, env=self.kill_at.environment)

    def restart(self, token, how):
        """Serves when this returns, each of its loops: which one a connection comes to is chance."""
        self.kill()
        self.kill_at.plan.left, self.kill_at.plan.how = 0, how
        self.start()
        h.wait_for_loops("it serves", lambda: self.call("GET", f"{TABLES}/first", token)[0] == 200)


class Sqlite:
    """A database in a file."""

    COLUMNS = "SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
    VERSION = "PRAGMA user_version"

    def __init__(self, path):
        self.path, self.url = path, "sqlite:" + path

    def fill(self, text):
        db = sqlite3.connect(self.path)
        db.executescript("PRAGMA journal_mode = WAL;" + text)
        db.close()

    def check(self):
        assert self.rows("PRAGMA integrity_check") == [("ok",)]
        assert self.rows("PRAGMA foreign_key_check") == []

    def rows(self, text):
        db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            return [tuple(map(str, row)) for row in db.execute(text)]
        finally:
            db.close()


class Postgresql:
    """A schema of its own in a server."""

    COLUMNS = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()"
    VERSION = "SELECT version FROM frontdesk"

    def __init__(self, server, name):
        self.psql = os.path.join(server["bin"], "psql")
        subprocess.run([self.psql, "-Xq", server["url"], "-c", f"CREATE SCHEMA {name}"], check=True)
        self.url = f"{server['url']}&options=-csearch_path%3D{name}"

    def fill(self, text):
        subprocess.run([self.psql, "-Xq", "-v", "ON_ERROR_STOP=1", "-1", self.url], input=text, text=True, check=True)

    def check(self):
        pass

    def rows(self, text):
        done = subprocess.run([self.psql, "-XAtq", "-F\x1f", self.url, "-c", text], stdout=subprocess.PIPE, text=True, check=True)
        return [tuple(line.split("\x1f")) for line in done.stdout.splitlines()]


class Behind:
    """A database that the program reaches by another URL."""

    def __init__(self, store, url):
        self.url, self.rows = url, store.rows


class Ask:
    """One request for a change, its answer, and which tables it is to leave its mark in."""

    def __init__(self, method, path, body=None, makes=None, drops=None, marks=()):
        self.method, self.path, self.body = method, path, body
        self.makes, self.drops, self.marks = makes, drops, marks
        self.key, self.status, self.error, self.retry_after = str(uuid.uuid4()), None, None, None  # no status: no answer

    def send(self, connection, token):
        """False when there was no answer."""
        body = None if self.body is None else json.dumps(self.body)
        try:
            connection.request(self.method, self.path, body, {
                "Authorization": "Bearer " + token, "Content-Type": "application/json", "Idempotency-Key": self.key})
            answer = connection.getresponse()
            self.status, text = answer.status, answer.read()
            self.error = json.loads(text)["error"] if answer.status >= 400 else None
            self.retry_after = answer.headers["Retry-After"]
        except (OSError, http.client.HTTPException):
            self.status = None
        return self.status is not None

    def may_be_there(self, there):
        """Whether the answer allows that the change is there, or that it is not."""
        if self.status in (None, 500):
            return True
        return there == (self.status < 300)

    def __str__(self):
        return f"{self.method} {self.path} {self.makes or self.drops or self.marks} -> {self.status} {self.error or ''}"


def change(*tables):
    """Sets two properties: half of a change would be one of them; and one that each change sets anew."""
    mark = "m" + uuid.uuid4().hex
    updates = [{"action": "set-properties", "updates": {mark: "1", mark + "b": "1", "last": mark}}]
    one = [{"identifier": {"namespace": ["sales"], "name": t}, "requirements": [], "updates": updates} for t in tables]
    marks = [(t, mark) for t in tables]
    if len(tables) == 1:
        return Ask("POST", f"{TABLES}/{tables[0]}", one[0], marks=marks)
    return Ask("POST", "/v1/analytics/transactions/commit", {"table-changes": one}, marks=marks)


def create(table, **more):
    return Ask("POST", TABLES, {"name": table, "schema": h.SIMPLE_SCHEMA, **more}, makes=table)


def drop(table, query=""):
    return Ask("DELETE", f"{TABLES}/{table}{query}", drops=table)


class Served(unittest.TestCase):
    """A catalog that a program serves from a folder, or wherever the class says; what tests of crashes share."""

    program = h.Frontdesk

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-rounds-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        folder = h.Folder(cls.base)
        folder.write("lakehouse.yaml", *cls.manifests())
        cls.store, cls.seeds = cls.make_store(), itertools.count(1)
        cls.desk = cls.program(*folder.options(), "--file-storage", cls.base, "--store", cls.store.url, folder=cls.base)
        cls.addClassCleanup(cls.desk.kill)
        cls.token = folder.token(cls.desk)
        cls.client = folder.credentials()
        h.wait_for("the catalog", lambda: cls.post("/v1/analytics/namespaces", {"namespace": ["sales"]}) in (200, 409))
        h.wait_for("a table", lambda: cls.post(TABLES, {"name": "first", "schema": h.SIMPLE_SCHEMA}) in (200, 409))

    @classmethod
    def post(cls, path, body):
        return cls.desk.call("POST", path, cls.token, body)[0]

    @classmethod
    def manifests(cls):
        return h.file_integration(), h.catalog(), h.principal(), h.role()

    @classmethod
    def make_store(cls):
        return Sqlite(os.path.join(cls.base, "catalog.db"))

    @classmethod
    def read_file(cls, location):
        with open(location.removeprefix("file:"), "rb") as f:
            return f.read()

    def works(self):
        """It writes, and reads with each connection to its database."""
        h.wait_for("it writes", lambda: self.post(TABLES, {
            "name": f"w{next(self.seeds)}", "schema": h.SIMPLE_SCHEMA}) == 200, 60)
        h.wait_for("it reads", lambda: all(self.desk.call("GET", TABLES, self.token)[0] == 200 for _ in range(8)))

    def new_round(self):
        return Round(self.desk, self.token, self.store, self.read_file, next(self.seeds))


def in_bucket(cls, endpoint):
    """Manifests for a bucket in a store of the class's own; `endpoint` may put something before it."""
    cls.rgw = h.Rgw()
    cls.addClassCleanup(cls.rgw.stop)
    cls.rgw.bucket("warehouse")
    return h.lakehouse(endpoint(cls.rgw))


def read_object(rgw, location):
    bucket, key = location.removeprefix("s3://").split("/", 1)
    return rgw.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


class Round:
    """Changes of tables that nobody else touches. `desk` serves them, `store` and `read_file` look behind it."""

    def __init__(self, desk, token, store, read_file, seed):
        self.desk, self.token, self.store, self.read_file = desk, token, store, read_file
        self.seed, self.dice, self.asks = seed, random.Random(seed), []
        self.name = f"r{seed}x{uuid.uuid4().hex[:8]}"
        self.tables = [f"{self.name}_{i}" for i in range(2)]
        for t in self.tables:
            self.run(create(t))
        assert [a.status for a in self.asks] == [200, 200], self

    def connection(self):
        return http.client.HTTPConnection(self.desk.uri.removeprefix("http://"), timeout=40)

    def run(self, *asks):
        """One after the other, until one is not answered."""
        connection = self.connection()
        for ask in asks:
            self.asks.append(ask)
            if not ask.send(connection, self.token):
                break
        connection.close()

    def writer(self, i):
        """What writer `i` asks for: mostly the tables of all, some of its own."""
        mine = f"{self.name}_w{i}"
        asks = [create(mine), *(self.dice.choice((change(self.dice.choice(self.tables)), change(*self.tables), change(mine)))
                                for _ in range(4))]
        return asks + [drop(mine)] * self.dice.randrange(2)

    def run_at_once(self, writers):
        threads = [threading.Thread(target=self.run, args=self.writer(i)) for i in range(writers)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def retry(self):
        """All again under their keys, in any order: what is there already does not come twice, nor over what came
        later; what is not there comes now. (Of a table that was dropped nothing can be shown.)"""
        for ask in self.dice.sample(self.asks, len(self.asks)):
            if self.is_gone(ask):
                continue
            before = ask.status
            with contextlib.closing(self.connection()) as connection:
                assert ask.send(connection, self.token), ask
            assert ask.status < 500 and (ask.status == before or before is None or before >= 300), (before, str(ask))

    # ---- what must be true ----

    def load(self, table):
        status, body = self.desk.call("GET", f"{TABLES}/{table}", self.token)
        assert status in (200, 404), (table, status, body)
        return body if status == 200 else None

    def check(self):
        self.check_changes()
        self.check_store()

    def is_gone(self, ask):
        return any(a.drops in (ask.makes, *(t for t, _ in ask.marks)) for a in self.asks if a.drops)

    def check_changes(self):
        """Each change is wholly there or wholly not, as its answer says; and none is there twice."""
        loaded = {t: self.load(t) for t in {m[0] for a in self.asks for m in a.marks} | {a.makes for a in self.asks if a.makes}}
        for ask in self.asks:
            if ask.makes and not self.is_gone(ask):
                assert ask.may_be_there(loaded[ask.makes] is not None), ask
            if ask.drops:
                made = any(a.makes == ask.drops and a.status == 200 for a in self.asks)
                assert not made or ask.may_be_there(loaded[ask.drops] is None), ask
            if ask.marks and not self.is_gone(ask):
                seen = {p in ((loaded[t] or {}).get("metadata") or {}).get("properties", {})
                        for t, mark in ask.marks for p in (mark, mark + "b")}
                assert len(seen) == 1 and ask.may_be_there(*seen), (seen, str(ask))
        for table, body in loaded.items():
            self.check_history(table, body)

    def check_history(self, table, body):
        """The number in a file's name counts the changes before it; the files before it are there."""
        if body:
            properties = body["metadata"]["properties"]
            marks = [m for a in self.asks for t, m in a.marks if t == table and m in properties]
            version = int(body["metadata-location"].rsplit("/", 1)[1].split("-")[0])
            assert version == len(marks) == len(body["metadata"].get("metadata-log", [])), (table, version, marks)
            for entry in body["metadata"].get("metadata-log", []):
                assert self.read_file(entry["metadata-file"]), entry

    def check_store(self):
        """Each pointer leads to a file that is whole, and no place has two owners."""
        for name, location in self.store.rows("SELECT name, metadata_location FROM tables"):
            assert json.loads(self.read_file(location))["table-uuid"], (name, location)
        folders = sorted(self.store.rows("SELECT folder, table_id, staged_id FROM folders"))
        for before, after in zip(folders, folders[1:]):
            assert not after[0].startswith(before[0]), (before, after)
        homes = self.store.rows("SELECT t.name FROM tables t LEFT JOIN folders f ON f.table_id = t.id"
                                " AND f.folder = t.location WHERE f.folder IS NULL")
        assert not homes, homes

    def __str__(self):
        """What was asked and answered, and what the program said if it is gone."""
        return "\n".join(map(str, self.asks)) + ("\n" + self.desk.tail() if self.desk.process.poll() else "")
