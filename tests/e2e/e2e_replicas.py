"""Two programs on one PostgreSQL: they agree, whatever happens at once, and whoever of them ends."""
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest.mock

import harness as h
from e2e_folder import Desk
from e2e_purge import Forged

NAMESPACES = "/v1/analytics/namespaces"
TABLES = NAMESPACES + "/sales/tables"


class Postgres(h.Server):
    """A server that may be ended and started again on its data."""

    def __init__(self):
        # Short, since a socket's path is: at most 107 bytes.
        self.folder = tempfile.mkdtemp(prefix="fd-pg-")
        super().__init__("postgres", "--dir", self.folder)

    def again(self, before=lambda data: None):
        self.stop()
        before(os.path.join(self.folder, "data"))
        super().__init__("postgres", "--dir", self.folder)

    def psql(self, text):
        return subprocess.Popen([os.path.join(self["bin"], "psql"), "-XAtq", self["url"]], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def signal(self, number):
        """To every process of it; the first one is stopped before, so that it starts no others."""
        pid = self["pids"]["postgres"]
        os.kill(pid, signal.SIGSTOP)
        children = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE, text=True).stdout.split()
        for child in [*map(int, children), pid]:
            try:
                os.kill(child, number)
            except ProcessLookupError:
                pass

    def crash(self):
        """At once, as the kernel does when memory is short."""
        self.signal(signal.SIGKILL)


def at_once(*calls):
    """What each of them returned; all are let go at the same moment."""
    line, results = threading.Barrier(len(calls)), [None] * len(calls)

    def one(i):
        line.wait()
        results[i] = calls[i]()
    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(calls))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


class OnPostgres:
    """Of a Desk: its catalog in a PostgreSQL, and other programs beside it."""

    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(shutil.rmtree, cls.postgres.folder, True)
        cls.addClassCleanup(lambda: cls.postgres.stop())
        super().setUpClass()

    @classmethod
    def options(cls):
        return "--store", cls.postgres["url"]

    @classmethod
    def beside(cls, url, wait=True, **more):
        """A program that continues where the first one is, as a replica does that reads the same resources and Secrets."""
        base = tempfile.mkdtemp(prefix="fd-beside-")
        cls.addClassCleanup(shutil.rmtree, base, True)
        state = os.path.join(base, "state")
        # The first one may be writing there: what it renames meanwhile is not there any more.
        h.wait_for("a copy", lambda: shutil.copytree(cls.folder.state, state, dirs_exist_ok=True))
        desk = h.Frontdesk("--resources", cls.folder.base, "--state", state, "--store", url, folder=base, wait=wait, **more)
        cls.addClassCleanup(desk.kill)
        if wait:
            # In a catalog of its own there may be no such table.
            h.wait_for_loops("it serves", lambda: desk.call("GET", cls.FIRST, cls.token)[0] in (200, 404))
        return desk


class Replicas(OnPostgres, Desk):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.beside(cls.postgres["url"])
        cls.both = (cls.desk, cls.other)
        cls.count = itertools.count()
        h.wait_for("the other one is ready", lambda: cls.make(cls.other, "first_of_other")[0] == 200)

    @classmethod
    def make(cls, desk, name, **more):
        return desk.call("POST", TABLES, cls.token, {"name": name, "schema": h.SIMPLE_SCHEMA, **more})

    @classmethod
    def load(cls, desk, name):
        return desk.call("GET", f"{TABLES}/{name}", cls.token)

    @classmethod
    def commit(cls, desk, name, updates, requirements=()):
        return desk.call("POST", f"{TABLES}/{name}", cls.token, {"requirements": list(requirements), "updates": updates})

    def see_the_same(self, name):
        seen = [self.load(desk, name) for desk in self.both]
        self.assertEqual(seen[0][0], seen[1][0])
        if seen[0][0] == 200:
            self.assertEqual(seen[0][1]["metadata-location"], seen[1][1]["metadata-location"])
            self.assertEqual(seen[0][1]["metadata"], seen[1][1]["metadata"])
        return seen[0]

    # ---- at once ----

    def test_of_creates_of_one_name_one_wins_and_both_see_it(self):
        for i in range(20):
            answers = at_once(*[lambda d=d: self.make(d, f"same{i}") for d in self.both])
            self.assertEqual(sorted(a[0] for a in answers), [200, 409], answers)
            uuid = next(a[1]["metadata"]["table-uuid"] for a in answers if a[0] == 200)
            self.assertEqual(self.see_the_same(f"same{i}")[1]["metadata"]["table-uuid"], uuid)

    def test_of_creates_in_one_place_one_wins(self):
        for i in range(20):
            places = [f"s3://warehouse/lake/place{i}", f"s3://warehouse/lake/place{i}/below"]
            answers = at_once(*[lambda d=d, p=p, n=n: self.make(d, f"place{i}_{n}", location=p)
                                for n, (d, p) in enumerate(zip(self.both, places))])
            self.assertEqual(sorted(a[0] for a in answers), [200, 403], answers)

    def test_of_commits_from_one_base_one_wins_and_both_see_it(self):
        self.assertEqual(self.make(self.desk, "contended")[0], 200)
        for i in range(10):
            now = self.see_the_same("contended")[1]["metadata"]
            base = [{"type": "assert-last-assigned-field-id", "last-assigned-field-id": now["last-column-id"]}]

            def add(n, desk):
                fields = h.SIMPLE_SCHEMA["fields"] + [{"id": now["last-column-id"] + 1, "name": f"c{i}_{n}",
                                                       "type": "long", "required": False}]
                return self.commit(desk, "contended", [
                    {"action": "add-schema", "schema": {"type": "struct", "fields": fields}},
                    {"action": "set-current-schema", "schema-id": -1}], base)
            answers = at_once(*[lambda d=d, n=n: add(n, d) for n, d in enumerate(self.both)])
            self.assertEqual(sorted(a[0] for a in answers), [200, 409], answers)
            won = next(a[1]["metadata"] for a in answers if a[0] == 200)
            self.assertEqual(self.see_the_same("contended")[1]["metadata"], won)

    def test_what_one_has_dropped_or_moved_the_other_does_not_vend(self):
        self.assertEqual(self.make(self.desk, "given")[0], 200)
        path = f"{TABLES}/given/credentials"
        for _ in range(3):
            self.assertEqual(self.other.call("GET", path, self.token)[0], 200)
        self.assertEqual(self.desk.call("DELETE", f"{TABLES}/given", self.token)[0], 204)
        self.assertEqual(self.other.call("GET", path, self.token)[0], 404)
        self.assertEqual(self.make(self.desk, "given", location="s3://warehouse/lake/elsewhere")[0], 200)
        status, body = self.other.call("GET", path, self.token)
        self.assertEqual((status, body["storage-credentials"][0]["prefix"]), (200, "s3://warehouse/lake/elsewhere/"))

    # ---- parts that end ----

    def writers(self, seconds_after, event):
        """Both replicas make tables while event() happens; the statuses, and the names that were acknowledged."""
        stop, statuses, made = threading.Event(), [], []

        def write(desk):
            while not stop.is_set():
                name = f"w{next(self.count)}"
                try:
                    status = self.make(desk, name)[0]
                except OSError:
                    status = 0
                statuses.append(status)
                if status == 200:
                    made.append(name)
        threads = [threading.Thread(target=write, args=(d,)) for d in self.both for _ in range(2)]
        for t in threads:
            t.start()
        try:
            h.wait_for("some tables", lambda: len(made) > 20)
            event(statuses)
            before = len(made)
            h.wait_for("more tables", lambda: len(made) > before + 20, seconds_after)
        finally:
            stop.set()
            for t in threads:
                t.join()
        return statuses, made

    def acknowledged(self, made):
        for name in made:
            self.assertEqual(self.see_the_same(name)[0], 200, name)

    def test_a_server_that_is_restarted_costs_503_and_no_table(self):
        def restart(statuses):
            self.postgres.stop()
            h.wait_for("both say so", lambda: statuses[-40:].count(503) > 20)
            self.assertEqual(self.desk.get(self.desk.admin + "/healthz")[0], 200)
            self.postgres.again()
        statuses, made = self.writers(60, restart)
        self.assertLessEqual(set(statuses), {200, 500, 503})
        self.acknowledged(made)

    def test_a_server_that_is_killed_costs_503_and_no_table(self):
        def crash(statuses):
            self.postgres.crash()
            h.wait_for("both say so", lambda: statuses[-40:].count(503) > 20)
            self.postgres.again()
        statuses, made = self.writers(60, crash)
        self.assertLessEqual(set(statuses), {200, 500, 503})
        self.acknowledged(made)

    def test_a_replica_that_is_killed_holds_nobody_up_and_loses_nothing(self):
        def kill(_):
            began = time.monotonic()
            self.other.kill()
            self.assertEqual(self.make(self.desk, f"k{next(self.count)}")[0], 200)
            self.assertLess(time.monotonic() - began, 3)
        _, made = self.writers(60, kill)
        self.other.start()
        h.wait_for_loops("it serves again", lambda: self.load(self.other, made[0])[0] == 200)
        self.acknowledged(made)

    def sql(self, text):
        return self.postgres.psql("").communicate(text)[0].strip()

    def large(self, name):
        """A table of one manifest, whose purge takes two seconds: not one of the files that it names is there."""
        self.assertEqual(self.make(self.desk, name, location=f"s3://warehouse/lake/{name}")[0], 200)
        f = Forged(self.desk.pyiceberg(self.client).load_table("sales." + name), None)
        manifest = f.manifest("m", [f"s3://warehouse/lake/{name}/data/{i}.parquet" for i in range(1000)])
        f.snapshot(lambda *u: self.commit(self.desk, name, list(u)), [manifest])

    def objects(self, name):
        return sorted(o["Key"] for o in self.rgw.s3.list_objects_v2(Bucket="warehouse", Prefix=f"lake/{name}/").get("Contents", []))

    def purge(self, desk, name):
        self.assertEqual(desk.call("DELETE", f"{TABLES}/{name}?purgeRequested=true", self.token)[0], 204)

    def test_a_purge_whose_replica_is_frozen_is_done_by_the_other_and_told_once(self):
        """When it goes on it deletes nothing of the table that was made anew in the place, and its end is not entered."""
        self.large("handed")
        self.purge(self.desk, "handed")
        begun = {"msg": "files of a table are to be deleted", "table": "handed"}
        first = h.wait_for("one is at it", lambda: [d for d in self.both if d.said(**begun)])[0]
        second = next(d for d in self.both if d is not first)
        first.process.send_signal(signal.SIGSTOP)
        try:
            self.assertEqual(len(self.objects("handed")), 4, "it was over before it could be frozen")
            # As two minutes later, when its lease has ended; the other looks again when it has one of its own to begin.
            self.sql("UPDATE purges SET lease_ms = 0;")
            self.assertEqual(self.make(second, "beside")[0], 200)
            self.purge(second, "beside")
            h.wait_for("the other's end of it", lambda: second.said(msg="files are deleted", table="handed"), 60)
            self.assertEqual(self.objects("handed"), [])
            self.assertEqual(self.make(second, "handed", location="s3://warehouse/lake/handed")[0], 200)
            anew = self.objects("handed")
        finally:
            first.process.send_signal(signal.SIGCONT)
        h.wait_for("the first one's end", lambda: first.said(msg="could not be entered", error="another's now"), 60)
        h.wait_for("no purge is left", lambda: self.sql("SELECT count(*) FROM purges;") == "0", 60)

        def told_by(desk):
            return [r["result"] for r in desk.audit() if r["operation"] == "purge-files" and r["table"] == "handed"]
        h.wait_for("its record", lambda: told_by(second))
        told = [told_by(d) for d in (first, second)]
        self.assertEqual(told, [[], ["done"]])
        self.assertEqual(self.objects("handed"), anew)
        self.assertEqual(self.see_the_same("handed")[0], 200)

    def test_a_server_that_is_frozen_costs_503_after_a_deadline(self):
        self.postgres.signal(signal.SIGSTOP)
        began = time.monotonic()
        try:
            answers = at_once(lambda: self.load(self.desk, "first"), lambda: self.make(self.desk, "frozen"))
        finally:
            self.postgres.signal(signal.SIGCONT)
        self.assertEqual([a[0] for a in answers], [503, 503], answers)
        self.assertLess(time.monotonic() - began, 25)
        h.wait_for_loops("it serves again", lambda: self.load(self.desk, "first")[0] == 200)
        h.wait_for("it writes again", lambda: self.make(self.desk, "frozen")[0] == 200)

    def test_a_frozen_writer_holds_up_writes_for_seconds_and_no_reads(self):
        frozen = self.postgres.psql("")
        frozen.stdin.write("BEGIN; SET idle_in_transaction_session_timeout = 0; UPDATE frontdesk SET turn = turn + 1;"
                           " SELECT 'held';\n")
        frozen.stdin.flush()
        self.assertEqual(frozen.stdout.readline().strip(), "held")
        answers, writer = [], threading.Thread(target=lambda: answers.append(self.make(self.desk, "waits")))
        began = time.monotonic()
        writer.start()
        self.assertEqual(self.load(self.desk, "first")[0], 200)
        writer.join()
        self.assertEqual(answers[0][0], 503, answers)
        self.assertLess(time.monotonic() - began, 15)
        frozen.communicate("ROLLBACK;\n")
        self.assertEqual(self.make(self.desk, "waits")[0], 200)

    def test_a_standby_is_read_from_and_a_promoted_one_is_written_to(self):
        def signal_file(data):
            with open(os.path.join(data, "standby.signal"), "w"):
                pass

        def no_signal_file(data):
            os.unlink(os.path.join(data, "standby.signal"))

        def says_why():
            status, body = self.make(self.desk, "on_standby")
            self.assertEqual(status, 503)
            # It may have asked while the server was away, and then waits a moment before it asks again.
            return "cannot be used now" in body["error"]["message"]
        self.postgres.again(signal_file)
        try:
            h.wait_for_loops("it reads", lambda: self.load(self.desk, "first")[0] == 200)
            h.wait_for("it says why it does not write", says_why)
        finally:
            self.postgres.again(no_signal_file)
        h.wait_for("it writes", lambda: self.make(self.desk, "on_standby")[0] == 200)
        for desk in self.both:
            h.wait_for_loops("it reads", lambda d=desk: self.load(d, "on_standby")[0] == 200)
            h.wait_for("it writes", lambda d=desk: self.make(d, "after_standby")[0] in (200, 409))

    # ---- answers that are lost ----

    def test_a_commit_whose_answer_is_lost_is_answered_for_what_it_did(self):
        for reaches in (True, False):
            with self.subTest(reaches=reaches), Middle(self.postgres) as middle:
                name = f"lost_{reaches}".lower()
                self.assertEqual(self.make(self.desk, name)[0], 200)
                through = self.beside(middle.url)
                try:
                    self.assertEqual(self.load(through, name)[0], 200)
                    middle.break_next(reaches)
                    status, body = self.commit(through, name, [{"action": "set-properties", "updates": {"k": "v"}}])
                    self.assertEqual(status, 200 if reaches else 503, body)
                    loaded = self.see_the_same(name)[1]["metadata"]
                    self.assertEqual(loaded["properties"].get("k"), "v" if reaches else None)
                    status, body = self.commit(through, name, [{"action": "set-properties", "updates": {"k": "w"}}])
                    self.assertEqual((status, body["metadata"]["properties"]["k"]), (200, "w"), body)
                finally:
                    through.stop()

    # ---- another database ----

    def copy(self, *urls):
        return subprocess.run([h.program(), "store", "copy", *urls], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=60)

    def test_a_copied_store_serves_what_the_first_one_did_and_a_filled_one_is_not_copied_into(self):
        self.assertEqual(self.make(self.desk, "copied")[0], 200)
        url = "sqlite:" + os.path.join(self.base, "copy.db")
        done = self.copy(self.postgres["url"], url)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("1 namespaces\n", done.stdout)
        desk = self.beside(url)
        try:
            self.assertEqual(self.load(desk, "copied")[0], 200)
            self.assertEqual(self.load(desk, "copied"), self.load(self.desk, "copied"))
            self.assertEqual(desk.call("GET", TABLES, self.token), self.desk.call("GET", TABLES, self.token))
        finally:
            desk.stop()
        again = self.copy(url, self.postgres["url"])
        self.assertEqual((again.returncode, again.stderr), (1, "frontdesk: copy: the store to copy to is not empty\n"))
        self.assertEqual(self.copy(url).returncode, 2)

    # ---- the password ----

    def starts_with(self, url):
        return subprocess.run([h.program(), "run", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
                               "--store", url, *self.folder.options()], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=30)

    def test_the_password_comes_from_a_file_and_is_seen_nowhere(self):
        self.postgres.psql("").communicate("CREATE ROLE careful LOGIN PASSWORD 'hunter2';"
                                           " CREATE SCHEMA careful AUTHORIZATION careful;")
        rules = os.path.join(self.postgres.folder, "data", "pg_hba.conf")
        with open(rules) as f:
            before = f.read()
        with open(rules, "w") as f:
            f.write("local all careful scram-sha-256\n" + before)
        self.postgres.psql("").communicate("SELECT pg_reload_conf();")
        base = tempfile.mkdtemp(prefix="fd-pass-")
        passwords = os.path.join(base, "pgpass")
        with open(passwords, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write("*:*:*:careful:hunter2\n")
        url = f"postgresql://careful@/postgres?host={self.postgres.folder}&options=-csearch_path%3Dcareful"
        h.wait_for("the rule is in force", lambda: self.copy(url, "sqlite:" + os.path.join(base, "none.db")).returncode == 1)
        with unittest.mock.patch.dict(os.environ, PGPASSFILE=passwords):
            desk = self.beside(url)
        try:
            with open(f"/proc/{desk.process.pid}/cmdline") as f:
                self.assertNotIn("hunter2", f.read())
        finally:
            desk.stop()
        self.assertNotIn("hunter2", desk.tail())
        wrong = self.beside(url, wait=False, env={"PGPASSWORD": "hunter3"})
        try:
            said = h.wait_for("the reason", lambda: not wrong.get(wrong.admin + "/readyz")[1].endswith(b" yet\n") and
                              wrong.get(wrong.admin + "/readyz"))
            self.assertEqual((said[0], b"password authentication failed" in said[1]), (503, True), said)
            self.assertNotIn("hunter", wrong.tail() + said[1].decode())
        finally:
            wrong.stop()

    def test_a_password_in_the_url_is_refused_and_not_repeated(self):
        done = self.starts_with("postgresql://fd:hunter2@127.0.0.1/postgres")
        self.assertEqual(done.returncode, 1)
        self.assertIn("PGPASSFILE", done.stderr)
        self.assertNotIn("hunter2", done.stderr + done.stdout)

    def test_both_end_in_order(self):
        for desk in self.both:
            desk.stop()
        for desk in self.both:
            desk.start()


class Middle:
    """Stands between a program and the server's socket, and hangs up over one COMMIT."""

    def __init__(self, postgres):
        self.folder = tempfile.mkdtemp(prefix="fd-mid-")
        self.target, self.url = os.path.join(postgres.folder, ".s.PGSQL.5432"), "postgresql://fd@/postgres?host=" + self.folder
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(self.folder, ".s.PGSQL.5432"))
        self.listener.listen(20)
        self.breaks = None  # whether the COMMIT reaches the server
        threading.Thread(target=self._accept, daemon=True).start()

    def break_next(self, reaches):
        self.breaks = reaches

    def _accept(self):
        try:
            while True:
                client = self.listener.accept()[0]
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.target)
                swallow = []  # the client, once its COMMIT has passed: nothing comes back to it
                for pair in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=(*pair, swallow), daemon=True).start()
        except OSError:
            pass

    def _pass_on(self, source, sink, from_client, swallow):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if from_client and self.breaks is not None and b"COMMIT\0" in data:
                    reaches, self.breaks = self.breaks, None
                    if not reaches:
                        break
                    swallow.append(source)
                elif not from_client and sink in swallow:
                    break
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        shutil.rmtree(self.folder, True)
