"""Metadata files: what is kept of them in memory, what a load passes on, and which of them go."""
import contextlib
import json
import os
import signal
import sqlite3
import threading

import e2e_catalog
import harness as h

TABLES = e2e_catalog.TABLES
REGISTER = "/v1/analytics/namespaces/sales/register"


class Kept(e2e_catalog.Catalog):
    """What is in memory: the text of files, and the answers that hold it."""

    def load(self, name, token=None, query="", **headers):
        return self.desk.call("GET", f"{TABLES}/{name}{query}", token or self.token, **headers)

    @contextlib.contextmanager
    def frozen(self):
        """The store, as long as it lasts."""
        for pid in self.rgw["pids"].values():
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in self.rgw["pids"].values():
                os.kill(pid, signal.SIGCONT)

    def raw(self, name, query=""):
        status, text, _ = self.desk.get(f"{self.desk.uri}{TABLES}/{name}{query}", {"Authorization": "Bearer " + self.token})
        self.assertEqual(status, 200, text)
        return text

    def put(self, name, text):
        """A metadata file that somebody else wrote, and the table that is registered from it."""
        key = f"lake/sales/{name}/metadata/00000-{name}.metadata.json"
        self.rgw.s3.put_object(Bucket="warehouse", Key=key, Body=text)
        return self.desk.call("POST", REGISTER, self.token, {"name": name, "metadata-location": "s3://warehouse/" + key})

    def foreign(self, name, **more):
        """The metadata of a table as another program may have left it."""
        _, body = self.create("model" + name)
        return {**body["metadata"], "location": f"s3://warehouse/lake/sales/{name}",
                "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1", **more}

    def test_a_table_that_was_loaded_is_loaded_again_while_the_store_is_frozen(self):
        self.create("hot")
        self.assertEqual(self.commit("hot", *e2e_catalog.append(1, self.load("hot")[1]["metadata"]["location"]))[0], 200)
        with_keys = {"X_Iceberg_Access_Delegation": "vended-credentials"}
        asks = [("", {}), ("?snapshots=refs", {}), ("", with_keys), ("?snapshots=refs", with_keys)]

        def answers():
            return [self.load("hot", query=query, **headers) for _ in range(8) for query, headers in asks]
        before = answers()
        with self.frozen():
            after = answers()
        self.assertEqual([status for status, _ in after], [200] * len(after))
        self.assertEqual([b["metadata"] for _, b in after], [b["metadata"] for _, b in before])
        for n, (_, body) in enumerate(after):
            self.assertEqual("storage-credentials" in body, n % 4 > 1)

    def test_a_view_that_was_loaded_is_loaded_again_while_the_store_is_frozen(self):
        views = "/v1/analytics/namespaces/sales/views"
        version = {"version-id": 1, "timestamp-ms": 1, "schema-id": 0, "summary": {}, "default-namespace": ["sales"],
                   "representations": [{"type": "sql", "sql": "SELECT 1", "dialect": "spark"}]}
        status, made = self.desk.call("POST", views, self.token, {"name": "hot_view", "schema": h.SIMPLE_SCHEMA, "view-version": version,
                                                                 "properties": {}})
        self.assertEqual(status, 200, made)

        def loads():
            return [self.desk.call("GET", views + "/hot_view", self.token) for _ in range(16)]
        before = loads()
        with self.frozen():
            after = loads()
        self.assertEqual(after, before)
        self.assertEqual(after[0], (200, made))

    def test_a_load_says_what_the_last_commit_left(self):
        self.create("moving")
        for value in range(5):
            self.assertEqual(self.commit("moving", {"action": "set-properties", "updates": {"v": str(value)}})[0], 200)
            for query in ("", "?snapshots=refs"):
                self.assertEqual([self.load("moving", query=query)[1]["metadata"]["properties"]["v"] for _ in range(4)], [str(value)] * 4)

    def test_only_snapshots_that_a_ref_names_are_told_to_who_asks_for_those(self):
        self.create("refs")
        location = self.load("refs")[1]["metadata"]["location"]
        self.commit("refs", *e2e_catalog.append(1, location))
        self.commit("refs", *e2e_catalog.append(2, location, 1, 2))
        for query, want in (("", [1, 2]), ("?snapshots=refs", [2]), ("?snapshots=all", [1, 2]), ("?snapshots=refs", [2])):
            found = self.load("refs", query=query)[1]["metadata"]["snapshots"]
            self.assertEqual([s["snapshot-id"] for s in found], want, query)

    def test_a_right_that_is_taken_away_ends_what_was_answered_before(self):
        self.create("guarded")
        self.folder.write("reader.yaml", h.principal("reader"), h.role("reader", principals=[{"kind": "Principal", "name": "reader"}]))
        token = self.folder.token(self.desk, "reader")
        self.assertEqual(self.load("guarded", token)[0], 200)
        self.folder.write("reader.yaml", h.principal("reader"),
                          h.role("reader", principals=[{"kind": "Principal", "name": "reader"}], privileges=["NAMESPACE_LIST"]))
        h.wait_for_loops("the refusal", lambda: self.load("guarded", token)[0] == 403)

    def test_every_load_that_is_answered_from_memory_is_on_record(self):
        self.create("recorded")
        client = self.load("recorded", X_Iceberg_Access_Delegation="vended-credentials")[1]
        key = client["storage-credentials"][0]["config"]["s3.access-key-id"]
        for _ in range(10):
            self.assertEqual(self.load("recorded", X_Iceberg_Access_Delegation="vended-credentials")[0], 200)

        def records():
            found = [r for r in self.desk.audit() if (r["operation"], r.get("table")) == ("load-table", "recorded")]
            return found if len(found) > 10 else None
        self.assertEqual([(r["namespace"], r["catalog"], r["accessKeyId"]) for r in h.wait_for("the records", records)],
                         [("sales", "analytics", key)] * 11)

    def test_a_file_that_another_wrote_is_passed_on_as_it_lies(self):
        text = json.dumps(self.foreign("odd", **{"zz-future": {"b": [1.50, 1e3, 9223372036854775807], "a": None}}), indent=3)
        text = text.replace("1000.0", "1.0E+3").replace("1.5,", "1.50,")
        self.assertIn("1.0E+3", text)
        status, body = self.put("odd", text)
        self.assertEqual(status, 200, body)
        for _ in range(4):
            self.assertIn(text.encode(), self.raw("odd"))

    def test_a_file_of_before_there_were_refs_is_passed_on_with_them(self):
        metadata = self.foreign("old")
        del metadata["refs"]
        self.assertEqual(self.put("old", json.dumps(metadata))[0], 200)
        for _ in range(4):
            self.assertEqual(json.loads(self.raw("old"))["metadata"]["refs"], {})

    def huge(self, name):
        """A table of more than fifty megabytes of metadata."""
        log = [{"metadata-file": f"s3://warehouse/lake/sales/{name}/metadata/{n:05}-{'x' * 500}.metadata.json", "timestamp-ms": n}
               for n in range(90000)]
        text = json.dumps(self.foreign(name, **{"metadata-log": log, "properties": {"write.metadata.previous-versions-max": "90001"}}))
        self.assertGreater(len(text), 50_000_000)
        self.assertEqual(self.put(name, text)[0], 200)

    def test_a_commit_whose_file_nobody_could_read_is_refused(self):
        self.huge("full")
        before = self.keys("lake/sales/full/")
        status, body = self.commit("full", {"action": "set-properties", "updates": {f"p{n}": "x" * 14000 for n in range(999)}})
        self.assertEqual((status, body["error"]["type"]), (400, "BadRequestException"))
        self.assertRegex(body["error"]["message"], "^metadata of [0-9]+ bytes, at most 67108864$")
        self.assertEqual(self.keys("lake/sales/full/"), before)

    def test_a_large_table_is_changed_like_any_other(self):
        """Work on it is done elsewhere than on the loop."""
        for name in ("large", "beside"):
            self.create(name)
        for _ in range(2):
            status, body = self.commit("large", {"action": "set-properties", "updates": {f"p{n}": "x" * 10000 for n in range(40)}})
            self.assertEqual((status, body["metadata"]["properties"].get("p39")), (200, "x" * 10000))
        for update, requirement, want in (
                ({"action": "set-location", "location": "s3://warehouse/elsewhere"}, {"type": "assert-default-spec-id", "default-spec-id": 0}, 403),
                ({"action": "set-current-schema", "schema-id": 7}, {"type": "assert-default-spec-id", "default-spec-id": 0}, 400),
                ({"action": "set-properties", "updates": {"p0": "y"}}, {"type": "assert-default-spec-id", "default-spec-id": 1}, 409)):
            status, body = self.commit("large", update, requirements=[requirement])
            self.assertEqual(status, want, body)
        self.assertEqual(body["error"]["type"], "CommitFailedException")
        changes = [{"identifier": {"namespace": ["sales"], "name": name}, "requirements": [],
                    "updates": [{"action": "set-properties", "updates": {"p0": "z"}}]} for name in ("large", "beside")]
        self.assertEqual(self.desk.call("POST", "/v1/analytics/transactions/commit", self.token, {"table-changes": changes})[0], 204)
        _, body = self.load("large")
        self.assertEqual(body["metadata"]["properties"]["p0"], "z")
        self.assertEqual(self.desk.call("DELETE", f"{TABLES}/large", self.token)[0], 204)
        status, again = self.desk.call("POST", REGISTER, self.token, {"name": "large", "metadata-location": body["metadata-location"]})
        self.assertEqual((status, again["metadata"]), (200, body["metadata"]))

    def test_others_are_served_while_a_file_of_fifty_megabytes_is_read(self):
        self.create("small")
        self.huge("huge")
        loaded, served = [], 0
        threads = [threading.Thread(target=lambda: loaded.append(len(self.raw("huge")))) for _ in range(2)]
        for t in threads:
            t.start()
        while any(t.is_alive() for t in threads):
            self.assertEqual(self.load("small")[0], 200)
            served += 1
        for t in threads:
            t.join()
        self.assertEqual(len([n for n in loaded if n > 50_000_000]), 2)
        self.assertGreater(served, 20)


class Old(e2e_catalog.Catalog):
    """Which metadata files stay in the bucket, and where they are written."""
    KEEP_TWO = {"write.metadata.previous-versions-max": "2", "write.metadata.delete-after-commit.enabled": "true"}

    def set(self, name, **properties):
        status, body = self.commit(name, {"action": "set-properties", "updates": properties})
        self.assertEqual(status, 200, body)
        return body

    def files(self, name):
        return ["s3://warehouse/" + k for k in self.keys(f"lake/sales/{name}/") if k.endswith(".metadata.json")]

    def named(self, body):
        return sorted([e["metadata-file"] for e in body["metadata"]["metadata-log"]] + [body["metadata-location"]])

    def made(self, name, **properties):
        status, body = self.create(name, location=f"s3://warehouse/lake/sales/{name}", properties=properties)
        self.assertEqual(status, 200, body)
        return body["metadata"]

    def test_files_that_fall_off_the_log_are_removed_where_the_table_wants_it(self):
        self.made("tidy", **self.KEEP_TWO)
        for n in range(5):
            body = self.set("tidy", n=str(n))
            self.assertEqual(self.files("tidy"), self.named(body))
        self.assertEqual(len(self.files("tidy")), 3)

    def test_files_that_fall_off_the_log_stay_where_nothing_is_said(self):
        self.made("kept", **{"write.metadata.previous-versions-max": "2"})
        for n in range(5):
            body = self.set("kept", n=str(n))
        self.assertEqual(len(body["metadata"]["metadata-log"]), 2)
        self.assertEqual(len(self.files("kept")), 6)

    def test_a_log_that_is_cut_at_once_takes_all_its_files_with_it(self):
        self.made("cut")
        for n in range(5):
            self.set("cut", n=str(n))
        self.assertEqual(len(self.files("cut")), 6)
        body = self.set("cut", **{**self.KEEP_TWO, "write.metadata.previous-versions-max": "1"})
        self.assertEqual(len(self.files("cut")), 2)
        self.assertEqual(self.files("cut"), self.named(body))

    def test_packed_files_in_a_folder_of_their_own_are_removed_as_well(self):
        folder = "s3://warehouse/lake/sales/packed/elsewhere"
        self.made("packed", **self.KEEP_TWO, **{"write.metadata.path": folder, "write.metadata.compression-codec": "gzip"})
        for n in range(4):
            body = self.set("packed", n=str(n))
        self.assertTrue(all(f.startswith(folder + "/000") and f.endswith(".gz.metadata.json") for f in self.files("packed")))
        self.assertEqual(self.files("packed"), self.named(body))

    def test_several_tables_that_change_together_are_tidied_each(self):
        for name in ("one", "two"):
            self.made(name, **self.KEEP_TWO)
        for n in range(4):
            changes = [{"identifier": {"namespace": ["sales"], "name": name}, "requirements": [],
                        "updates": [{"action": "set-properties", "updates": {"n": str(n)}}]} for name in ("one", "two")]
            self.assertEqual(self.desk.call("POST", "/v1/analytics/transactions/commit", self.token, {"table-changes": changes})[0], 204)
        for name in ("one", "two"):
            _, body = self.desk.call("GET", f"{TABLES}/{name}", self.token)
            self.assertEqual(self.files(name), self.named(body))
            self.assertEqual(len(self.files(name)), 3)

    def test_nothing_is_removed_that_a_foreign_log_names_outside_of_the_table_or_that_is_no_metadata(self):
        neighbour = self.made("neighbour")
        self.assertEqual(len(self.files("neighbour")), 1)
        data = "lake/sales/loot/data/rows.parquet"
        outside = "lake/sales/loot2/00000-a.metadata.json"
        for key in (data, outside):
            self.rgw.s3.put_object(Bucket="warehouse", Key=key, Body=b"precious")
        log = [*self.files("neighbour"), "s3://warehouse/" + data, "s3://warehouse/" + outside,
               "s3://warehouse/lake/sales/loot/../neighbour/metadata/" + self.files("neighbour")[0].rsplit("/", 1)[1],
               "s3://elsewhere/lake/sales/loot/a.metadata.json", "file:///etc/passwd.metadata.json", "", "nonsense"]
        metadata = {**neighbour, "location": "s3://warehouse/lake/sales/loot", "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c2",
                    "properties": {**self.KEEP_TWO, "write.metadata.previous-versions-max": "1"},
                    "metadata-log": [{"metadata-file": f, "timestamp-ms": n} for n, f in enumerate(log)]}
        file = "lake/sales/loot/metadata/00007-loot.metadata.json"
        self.rgw.s3.put_object(Bucket="warehouse", Key=file, Body=json.dumps(metadata))
        status, body = self.desk.call("POST", REGISTER, self.token, {"name": "loot", "metadata-location": "s3://warehouse/" + file})
        self.assertEqual(status, 200, body)
        body = self.set("loot", n="1")
        self.assertEqual(len(body["metadata"]["metadata-log"]), 1)
        self.assertEqual(len(self.files("neighbour")), 1)
        for key in (data, outside):
            self.assertEqual(self.rgw.s3.get_object(Bucket="warehouse", Key=key)["Body"].read(), b"precious")

    def test_a_commit_that_failed_or_whose_outcome_was_looked_up_removes_nothing(self):
        self.made("failing", **{**self.KEEP_TWO, "write.metadata.previous-versions-max": "1"})
        body = self.set("failing", n="0")
        db = sqlite3.connect(os.path.join(self.base, "catalog.db"))
        db.execute("CREATE TRIGGER failing AFTER UPDATE ON tables BEGIN SELECT abs(-9223372036854775808); END")
        db.commit()
        try:
            self.assertEqual(self.commit("failing", {"action": "set-properties", "updates": {"n": "1"}})[0], 503)
        finally:
            db.execute("DROP TRIGGER failing")
            db.commit()
            db.close()
        self.assertEqual(self.commit("failing", {"action": "set-location", "location": "s3://elsewhere/x"})[0], 403)
        self.assertEqual(self.files("failing"), self.named(body))

    def test_a_table_whose_old_file_is_gone_already_is_committed_to(self):
        self.made("gone", **{**self.KEEP_TWO, "write.metadata.previous-versions-max": "1"})
        self.set("gone", n="0")
        self.rgw.s3.delete_object(Bucket="warehouse", Key=self.files("gone")[0][len("s3://warehouse/"):])
        body = self.set("gone", n="1")
        self.assertEqual(self.files("gone"), self.named(body))

    def test_words_that_say_nothing_of_how_files_are_written_are_refused(self):
        self.made("words")
        for name, value in (("write.metadata.previous-versions-max", "few"), ("write.metadata.delete-after-commit.enabled", "maybe"),
                            ("write.metadata.compression-codec", "rar")):
            status, body = self.commit("words", {"action": "set-properties", "updates": {name: value}})
            self.assertEqual((status, body["error"]["type"]), (400, "BadRequestException"))
            self.assertIn(name, body["error"]["message"])
            self.assertEqual(self.create("worse", properties={name: value})[0], 400)
        self.assertEqual(len(self.files("words")), 1)
