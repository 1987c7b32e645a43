"""The database and the bucket are cut off in the middle of a commit: every answer is true, and asking again settles it."""
import itertools
import os
import random
import socket

import cutter
import harness as h
import rounds
from cutter import Fault
from rounds import change, create

HALF, BUT_ONE, GONE = Fault(0.5, "reset"), Fault(Fault.SHORT, "reset"), Fault(1, "reset")
CLOSED, AWAY, HALF_CLOSED = Fault(1, "close"), Fault(1, "reset", away=True), Fault(0, "half-close")
LATE, SLOW, SILENCE = Fault(0, "late"), Fault(0.5, "slow"), Fault(0, "silence")


def to_unix(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    return s


class Cut(rounds.Served):
    """A program with something between it and its parts; what the classes below share."""

    ANSWERS = {200, 204, 500, 503}

    def legal(self, r):
        """iceberg-rest.md 2.8: no 409 without another's commit; 503 promises that it may be sent again."""
        for ask in r.asks:
            if ask.status is None:
                raise AssertionError(f"no answer; the program ended with {self.desk.process.wait(30)}")
            self.assertIn(ask.status, self.ANSWERS, ask)
            if ask.status == 500:
                self.assertEqual(ask.error["type"], "CommitStateUnknownException", ask)
            if ask.status == 503:
                self.assertIsNotNone(ask.retry_after, ask)

    def round(self, what, *faults):
        """`faults`: of something between, at its n-th piece, a fault. True: `what` came through without."""
        self.works()
        r = self.new_round()
        for between, n, fault in faults:
            between.arm(n, fault)
        try:
            what(r)
            untouched = [between.heal() for between, _, _ in faults]
            self.answers.update(a.status for a in r.asks)
            self.legal(r)
            self.works()
            r.check()
            r.retry()
            r.check()
        except Exception as e:
            raise AssertionError(f"seed {r.seed}, {[f[1:] for f in faults]}\n{r}\n{e}") from e
        return all(untouched)

    def at_each_piece(self, between, ask, fault, *more):
        """`ask`, of two tables of the round, meets the fault at the first piece, the second, ..., until it comes
        through; and the other faults at the last pieces, where it is written. How many pieces there were.
        That is not the same each time: what a loop has read it need not read again, and others use the way too. So
        it is over when it came through some times running."""
        type(self).answers = set()

        def meets(n, fault):
            return not self.round(lambda r: r.run(ask(*r.tables)), (between, n, fault))
        last, through = 0, 0
        while through < 3:
            through = 0 if meets(last + through + 1, fault) else through + 1
            last += 0 if through else 1
        self.assertGreater(last, 1)  # a question and its answer
        for n in range(max(1, last - 9), last + 1):
            for other in more:
                meets(n, other)
        self.assertLessEqual({200, 503}, self.answers)
        return last


class Database(Cut):
    @classmethod
    def make_store(cls):
        server = h.Server("postgres")
        cls.addClassCleanup(server.stop)
        store, path = rounds.Postgresql(server, "cut"), os.path.join(server["dir"], ".s.PGSQL.5432")
        cls.between = cutter.Cutter(lambda: to_unix(path))
        return rounds.Behind(store, f"postgresql://fd@127.0.0.1:{cls.between.port}/postgres?"
                             "sslmode=disable&gssencmode=disable&options=-csearch_path%3Dcut")

    def test_a_commit_that_is_cut_off_from_postgresql_anywhere_is_answered_truly(self):
        self.at_each_piece(self.between, lambda t, _: change(t), GONE, HALF, BUT_ONE, CLOSED, HALF_CLOSED)

    def test_a_create_that_is_cut_off_from_postgresql_anywhere_is_answered_truly(self):
        self.at_each_piece(self.between, lambda t, _: create(t + "new"), GONE)

    def test_a_commit_of_two_tables_that_is_cut_off_from_postgresql_anywhere_is_answered_truly(self):
        self.at_each_piece(self.between, change, GONE)

    def test_a_commit_whose_database_stays_away_is_answered_truly(self):
        # Again at the last ones: of one piece alone, the answer to COMMIT, the outcome is not known.
        self.at_each_piece(self.between, lambda t, _: change(t), AWAY, AWAY)
        self.assertIn(500, self.answers)

    def test_a_commit_that_reaches_postgresql_late_or_never_is_answered_truly(self):
        last = self.at_each_piece(self.between, lambda t, _: change(t), GONE)
        for n in range(last - 4, last + 1):
            self.round(lambda r: r.run(change(r.tables[0])), (self.between, n, LATE))
        for fault in (SLOW, SILENCE):
            self.round(lambda r: r.run(change(r.tables[0])), (self.between, last - 1, fault))

    def test_a_program_that_starts_without_its_database_commits_once_that_is_there(self):
        self.works()
        r = self.new_round()
        self.between.leave()
        self.desk.kill()
        self.desk.start(wait=False)
        h.wait_for("it says so", lambda: self.desk.get(self.desk.admin + "/readyz")[0] == 503)
        h.wait_for_loops("it knows who asks", lambda: "the catalog's database" in str(self.desk.call(
            "GET", rounds.TABLES, self.token)[1]))
        r.run(change(r.tables[0]), change(*r.tables), create(r.tables[0] + "new"))
        self.assertEqual([a.status for a in r.asks[2:]], [503] * 3, r)
        self.between.heal()
        h.wait_for("it is ready", lambda: self.desk.get(self.desk.admin + "/readyz")[0] == 200)
        self.works()
        r.check()
        r.retry()
        self.assertEqual([a.status for a in r.asks[2:]], [200, 204, 200], r)
        r.check()


class Bucket(Cut):
    @classmethod
    def manifests(cls):
        def through(rgw):
            port = int(rgw.endpoint.rsplit(":", 1)[1])
            cls.between = cutter.Cutter(lambda: socket.create_connection(("127.0.0.1", port)))
            return h.At(rgw, cls.between.port)
        return rounds.in_bucket(cls, through)

    @classmethod
    def read_file(cls, location):
        return rounds.read_object(cls.rgw, location)

    def test_a_commit_that_is_cut_off_from_the_bucket_anywhere_is_answered_truly(self):
        self.at_each_piece(self.between, lambda t, _: change(t), GONE, HALF, BUT_ONE, CLOSED, HALF_CLOSED, AWAY, SLOW)

    def test_a_create_that_is_cut_off_from_the_bucket_anywhere_is_answered_truly(self):
        self.at_each_piece(self.between, lambda t, _: create(t + "new"), GONE)

    def test_a_commit_of_two_tables_that_is_cut_off_from_the_bucket_anywhere_is_answered_truly(self):
        self.at_each_piece(self.between, change, GONE, HALF)


class Everything(Cut):
    """Writers at once, and both parts cut off by chance."""

    ANSWERS = Cut.ANSWERS | {404, 409}  # of a table whose create did not come through; of one that others change

    manifests, read_file = vars(Bucket)["manifests"], vars(Bucket)["read_file"]

    @classmethod
    def make_store(cls):
        cls.bucket = cls.between
        store = vars(Database)["make_store"].__func__(cls)
        cls.database, cls.answers = cls.between, set()
        return store

    def test_writers_at_once_that_are_cut_off_anywhere_are_answered_truly(self):
        faults = (HALF, BUT_ONE, GONE, CLOSED, HALF_CLOSED, AWAY)
        for i in range(20):
            dice = random.Random(i)
            self.round(lambda r: r.run_at_once(4), (self.database, dice.randrange(1, 200), dice.choice(faults)),
                       (self.bucket, dice.randrange(1, 40), dice.choice(faults)))
        self.assertLessEqual({200, 503}, self.answers)
