"""The program dies at each of its steps: nothing that it acknowledged is lost, nothing is half done."""
import contextlib
import itertools
import os
import shutil
import tempfile
import unittest

import harness as h
import rounds
from rounds import KILL, POWER, TEAR, change, create, drop

WRITING = [rounds.CALLS.index(name) for name in ("send", "write", "pwrite")]
HOWS = {KILL: "killed", TEAR: "killed in the middle of a write", POWER: "power lost"}


class Crashing(unittest.TestCase):
    """A program that keeps its tables in a folder; what the classes below share."""

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-crash-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        folder = h.Folder(cls.base)
        folder.write("lakehouse.yaml", *cls.manifests())
        cls.store = cls.make_store()
        cls.desk = rounds.Killable(*folder.options(), "--file-storage", cls.base, "--store", cls.store.url, folder=cls.base)
        cls.addClassCleanup(cls.desk.kill)
        client = h.wait_for("a client's Secret", folder.credentials)
        cls.token = h.wait_for("a token", lambda: cls.desk.token(client))
        h.wait_for("the catalog", lambda: cls.desk.call("POST", "/v1/analytics/namespaces", cls.token,
                                                        {"namespace": ["sales"]})[0] in (200, 409))
        h.wait_for("a table", lambda: cls.desk.call("POST", rounds.TABLES, cls.token,
                                                    {"name": "first", "schema": h.SIMPLE_SCHEMA})[0] in (200, 409))
        cls.seeds = itertools.count(1)

    @classmethod
    def manifests(cls):
        return (h.manifest("StorageIntegration", "store", {"storageType": "file", "bucket": "lake"}),
                h.catalog(), h.principal(), h.role())

    @staticmethod
    def read_file(location):
        with open(location.removeprefix("file:"), "rb") as f:
            return f.read()

    @contextlib.contextmanager
    def round(self, how, n, call=0):
        """What is asked inside it goes on until the n-th call of that kind; what must be true is looked at then."""
        seed, words = next(self.seeds), f"{HOWS[how]} at {rounds.CALLS[call]} {n}"
        if self.desk.plan.how != how:
            self.desk.restart(self.token, how)
        r = rounds.Round(self.desk, self.token, self.store, self.read_file, seed)
        self.desk.arm(n, call)
        try:
            yield r
            self.untouched, words = self.desk.plan.left > 0, f"{words}, {self.desk.plan.last.decode()}"
            self.desk.restart(self.token, how)
            r.check()
        except Exception as e:
            raise AssertionError(f"seed {seed}, {words}\n{r}\n{e}") from e

    def at_each(self, call, ask, how):
        for n in itertools.count(1):
            with self.round(how, n, call) as r:
                r.run(ask(*r.tables))
            if self.untouched:
                self.assertIn(r.asks[2].status, (200, 204))
                return n - 1

    def at_each_step(self, ask, hows=(KILL, TEAR, POWER)):
        """`ask`, of two tables of the round, dies at the first call of each kind, the second, ..., until it has
        come through."""
        with self.round(KILL, 1 << 40) as r:
            r.run(ask(*r.tables))
            calls = self.desk.seen()
        for how in hows:
            for call in calls:
                if how != TEAR or call in WRITING:
                    self.assertGreater(self.at_each(call, ask, how), 0)

    def among_writers(self, n):
        for i in range(n):
            with self.round(i % 3, 1 + i * 7) as r:
                r.run_at_once(4)


class Sqlite(Crashing):
    @classmethod
    def make_store(cls):
        return rounds.Sqlite(cls.base)

    def test_a_create_that_dies_at_any_step_is_there_or_not_in_sqlite(self):
        self.at_each_step(lambda t, _: create(t + "new"))

    def test_a_commit_that_dies_at_any_step_is_there_or_not_in_sqlite(self):
        self.at_each_step(lambda t, _: change(t))

    def test_a_commit_of_two_tables_that_dies_at_any_step_is_there_or_not_in_sqlite(self):
        self.at_each_step(change)

    def test_a_drop_that_dies_at_any_step_is_there_or_not_in_sqlite(self):
        self.at_each_step(lambda t, _: drop(t))

    def test_writers_at_once_that_die_lose_nothing_in_sqlite(self):
        self.among_writers(30)


class Postgresql(Crashing):
    @classmethod
    def make_store(cls):
        cls.server = h.Server("postgres", "--durable")
        cls.addClassCleanup(cls.server.stop)
        return rounds.Postgresql(cls.server, "crash")

    def test_a_create_that_dies_at_any_step_is_there_or_not_in_postgresql(self):
        self.at_each_step(lambda t, _: create(t + "new"), [KILL])

    def test_a_commit_that_dies_at_any_step_is_there_or_not_in_postgresql(self):
        self.at_each_step(lambda t, _: change(t), [KILL, TEAR])

    def test_a_commit_of_two_tables_that_dies_at_any_step_is_there_or_not_in_postgresql(self):
        self.at_each_step(change, [KILL])

    def test_writers_at_once_that_die_lose_nothing_in_postgresql(self):
        self.among_writers(30)
