"""`--audit store`: every record is kept in the catalog's database, once, whatever becomes of that; `frontdesk audit` finds it."""
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

import harness as h
from e2e_replicas import Postgres

NAMESPACES = "/v1/analytics/namespaces"


class Trail(unittest.TestCase):
    """On a file of SQLite, and with each record in a file as well, to hold the two against each other."""

    @classmethod
    def url(cls):
        return "sqlite:" + os.path.join(cls.base, "catalog.db")

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="fd-trail-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        cls.folder = h.Folder(cls.base)
        cls.folder.write("lakehouse.yaml", h.file_integration(),
                         h.catalog(), h.principal(), h.role(), h.principal("reader"),
                         h.role("reads", ["TABLE_READ_DATA"], [{"kind": "Principal", "name": "reader"}]))
        cls.desk = h.Frontdesk(*cls.folder.options(), "--file-storage", cls.base, "--audit", "store", "--store", cls.url(),
                               folder=cls.base)
        cls.addClassCleanup(lambda: cls.desk.process.poll() is None and cls.desk.kill())
        cls.tokens = {n: cls.folder.token(cls.desk, n) for n in ("etl", "reader")}
        cls.token = cls.tokens["etl"]
        h.wait_for("the catalog", lambda: cls.desk.call("POST", NAMESPACES, cls.token, {"namespace": ["sales"]})[0] in (200, 409))
        for name in ("orders", "other"):
            cls.desk.call("POST", NAMESPACES + "/sales/tables", cls.token, {"name": name, "schema": h.SIMPLE_SCHEMA})
        for who in ("etl", "reader"):
            cls.desk.call("GET", NAMESPACES + "/sales/tables/orders", cls.tokens[who])
        cls.desk.call("DELETE", NAMESPACES + "/sales/tables/orders", cls.tokens["reader"])

    def ask(self, *arguments):
        return subprocess.run([h.program(), "audit", "--store", self.url(), *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60)

    def records(self, *arguments):
        done = self.ask("-o", "json", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def all_of_them(self):
        """What the file has, the newest first; the store has them a moment later."""
        return h.wait_for("the same", lambda: (lambda f, s: s if sorted(map(str, f)) == sorted(map(str, s)) else None)(
            self.desk.audit(), self.records("--limit", "1000000")))

    def test_the_store_has_every_record_that_the_file_has_and_once(self):
        def ask(n):
            for i in range(100):
                self.desk.call("GET", f"{NAMESPACES}/sales/tables/none{n}_{i}", self.token)
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        h.wait_for("the file", lambda: len([r for r in self.desk.audit() if r.get("table", "").startswith("none")]) == 400)
        found = self.all_of_them()
        self.assertEqual(len({r["requestId"] for r in found}), len(found))

    def test_the_newest_comes_first(self):
        times = [r["time"] for r in self.all_of_them()]
        self.assertGreaterEqual(times[0], times[-1])

    def test_questions_are_answered_with_what_they_ask_for_and_nothing_else(self):
        every = self.all_of_them()
        for arguments, claim in (
                (("--principal", "reader"), lambda r: r.get("principal") == "lakehouse/reader"),
                (("--principal", "lakehouse/reader"), lambda r: r.get("principal") == "lakehouse/reader"),
                (("--decision", "denied"), lambda r: r["decision"] == "denied"),
                (("--operation", "load-table"), lambda r: r["operation"] == "load-table"),
                (("--table", "analytics.sales.orders"), lambda r: (r.get("namespace"), r.get("table")) == ("sales", "orders")),
                (("--table", "analytics.sales"), lambda r: r.get("namespace") == "sales"),
                (("--table", "analytics"), lambda r: r.get("catalog") == "analytics"),
                (("--table", "analytics.sales.orders", "--decision", "denied"), lambda r: r.get("table") == "orders" and r["status"] >= 400)):
            found = self.records("--limit", "1000000", *arguments)
            self.assertEqual(found, [r for r in every if claim(r)], arguments)
            self.assertTrue(found, arguments)
        self.assertEqual(self.records("--table", "analytics.sale"), [])
        self.assertEqual(self.records("--principal", "ader"), [])

    def test_a_transaction_is_found_by_each_of_its_tables(self):
        status, _ = self.desk.call("POST", "/v1/analytics/transactions/commit", self.token, {"table-changes": [
            {"identifier": {"namespace": ["sales"], "name": n}, "requirements": [],
             "updates": [{"action": "set-properties", "updates": {"k": "v"}}]} for n in ("orders", "other")]})
        self.assertEqual(status, 204)
        for name in ("orders", "other"):
            h.wait_for("the record", lambda n=name: [r for r in self.records("--table", "analytics.sales." + n)
                                                     if r.get("details", {}).get("tables") == ["sales.orders", "sales.other"]])

    def test_names_with_dots_are_told_apart(self):
        paths = {'a.b.t': "a%1Fb/tables/t", '"a.b".t': "a.b/tables/t", 'a."b.t"': "a/tables/b.t"}
        for path in paths.values():
            self.assertEqual(self.desk.call("GET", f"{NAMESPACES}/{path}", self.token)[0], 404)
        def one(name):
            found = self.records("--table", "analytics." + name)
            return len({r["requestId"] for r in found}) == 1 and found[0]
        found = {name: h.wait_for("the record of " + name, lambda n=name: one(n)) for name in paths}
        self.assertEqual({n: (r["namespace"], r["table"]) for n, r in found.items()},
                         {'a.b.t': ("a.b", "t"), '"a.b".t': ('"a.b"', "t"), 'a."b.t"': ("a", "b.t")})
        # As it is printed it can be asked for, and what has no quotes needed none.
        text = self.ask("--table", 'analytics."a.b"').stdout
        self.assertIn('  analytics."a.b".t  ', text)
        self.assertEqual(self.records("--table", '"analytics"."a"."b"."t"'), self.records("--table", "analytics.a.b.t"))

    def test_a_commit_is_found_with_its_updates(self):
        status, _ = self.desk.call("POST", NAMESPACES + "/sales/tables/other", self.token, {"requirements": [], "updates": [
            {"action": "set-properties", "updates": {"colour": "confidential-value"}},
            {"action": "remove-properties", "removals": ["gone"]}]})
        self.assertEqual(status, 200)
        record = h.wait_for("the record", lambda: [r for r in self.records("--table", "analytics.sales.other")
                                                   if r["operation"] == "commit-table"])[0]
        self.assertEqual(record["details"]["updates"], [{"action": "set-properties", "properties": ["colour"]},
                                                        {"action": "remove-properties", "removals": ["gone"]}])
        self.assertNotIn("confidential-value", json.dumps(record))

    def test_a_time_is_held_to(self):
        every = self.all_of_them()
        some = sorted(r["time"] for r in every)[len(every) // 3: len(every) // 2]
        found = self.records("--limit", "1000000", "--from", some[0], "--to", some[-1])
        self.assertEqual(found, [r for r in every if some[0] <= r["time"] <= some[-1]])
        self.assertEqual(self.records("--from", "2100-01-01T00:00:00Z"), [])

    def test_a_limit_is_told(self):
        every = self.all_of_them()
        done = self.ask("-o", "json", "--limit", "2")
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()], every[:2])
        self.assertIn("more than 2", done.stderr)

    def test_text_is_for_people_and_holds_nothing_that_a_terminal_obeys(self):
        self.desk.get(self.desk.uri + NAMESPACES + "/x%C2%9B31m%E2%80%AE/tables", {"Authorization": "Bearer " + self.token})
        h.wait_for("the record", lambda: r"analytics.x\u{9b}31m\u{202e}" in self.ask().stdout)
        text = self.ask("--table", "analytics.sales.orders", "--decision", "denied").stdout
        self.assertRegex(text, r"(?m)^TIME +PRINCIPAL +OPERATION +ON +DECISION +STATUS +FROM +WHY$")
        self.assertRegex(text, r"(?m)Z  lakehouse/reader  drop-table  analytics\.sales\.orders  denied +403  127\.0\.0\.1  .*TABLE_DROP")

    def test_what_is_older_than_it_is_kept_is_forgotten(self):
        self.all_of_them()
        with sqlite3.connect(os.path.join(self.base, "catalog.db")) as db:
            for days in (89, 91):
                at = int(time.time() * 1000) - days * 24 * 60 * 60 * 1000
                db.execute("INSERT INTO audit VALUES (?, ?, ?, 1, ?)", (f"m{days}", at, at, "{}\n"))
        db.close()
        self.desk.stop()
        self.desk.start()
        self.desk.call("GET", NAMESPACES, self.token)

        def marks():
            with sqlite3.connect(os.path.join(self.base, "catalog.db")) as db:
                return {m for m, in db.execute("SELECT mark FROM audit WHERE mark LIKE 'm__'")}
        h.wait_for("the old one is gone", lambda: marks() == {"m89"})
        with sqlite3.connect(os.path.join(self.base, "catalog.db")) as db:
            db.execute("DELETE FROM audit WHERE mark = 'm89'")

    def test_wrong_usage_ends_with_2(self):
        for arguments in (("--from", "yesterday"), ("--decision", "maybe"), ("--limit", "0"), ("-o", "yaml"), ("x",)):
            self.assertEqual(self.ask(*arguments).returncode, 2, arguments)

    def test_a_file_that_is_not_there_is_not_made(self):
        path = os.path.join(self.base, "nowhere.db")
        done = subprocess.run([h.program(), "audit", "--store", "sqlite:" + path], stderr=subprocess.PIPE, text=True)
        self.assertEqual((done.returncode, path in done.stderr, os.path.exists(path)), (1, True, False), done.stderr)


class TrailInPostgres(Trail):
    test_what_is_older_than_it_is_kept_is_forgotten = None

    @classmethod
    def url(cls):
        return cls.postgres["url"]

    @classmethod
    def setUpClass(cls):
        cls.postgres = Postgres()
        cls.addClassCleanup(shutil.rmtree, cls.postgres.folder, True)
        cls.addClassCleanup(lambda: cls.postgres.stop())
        super().setUpClass()

    def test_what_is_decided_while_the_database_is_away_is_stored_when_it_is_back(self):
        self.postgres.crash()
        try:
            for i in range(20):
                self.assertEqual(self.desk.call("GET", f"{NAMESPACES}/sales/tables/away{i}", self.token)[0], 503)
            h.wait_for("it is told", lambda: self.desk.said(logger="audit", msg="they wait"))
        finally:
            self.postgres.again()
        h.wait_for_loops("it is back", lambda: self.desk.call("GET", NAMESPACES, self.token)[0] == 200)
        away = [r for r in self.all_of_them() if r.get("table", "").startswith("away")]
        self.assertEqual(len(away), 20)

    def test_what_no_store_has_taken_at_the_end_is_in_the_log(self):
        self.all_of_them()
        self.postgres.stop()
        try:
            self.desk.call("GET", NAMESPACES + "/sales/tables/last", self.token)
            began = time.monotonic()
            self.desk.stop()
            self.assertLess(time.monotonic() - began, 25)
            spilled = self.desk.said(table="last", operation="load-table")
            self.assertEqual(len(spilled), 1, self.desk.tail())
            self.assertTrue(self.desk.said(msg="records that were not stored follow"))
        finally:
            self.postgres.again()
            self.desk.start()
