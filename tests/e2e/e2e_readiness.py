"""Whether the program says that it is ready when it is: a database that is not there yet, goes, freezes, or is
of another version."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import unittest

import harness as h
from e2e_replicas import Postgres

NAMESPACES = "/v1/analytics/namespaces"


class Readiness(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-ready-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        cls.folder = h.Folder(cls.base)
        cls.folder.write("lakehouse.yaml", h.file_integration(), h.catalog(), h.principal(), h.role())
        cls.postgres = Postgres()
        cls.addClassCleanup(shutil.rmtree, cls.postgres.folder, True)
        cls.addClassCleanup(lambda: cls.postgres.stop())

    def begin(self, wait=True, **more):
        desk = h.Frontdesk(*self.folder.options(), "--file-storage", self.base, "--store", self.postgres["url"], wait=wait, **more)
        self.addCleanup(lambda: desk.process.poll() is None and desk.stop())
        self.token = self.folder.token(desk)
        return desk

    def ready(self, desk):
        status, body, _ = desk.get(desk.admin + "/readyz")
        self.assertEqual(desk.get(desk.admin + "/healthz")[0], 200)
        return status, body.decode()

    def wait_unready(self, desk, reason):
        def claim():
            status, said = self.ready(desk)
            return status == 503 and reason in said
        h.wait_for("not ready: " + reason, claim)

    def wait_ready(self, desk):
        h.wait_for("ready by itself", lambda: self.ready(desk) == (200, "ok\n"))

    @staticmethod
    def wait_said(desk, n=1, **fields):
        """The log is read in the background."""
        h.wait_for(f"it says {fields}", lambda: len(desk.said(**fields)) >= n)

    def ask(self, desk):
        status, body, headers = desk.get(desk.uri + NAMESPACES, {"Authorization": "Bearer " + self.token})
        return status, json.loads(body), headers.get("Retry-After")

    def refused_for_now(self, desk):
        status, body, later = self.ask(desk)
        self.assertEqual((status, later is not None), (503, True), body)

    def test_a_fresh_database_is_no_trouble(self):
        desk = self.begin()
        self.assertEqual(desk.said(level="error"), [])
        desk.stop()

    def test_a_program_that_starts_before_its_database_serves_once_that_is_there(self):
        self.postgres.stop()
        try:
            desk = self.begin(wait=False)
            self.wait_said(desk, level="error", msg="the catalog's database cannot be used")
            self.wait_unready(desk, "the catalog's database cannot be reached")
            self.refused_for_now(desk)
        finally:
            self.postgres.again()
        self.wait_ready(desk)
        self.assertEqual(self.ask(desk)[0], 200)
        self.assertIn(desk.call("POST", NAMESPACES, self.token, {"namespace": ["sales"]})[0], (200, 409))
        self.wait_said(desk, level="info", msg="the catalog's database can be used again")
        desk.stop()

    def test_a_program_that_is_ready_knows_the_tokens_of_the_one_before(self):
        self.begin().stop()
        for _ in range(20):
            desk = h.Frontdesk(*self.folder.options(), "--file-storage", self.base, "--store", self.postgres["url"], wait=False)
            self.addCleanup(desk.kill)
            while self.ready(desk)[0] != 200:
                pass
            # Which loop a connection comes to is chance.
            answers = [self.ask(desk) for _ in range(8)]
            desk.stop()
            self.assertEqual({status for status, *_ in answers}, {200}, answers)

    def test_a_program_without_its_database_ends_when_it_is_told_to(self):
        self.postgres.stop()
        try:
            desk = self.begin(wait=False)
            desk.stop()
        finally:
            self.postgres.again()

    def test_a_database_that_goes_away_is_shown_and_so_is_its_return(self):
        desk = self.begin()
        for stop in (self.postgres.stop, self.postgres.crash):
            stop()
            self.wait_unready(desk, "the catalog's database cannot be")
            self.refused_for_now(desk)
            self.assertIn(b"\nfrontdesk_store_usable 0\n", desk.get(desk.admin + "/metrics")[1])
            self.postgres.again()
            self.wait_ready(desk)
            self.assertEqual(self.ask(desk)[0], 200)
            self.assertIn(b"\nfrontdesk_store_usable 1\n", desk.get(desk.admin + "/metrics")[1])
        told = {"level": "error", "msg": "the catalog's database cannot be used"}
        self.wait_said(desk, 2, **told)
        self.assertEqual(len(desk.said(**told)), 2, desk.tail())

    def test_a_database_that_is_frozen_is_shown_before_anybody_gives_up_on_it(self):
        desk = self.begin()
        # Each reader has its connection.
        self.assertEqual([self.ask(desk)[0] for _ in range(4)], [200] * 4)
        self.postgres.signal(signal.SIGSTOP)
        try:
            self.wait_unready(desk, "has not answered")
        finally:
            self.postgres.signal(signal.SIGCONT)
        self.wait_ready(desk)

    def test_tables_of_a_newer_program_are_a_reason_too(self):
        self.begin().stop()
        self.postgres.stop()
        desk = self.begin(wait=False)
        self.postgres.again()
        self.wait_ready(desk)
        desk.stop()
        self.set_version("99")
        try:
            done = self.start_once(self.postgres["url"])
            self.assertIn("of version 99, newer than this program's", done)
            self.postgres.stop()
            desk = self.begin(wait=False)
            self.postgres.again()
            self.wait_unready(desk, "of version 99, newer than this program's")
            self.refused_for_now(desk)
            desk.stop()
        finally:
            self.set_version("(SELECT max(version) FROM before)")

    def set_version(self, version):
        said, _ = self.postgres.psql("").communicate(
            "CREATE TABLE IF NOT EXISTS before AS SELECT version FROM frontdesk;"
            f" UPDATE frontdesk SET version = {version};")
        self.assertNotIn("ERROR", said)

    # ---- what no waiting mends ----

    def start_once(self, url):
        """What is said by a program that ends with 1 at once."""
        done = subprocess.run([h.program(), "run", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--store", url,
                               *self.folder.options()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
        self.assertEqual(done.returncode, 1, done)
        return json.loads(done.stderr.splitlines()[-1])["error"]

    def test_a_file_that_cannot_be_used_ends_the_start_and_is_named(self):
        newer, garbage = os.path.join(self.base, "newer.db"), os.path.join(self.base, "garbage.db")
        sqlite3.connect(newer).execute("PRAGMA user_version = 99").connection.close()
        with open(garbage, "w") as f:
            f.write("this is no database " * 100)
        for path, why in ((newer, "of version 99, newer than this program's"), (garbage, "not a database"),
                          (self.base, "unable to open"), (os.path.join(self.base, "nowhere", "x.db"), "unable to open")):
            said = self.start_once("sqlite:" + path)
            self.assertIn(why, said)
            self.assertIn(path, said)
