"""Metadata files: what is kept of them in memory, what a load passes on, and which of them go."""
import json
import os
import signal
import threading

import e2e_catalog
import harness as h

TABLES = e2e_catalog.TABLES
REGISTER = "/v1/analytics/namespaces/sales/register"


class Kept(e2e_catalog.Catalog):
    """What is in memory: the text of files, and the answers that hold it."""

    def load(self, name, token=None, query="", **headers):
        return self.desk.call("GET", f"{TABLES}/{name}{query}", token or self.token, **headers)

    def freeze(self, how):
        for pid in self.rgw["pids"].values():
            os.kill(pid, how)

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
        self.freeze(signal.SIGSTOP)
        try:
            after = answers()
        finally:
            self.freeze(signal.SIGCONT)
        self.assertEqual([status for status, _ in after], [200] * len(after))
        self.assertEqual([b["metadata"] for _, b in after], [b["metadata"] for _, b in before])
        for n, (_, body) in enumerate(after):
            self.assertEqual("storage-credentials" in body, n % 4 > 1)

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
        client = h.wait_for("a client's Secret", lambda: self.credentials("reader-credentials"))
        token = h.wait_for("a token", lambda: self.desk.token(client))

        def statuses(status):
            return all(self.load("guarded", token)[0] == status for _ in range(4))
        h.wait_for("the right", lambda: statuses(200))
        self.folder.write("reader.yaml", h.principal("reader"),
                          h.role("reader", principals=[{"kind": "Principal", "name": "reader"}], privileges=["NAMESPACE_LIST"]))
        h.wait_for("the refusal", lambda: statuses(403))

    def test_every_load_that_is_answered_from_memory_is_on_record(self):
        self.create("recorded")
        client = self.load("recorded", X_Iceberg_Access_Delegation="vended-credentials")[1]
        key = client["storage-credentials"][0]["config"]["s3.access-key-id"]
        h.wait_for("its record", lambda: any(r.get("accessKeyId") == key for r in self.desk.audit()))
        before = len(self.desk.audit())
        for _ in range(10):
            self.assertEqual(self.load("recorded", X_Iceberg_Access_Delegation="vended-credentials")[0], 200)
        h.wait_for("the records", lambda: len(self.desk.audit()) >= before + 10)
        records = self.desk.audit()[before:]
        self.assertEqual([(r["operation"], r["table"], r["namespace"], r["catalog"], r["accessKeyId"]) for r in records],
                         [("load-table", "recorded", "sales", "analytics", key)] * 10)

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

    def test_others_are_served_while_a_file_of_fifty_megabytes_is_read(self):
        self.create("small")
        log = [{"metadata-file": f"s3://warehouse/lake/sales/huge/metadata/{n:05}-{'x' * 500}.metadata.json", "timestamp-ms": n}
               for n in range(90000)]
        text = json.dumps(self.foreign("huge", **{"metadata-log": log}))
        self.assertGreater(len(text), 50_000_000)
        self.assertEqual(self.put("huge", text)[0], 200)
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
