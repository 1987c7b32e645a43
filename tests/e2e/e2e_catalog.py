"""The catalog's promises at a real store: what lies where after creates and commits, granted or refused."""
import gzip
import http.client
import json
import os
import sqlite3
import threading

import e2e_folder
import harness as h

TABLES = "/v1/analytics/namespaces/sales/tables"


def append(snapshot, location, parent=None, sequence=1):
    """What an engine sends to add a snapshot and make it main; nobody reads the manifest list here."""
    added = {"snapshot-id": snapshot, "sequence-number": sequence, "timestamp-ms": 1700000000000 + sequence,
             "manifest-list": f"{location}/metadata/snap-{snapshot}.avro", "summary": {"operation": "append"},
             "schema-id": 0}
    if parent:
        added["parent-snapshot-id"] = parent
    return [{"action": "add-snapshot", "snapshot": added},
            {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": snapshot}]


class Catalog(e2e_folder.Desk):
    def keys(self, prefix):
        found = self.rgw.s3.list_objects_v2(Bucket="warehouse", Prefix=prefix)
        return sorted(o["Key"] for o in found.get("Contents", []))

    def commit(self, name, *updates, requirements=()):
        return self.desk.call("POST", f"{TABLES}/{name}", self.token,
                              {"requirements": list(requirements), "updates": list(updates)})

    def older(self, *names):
        """As an older program left the rows, which knew no bytes; ends the one that runs."""
        self.desk.kill()
        with sqlite3.connect(os.path.join(self.base, "catalog.db")) as db:
            for name in names:
                db.execute("UPDATE tables SET metadata_sha256 = '' WHERE name = ?", (name,))


class Places(Catalog):
    """What a refused request leaves behind: nothing."""


    def test_a_create_in_anothers_place_writes_nothing_there(self):
        location = "s3://warehouse/lake/sales/neighbour"
        self.assertEqual(self.create("neighbour", location=location)[0], 200)
        self.rgw.s3.put_bucket_versioning(Bucket="warehouse", VersioningConfiguration={"Status": "Enabled"})
        try:
            for place in (location, location + "/metadata", location + "/inside"):
                with self.subTest(place):
                    before = self.keys("lake/sales/neighbour/")
                    self.assertEqual(self.create("intruder", location=place)[0], 403)
                    self.assertEqual(self.create("neighbour", location=place)[0], 409)
                    self.assertEqual(self.keys("lake/sales/neighbour/"), before)
            versions = self.rgw.s3.list_object_versions(Bucket="warehouse", Prefix="lake/sales/neighbour/")
            self.assertEqual(versions.get("DeleteMarkers", []), [])
        finally:
            self.rgw.s3.put_bucket_versioning(Bucket="warehouse", VersioningConfiguration={"Status": "Suspended"})

    def test_a_commit_into_anothers_place_writes_nothing_there(self):
        location = "s3://warehouse/lake/sales/target"
        self.assertEqual(self.create("target", location=location)[0], 200)
        self.assertEqual(self.create("mover", location="s3://warehouse/lake/sales/mover")[0], 200)
        self.rgw.s3.put_bucket_versioning(Bucket="warehouse", VersioningConfiguration={"Status": "Enabled"})
        try:
            before = self.keys("lake/sales/target/")
            for update in ({"action": "set-location", "location": location},
                           {"action": "set-properties", "updates": {"write.metadata.path": location + "/x"}},
                           {"action": "set-properties", "updates": {"write.data.path": location + "/x"}}):
                with self.subTest(update):
                    self.assertEqual(self.commit("mover", update)[0], 403)
                    self.assertEqual(self.keys("lake/sales/target/"), before)
            versions = self.rgw.s3.list_object_versions(Bucket="warehouse", Prefix="lake/sales/target/")
            self.assertEqual(versions.get("DeleteMarkers", []), [])
            self.assertEqual(len(self.keys("lake/sales/mover/")), 1)
        finally:
            self.rgw.s3.put_bucket_versioning(Bucket="warehouse", VersioningConfiguration={"Status": "Suspended"})

    def staged(self, name, location, token=None):
        status, body = self.create(name, token, **{"location": location, "stage-create": True})
        self.assertEqual(status, 200, body)
        return body["metadata"]

    def take_up(self, name, metadata, token=None, location=None, updates=()):
        """The first commit of a staged table, as Java and PyIceberg send it."""
        return self.desk.call("POST", f"{TABLES}/{name}", token or self.token, {
            "requirements": [{"type": "assert-create"}],
            "updates": [{"action": "assign-uuid", "uuid": metadata["table-uuid"]},
                        {"action": "upgrade-format-version", "format-version": 2},
                        {"action": "add-schema", "schema": metadata["schemas"][0]},
                        {"action": "set-current-schema", "schema-id": -1},
                        {"action": "add-spec", "spec": metadata["partition-specs"][0]},
                        {"action": "set-default-spec", "spec-id": -1},
                        {"action": "add-sort-order", "sort-order": metadata["sort-orders"][0]},
                        {"action": "set-default-sort-order", "sort-order-id": -1},
                        {"action": "set-location", "location": location or metadata["location"]}, *updates]})

    def test_a_staged_table_is_made_where_it_was_promised_and_nowhere_else(self):
        metadata = self.staged("promised", "s3://warehouse/lake/promised/here")
        self.assertEqual(self.take_up("promised", metadata, location="s3://warehouse/lake/promised/there")[0], 403)
        self.assertEqual(self.keys("lake/promised/"), [])
        status, body = self.take_up("promised", metadata)
        self.assertEqual(status, 200, body)
        self.assertEqual(body["metadata"]["table-uuid"], metadata["table-uuid"])
        # Its answer was lost and it comes again; then somebody else's comes.
        status, again = self.take_up("promised", metadata)
        self.assertEqual((status, again), (200, body))
        other = {**metadata, "table-uuid": "00000000-0000-4000-8000-000000000000"}
        self.assertEqual(self.take_up("promised", other)[0], 409)
        self.assertEqual(self.commit("promised", {"action": "set-properties", "updates": {"owner": "me"}})[0], 200)
        self.assertEqual(self.take_up("promised", metadata)[0], 200)
        changed = {"action": "set-properties", "updates": {"owner": "you"}}
        status, body = self.take_up("promised", metadata, updates=[changed])
        self.assertEqual((status, body["error"]["type"]), (500, "CommitStateUnknownException"))
        self.assertEqual(len(self.keys("lake/promised/")), 2)

    def test_a_place_for_which_keys_live_is_nobody_elses_whatever_becomes_of_the_name(self):
        first = "s3://warehouse/lake/keys/first"
        status, body = self.create("twice", location=first, **{"stage-create": True})
        self.assertEqual(status, 200, body)
        key = self.rgw.with_key(body["storage-credentials"][0]["config"])
        self.staged("twice", "s3://warehouse/lake/keys/second")
        self.assertEqual(self.create("twice", location="s3://warehouse/lake/keys/third")[0], 200)
        key.put_object(Bucket="warehouse", Key="lake/keys/first/data.parquet", Body=b"x")
        self.assertEqual(self.create("heir", location=first)[0], 403)
        self.assertEqual(self.create("heir", location=first, **{"stage-create": True})[0], 403)

    def test_of_creates_that_race_for_a_name_only_the_winner_leaves_a_file(self):
        answers = []

        def one(i):
            answers.append((self.create("raced", location=f"s3://warehouse/lake/race/{i}"), i))
        racers = [threading.Thread(target=one, args=(i,)) for i in range(8)]
        for r in racers:
            r.start()
        for r in racers:
            r.join(60)
        won = [i for (status, _), i in answers if status == 200]
        self.assertEqual(sorted(status for (status, _), _ in answers), [200] + [409] * 7)
        left = h.wait_for("the losers are tidied", lambda: [self.keys("lake/race/")]
                          if len(self.keys("lake/race/")) == 1 else None, 10)[0]
        self.assertTrue(left[0].startswith(f"lake/race/{won[0]}/metadata/00000-"), left)

    def test_of_creates_that_race_for_a_place_only_the_winner_leaves_a_file(self):
        answers = []

        def one(i):
            answers.append(self.create(f"placed{i}", location="s3://warehouse/lake/onespot")[0])
        racers = [threading.Thread(target=one, args=(i,)) for i in range(8)]
        for r in racers:
            r.start()
        for r in racers:
            r.join(60)
        self.assertEqual(sorted(answers), [200] + [403] * 7)
        h.wait_for("the losers are tidied", lambda: len(self.keys("lake/onespot/")) == 1, 10)

    def test_a_create_in_a_namespace_that_is_not_there_writes_nothing(self):
        status, body = self.desk.call("POST", "/v1/analytics/namespaces/nowhere/tables", self.token,
                                      {"name": "t", "schema": h.SIMPLE_SCHEMA, "location": "s3://warehouse/lake/none/t"})
        self.assertEqual((status, body["error"]["type"]), (404, "NoSuchNamespaceException"))
        self.assertEqual(self.keys("lake/none/"), [])


class Commits(Catalog):
    def test_a_commit_that_comes_again_is_answered_as_the_first_and_writes_nothing(self):
        location = "s3://warehouse/lake/again"
        self.create("again", location=location)
        requirements = [{"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": None}]
        status, first = self.commit("again", *append(11, location), requirements=requirements)
        self.assertEqual(status, 200, first)
        status, second = self.commit("again", *append(11, location), requirements=requirements)
        self.assertEqual((status, second["metadata-location"]), (200, first["metadata-location"]))
        self.assertEqual(len(self.keys("lake/again/")), 2)
        # The same files with something that is not in force: neither done nor failed.
        status, body = self.commit("again", *append(11, location), {"action": "set-properties", "updates": {"k": "v"}},
                                   requirements=requirements)
        self.assertEqual((status, body["error"]["type"]), (500, "CommitStateUnknownException"))
        # Another one that was overtaken: its files are nobody's.
        status, body = self.commit("again", *append(12, location, sequence=2), requirements=requirements)
        self.assertEqual((status, body["error"]["type"]), (409, "CommitFailedException"))

    def test_a_table_that_moves_keeps_the_place_where_its_files_are(self):
        old, new = "s3://warehouse/lake/moves/old", "s3://warehouse/lake/moves/new"
        self.create("moves", location=old)
        self.assertEqual(self.commit("moves", *append(21, old))[0], 200)
        self.rgw.s3.put_object(Bucket="warehouse", Key="lake/moves/old/data/f.parquet", Body=b"rows")
        status, body = self.commit("moves", {"action": "set-location", "location": new})
        self.assertEqual(status, 200, body)
        self.assertEqual(body["metadata"]["location"], new)
        self.assertTrue(body["metadata-location"].startswith(new + "/metadata/00002-"), body["metadata-location"])
        status, body = self.commit("moves", *append(22, new, parent=21, sequence=2))
        self.assertEqual(status, 200, body)
        status, body = self.desk.call("GET", f"{TABLES}/moves/credentials", self.token)
        self.assertEqual(status, 200, body)
        key = self.rgw.with_key(body["storage-credentials"][0]["config"])
        self.assertEqual(h.status_of(key.get_object, Bucket="warehouse", Key="lake/moves/old/data/f.parquet"), 200)
        self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key="lake/moves/new/data/g.parquet", Body=b"x"), 200)
        self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key="lake/moves/other", Body=b"x"), 403)
        self.assertEqual(self.create("squatter", location=old)[0], 403)

    def test_a_table_without_data_leaves_its_old_place_and_nobody_is_put_there_while_keys_for_it_may_live(self):
        old, new = "s3://warehouse/lake/light/old", "s3://warehouse/lake/light/new"
        _, made = self.create("light", location=old)
        self.assertEqual(self.commit("light", {"action": "set-location", "location": new})[0], 200)
        _, body = self.desk.call("GET", f"{TABLES}/light/credentials", self.token)
        for answer, place in ((made, "lake/light/old/f"), (body, "lake/light/new/f")):
            key = self.rgw.with_key(answer["storage-credentials"][0]["config"])
            self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key=place, Body=b"x"), 200)
        self.assertEqual(h.status_of(key.put_object, Bucket="warehouse", Key="lake/light/old/g", Body=b"x"), 403)
        for staged in (True, False):
            self.assertEqual(self.create("next", location=old, **{"stage-create": staged})[0], 403)
        self.assertEqual(self.commit("light", {"action": "set-location", "location": old})[0], 200)
        self.assertEqual(self.create("next", location=new)[0], 403)

    def test_a_column_changes_its_type_only_as_the_format_allows(self):
        location = "s3://warehouse/lake/types"
        self.create("types", location=location)
        self.assertEqual(self.commit("types", *append(31, location))[0], 200)
        narrower = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "int", "required": False}]}
        status, body = self.commit("types", {"action": "add-schema", "schema": narrower},
                                   {"action": "set-current-schema", "schema-id": -1})
        self.assertEqual((status, body["error"]["message"]), (400, "Cannot change column type: id: long -> int"))


class BrokenStore(Catalog):
    """The catalog's database fails in the middle of a write, for a reason that is none of those we know."""

    def test_a_swap_that_broke_is_looked_up_and_answered_for_sure(self):
        location = "s3://warehouse/lake/broken"
        self.create("broken", location=location)
        before = self.keys("lake/broken/")
        db = sqlite3.connect(os.path.join(self.base, "catalog.db"))
        db.execute("CREATE TRIGGER broken AFTER UPDATE ON tables BEGIN SELECT abs(-9223372036854775808); END")
        db.commit()
        try:
            status, body = self.commit("broken", {"action": "set-properties", "updates": {"k": "v"}})
            self.assertEqual((status, body["error"]["message"]), (503, "the commit was not applied; try again"))
            self.assertEqual(self.keys("lake/broken/"), before)
        finally:
            db.execute("DROP TRIGGER broken")
            db.commit()
            db.close()
        self.assertEqual(self.commit("broken", {"action": "set-properties", "updates": {"k": "v"}})[0], 200)


class Killed(Catalog):
    """Four committers on one table, and the program killed in their midst."""
    LOCATION, ENOUGH = "s3://warehouse/lake/killed", 40

    def snapshots(self):
        status, body = self.desk.call("GET", f"{TABLES}/killed", self.token)
        self.assertEqual(status, 200, body)
        return {s["snapshot-id"]: s for s in body["metadata"]["snapshots"]}, body["metadata"]

    def append_for_ever(self, worker, acknowledged, enough):
        """As an engine does: load, build on what is there, commit, and again when somebody was first."""
        number = 0
        try:
            while True:
                _, metadata = self.snapshots()
                number += 1
                snapshot = worker * 100000 + number
                current = metadata["current-snapshot-id"]
                parent = current if current not in (None, -1) else None
                updates = append(snapshot, self.LOCATION, parent, metadata["last-sequence-number"] + 1)
                status, _ = self.commit("killed", *updates, requirements=[
                    {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": parent}])
                if status == 200:
                    acknowledged.append(snapshot)
                if len(acknowledged) >= self.ENOUGH:
                    enough.set()
        except (OSError, http.client.HTTPException, AssertionError):
            pass  # The program is gone.

    def test_no_acknowledged_commit_is_lost_by_a_kill_among_committers(self):
        self.assertEqual(self.create("killed", location=self.LOCATION)[0], 200)
        acknowledged, enough = [], threading.Event()
        workers = [threading.Thread(target=self.append_for_ever, args=(i + 1, acknowledged, enough)) for i in range(4)]
        for w in workers:
            w.start()
        self.assertTrue(enough.wait(60))
        self.desk.kill()
        for w in workers:
            w.join(60)
        self.desk.start()
        self.wait_for_store()
        there, metadata = self.snapshots()
        self.assertEqual([s for s in acknowledged if s not in there], [])
        # One line of descent, numbered without a gap: nobody built on what another had replaced.
        line, at = [], metadata["current-snapshot-id"]
        while at is not None:
            line.append(at)
            at = there[at].get("parent-snapshot-id")
        self.assertEqual(sorted(line), sorted(there))
        self.assertEqual([there[s]["sequence-number"] for s in reversed(line)], list(range(1, len(line) + 1)))
        self.assertEqual(self.commit("killed", {"action": "set-properties", "updates": {"k": "v"}})[0], 200)


class MetadataFiles(Catalog):
    """What lies in the bucket: packed, missing, and whatever a tenant can put there."""

    def restarted(self):
        """Nothing is remembered: the next load reads the file."""
        self.desk.kill()
        self.desk.start()
        self.wait_for_store()

    def load(self, name):
        return self.desk.call("GET", f"{TABLES}/{name}", self.token)

    def test_a_table_may_ask_for_compressed_metadata_and_is_read_again(self):
        packed = {"write.metadata.compression-codec": "gzip"}
        status, body = self.create("packed", location="s3://warehouse/lake/packed", properties=packed)
        self.assertEqual(status, 200, body)
        status, body = self.commit("packed", {"action": "set-properties", "updates": {"k": "v"}})
        self.assertEqual(status, 200, body)
        key = body["metadata-location"].removeprefix("s3://warehouse/")
        self.assertRegex(key, r"/00001-[0-9a-f-]{36}\.gz\.metadata\.json$")
        stored = self.rgw.s3.get_object(Bucket="warehouse", Key=key)["Body"].read()
        self.assertEqual(json.loads(gzip.decompress(stored)), body["metadata"])
        self.restarted()
        self.assertEqual(self.load("packed")[1]["metadata"], body["metadata"])

    def test_what_another_packed_is_read_whatever_its_name_and_a_bomb_costs_only_its_table(self):
        for name in ("foreign", "trap"):
            status, body = self.create(name, location=f"s3://warehouse/lake/{name}")
            self.assertEqual(status, 200, body)
            if name == "foreign":
                want = body["metadata"]
        (foreign,), (trap,) = self.keys("lake/foreign/"), self.keys("lake/trap/")
        plain = self.rgw.s3.get_object(Bucket="warehouse", Key=foreign)["Body"].read()
        self.rgw.s3.put_object(Bucket="warehouse", Key=foreign, Body=gzip.compress(plain))
        bomb = gzip.compress(b" " * (1 << 20)) * 200
        self.assertLess(len(bomb), 1 << 19)
        self.rgw.s3.put_object(Bucket="warehouse", Key=trap, Body=bomb)
        self.older("foreign", "trap")
        self.restarted()
        self.assertEqual(self.load("foreign")[1]["metadata"], want)
        status, body = self.load("trap")
        self.assertEqual(status, 500, body)
        self.assertIn("gzip: more than 67108864 bytes when unpacked", body["error"]["message"])
        self.assertEqual(self.load("foreign")[0], 200)

    def together(self, name, *updates):
        change = {"identifier": {"namespace": ["sales"], "name": name}, "requirements": [], "updates": updates}
        return self.desk.call("POST", "/v1/analytics/transactions/commit", self.token, {"table-changes": [change]})

    def test_a_file_that_is_gone_is_404_and_one_that_is_nonsense_costs_only_its_table(self):
        self.create("whole", location="s3://warehouse/lake/whole")
        status, body = self.create("odd", location="s3://warehouse/lake/odd")
        self.assertEqual(status, 200, body)
        (key,) = self.keys("lake/odd/")
        change = {"action": "set-properties", "updates": {"k": "v"}}
        wrong = [b"", b"{", b"[]", b"\x1f\x8b", json.dumps({**body["metadata"], "properties": []}).encode(),
                 json.dumps({**body["metadata"], "refs": [1], "snapshots": {}}).encode(),
                 json.dumps({**body["metadata"], "format-version": 9}).encode(), b"[" * 100000]
        self.older("odd")
        self.restarted()
        for content in wrong:
            with self.subTest(content[:40]):
                self.rgw.s3.put_object(Bucket="warehouse", Key=key, Body=content)
                self.assertEqual(self.load("odd")[0], 500)
                for status, refused in (self.commit("odd", change), self.together("odd", change)):
                    self.assertEqual((status, refused["error"]["type"]), (409, "CommitFailedException"))
                self.assertEqual(self.load("whole")[0], 200)
        self.rgw.s3.delete_object(Bucket="warehouse", Key=key)
        status, gone = self.load("odd")
        self.assertEqual((status, gone["error"]["type"]), (404, "NotFoundException"))
        self.rgw.s3.put_object(Bucket="warehouse", Key=key, Body=json.dumps(body["metadata"]).encode())
        self.assertEqual(self.commit("odd", change)[0], 200)
