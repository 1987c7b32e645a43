"""The program dies at each of its steps: nothing that it acknowledged is lost, nothing is half done."""
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

import harness as h
import rounds
from e2e_replicas import Postgres
from rounds import KILL, NEVER, POWER, TEAR, change, create, drop

DENSE = 5


class Crashing(rounds.Served):
    program = rounds.Killable

    @contextlib.contextmanager
    def round(self, n, call=0, how=KILL):
        """What is asked inside it goes on until the n-th call of that kind; what must be true is looked at then."""
        kill_at = self.desk.kill_at
        # It is not there when the test before has failed.
        if kill_at.plan.how != how or self.desk.process.poll() is not None:
            self.desk.restart(self.token, how)
        r = self.new_round()
        kill_at.arm(n, call)
        try:
            yield r
            kill_at.disarm()
            self.desk.restart(self.token, how)
            r.check()
            r.retry()
            r.check()
        except Exception as e:
            raise AssertionError(f"seed {r.seed}, {kill_at.words}, the {n}th\n{r}\n{e}") from e

    def at_each_step(self, ask, hows=(KILL, TEAR, POWER)):
        """`ask`, of two tables of the round, dies at the first call of each kind, the second, ..., until it has
        come through."""
        kill_at = self.desk.kill_at
        with self.round(NEVER) as r:
            r.run(ask(*r.tables))
            calls = kill_at.seen()
        self.assertGreater(len(calls), 2)
        for step in kill_at.each(calls, hows):
            with self.round(*step) as r:
                r.run(ask(*r.tables))
            if kill_at.came_through:
                self.assertIn(r.asks[2].status, (200, 204))

    def among_writers(self, n):
        """`n` rounds, each with its seed, of which most see a death."""
        kill_at, survived = self.desk.kill_at, 0
        with self.round(NEVER) as r:
            r.run_at_once(4)
            calls = sum(kill_at.plan.seen)
        for i in range(n):
            with self.round(1 + i * 7 % calls, how=i % 3) as r:
                r.run_at_once(4)
            survived += kill_at.came_through
        self.assertLess(survived, n / 2)

    def filled(self, name):
        """A table with two snapshots; all its files."""
        import pyarrow as pa

        table = self.desk.pyiceberg(self.client).create_table("sales." + name, pa.schema([("id", pa.int64())]))
        for _ in range(2):
            table.append(pa.table({"id": pa.array([1], pa.int64())}))
        place = table.location().removeprefix("file:")
        return lambda: [f for _, _, files in os.walk(place) for f in files]

    def purges(self, name=None):
        """Those that are not at their end, of a table or of all."""
        rows = self.store.rows("SELECT d.name FROM purges p JOIN dropped d ON d.id = p.dropped_id")
        return [r for r in rows if name in (None, r[0])]

    def purged(self, n, call=0, how=KILL):
        """What is left of the files of a table that was there and is not; None when it is there still, with all."""
        with self.round(NEVER, how=how) as r:
            name, kill_at = r.tables[0] + "full", self.desk.kill_at
            files = self.filled(name)
            before = files()
            self.assertGreater(len(before), 7)
            kill_at.arm(n, call)
            r.run(drop(name, "?purgeRequested=true"))
            h.wait_for("its end", lambda: self.desk.process.poll() is not None or not files() and not self.purges(name))
            self.calls = kill_at.seen()
        gone = r.load(name) is None
        self.assertTrue(r.asks[2].may_be_there(gone), (kill_at.words, str(r)))
        if not gone:
            self.assertEqual(files(), before, kill_at.words)
        return files if gone else list

    def leases_end(self):
        """A file has one program: what another one held is nobody's."""

    def a_purge_at_each_step(self):
        """One that was broken off begins again some seconds after a start: that of all is waited for at the end."""
        left = [self.purged(NEVER)]
        for step in self.desk.kill_at.each(self.calls, [KILL], 10):
            left.append(self.purged(*step))
        self.leases_end()
        h.wait_for("no purge is left", lambda: not self.purges(), 180)
        self.assertEqual([f for files in left for f in files()], [])


class Sqlite(Crashing):
    def test_a_create_that_dies_at_any_step_is_there_or_not_in_sqlite(self):
        self.at_each_step(lambda t, _: create(t + "new"))

    def test_a_commit_that_dies_at_any_step_is_there_or_not_in_sqlite(self):
        self.at_each_step(lambda t, _: change(t))

    def test_a_commit_of_two_tables_that_dies_at_any_step_is_there_or_not_in_sqlite(self):
        self.at_each_step(change)

    def test_a_drop_that_dies_at_any_step_is_there_or_not_in_sqlite(self):
        self.at_each_step(lambda t, _: drop(t))

    def test_a_purge_that_dies_at_any_step_leaves_no_file_in_the_end_in_sqlite(self):
        self.a_purge_at_each_step()

    def test_writers_at_once_that_die_lose_nothing_in_sqlite(self):
        self.among_writers(200)


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

    def leases_end(self):
        """As two minutes after the last death: until then the program would leave alone what the dead ones held."""
        self.store.fill("UPDATE purges SET lease_ms = 0")

    def test_a_purge_that_dies_at_any_step_leaves_no_file_in_the_end_in_postgresql(self):
        self.a_purge_at_each_step()

    def test_writers_at_once_that_die_lose_nothing_in_postgresql(self):
        self.among_writers(200)


class Careless(rounds.Served):
    """PostgreSQL itself dies, and its administrator has told it to answer before it has written."""

    @classmethod
    def make_store(cls):
        cls.server = Postgres()
        cls.addClassCleanup(shutil.rmtree, cls.server.folder, True)
        cls.addClassCleanup(lambda: cls.server.stop())
        cls.server.psql("").communicate("ALTER ROLE fd SET synchronous_commit = off;")
        return rounds.Postgresql(cls.server, "careless")

    def test_a_database_that_dies_keeps_what_was_acknowledged_whatever_its_default(self):
        for _ in range(4):
            r = self.new_round()
            r.run(change(r.tables[0]), change(*r.tables))
            self.server.crash()
            self.server.again()
            self.works()
            r.check()


class Bucket(Crashing):
    """The same, with the files in a bucket."""

    @classmethod
    def manifests(cls):
        return rounds.in_bucket(cls, lambda rgw: rgw)

    @classmethod
    def read_file(cls, location):
        return rounds.read_object(cls.rgw, location)

    def test_a_commit_that_dies_at_any_step_is_there_or_not_in_a_bucket(self):
        self.at_each_step(lambda t, _: change(t), [KILL])

    def test_writers_at_once_that_die_lose_nothing_in_a_bucket(self):
        self.among_writers(6)


class Moves(unittest.TestCase):
    """The program dies while it brings a database to its version, and while it copies one. Both write many pages
    or rows in one transaction, of which the later ones are alike."""

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-crash-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        cls.server = h.Server("postgres", "--durable")
        cls.addClassCleanup(cls.server.stop)
        cls.kill_at, cls.count = rounds.KillAt(cls.base), itertools.count()

    def sqlite(self):
        return rounds.Sqlite(os.path.join(self.base, f"{next(self.count)}.db"))

    def postgresql(self):
        return rounds.Postgresql(self.server, f"moved{next(self.count)}")

    @staticmethod
    def old(name):
        with open(os.path.join(h.TOP, "tests", "data", "store", name)) as f:
            return f.read()

    def copy(self, source, to, *step):
        argv = [h.program(), "store", "copy", source.url, to.url]
        if step:
            return self.kill_at.run(argv, *step)
        return subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60)

    def open(self, store, *step):
        """A copy begins with opening both; from one that is empty it ends there."""
        done = self.copy(rounds.Sqlite(os.path.join(self.base, "empty.db")), store, *step)
        self.assertIn((done.returncode, done.stderr), (
            (1, "frontdesk: copy: the store to copy from holds nothing\n"),
            (1, "frontdesk: copy: the store to copy to is not empty\n"), (-signal.SIGKILL, "")))

    def filled(self, make, text):
        store = make()
        store.fill(text)
        return store

    @staticmethod
    def all_of(store):
        """What a person would call the contents, whatever the version."""
        return [sorted(store.rows(text)) for text in (
            "SELECT catalog, ns, parent, properties FROM namespaces",
            "SELECT catalog, ns, name, uuid, metadata_location, location FROM tables",
            "SELECT catalog, ns, name, principal, uuid, location, expires_ms FROM staged",
            "SELECT f.folder, COALESCE(t.name, ''), COALESCE(s.name, '') FROM folders f LEFT JOIN tables t ON t.id = f.table_id"
            " LEFT JOIN staged s ON s.id = f.staged_id")]

    @staticmethod
    def shape(store):
        return sorted(store.rows(store.COLUMNS)), store.rows(store.VERSION)

    def upgrade(self, make, old, hows):
        fresh, whole = make(), self.filled(make, old)
        self.open(fresh)
        self.open(whole, NEVER)
        for step in self.kill_at.each(self.kill_at.seen(), hows, DENSE):
            store = self.filled(make, old)
            self.open(store, *step)
            self.open(store)
            self.assertEqual(self.shape(store), self.shape(fresh), self.kill_at.words)
            self.assertEqual(self.all_of(store), self.all_of(whole), self.kill_at.words)
            store.check()

    def test_an_upgrade_that_dies_at_any_step_is_done_by_the_next_start_in_sqlite(self):
        self.upgrade(self.sqlite, self.old("version1.sqlite.sql"), (KILL, TEAR, POWER))

    def test_an_upgrade_that_dies_at_any_step_is_done_by_the_next_start_in_postgresql(self):
        self.upgrade(self.postgresql, self.old("version2.postgresql.sql"), (KILL,))

    def test_a_first_start_that_dies_at_any_step_is_done_by_the_next(self):
        self.upgrade(self.sqlite, "", (POWER,))
        self.upgrade(self.postgresql, "", (KILL,))

    def copies(self, make_source, old, make, hows):
        """A copy that died left nothing in the new store, or all."""
        source, whole = self.filled(make_source, old), make()
        self.assertEqual(self.copy(source, whole, NEVER).returncode, 0)
        before = self.all_of(source)
        for step in self.kill_at.each(self.kill_at.seen(), hows, DENSE):
            to = make()
            died = self.copy(source, to, *step)
            done = self.copy(source, to)
            self.assertIn((done.returncode, done.stderr), (
                (0, ""), (1, "frontdesk: copy: the store to copy to is not empty\n")), (self.kill_at.words, died))
            self.assertEqual(self.shape(to), self.shape(whole), self.kill_at.words)
            self.assertEqual([self.all_of(s) for s in (source, to)], [before, before], self.kill_at.words)
            to.check()

    def test_a_copy_that_dies_at_any_step_is_whole_or_empty_in_sqlite(self):
        self.copies(self.postgresql, self.old("version2.postgresql.sql"), self.sqlite, (KILL, POWER))

    def test_a_copy_that_dies_at_any_step_is_whole_or_empty_in_postgresql(self):
        self.copies(self.sqlite, self.old("version1.sqlite.sql"), self.postgresql, (KILL,))
