"""DROP TABLE ... PURGE: what a table names is deleted and nothing else, whatever happens meanwhile."""
import math
import os
import threading
import time

import e2e_file_storage
import e2e_folder
import e2e_surface
import harness as h

LAKE = "s3://warehouse/lake/"
SNAPSHOT = 7
TABLES = e2e_surface.V1 + "/namespaces/sales/tables/"


def rows(*ids):
    import pyarrow as pa

    return pa.table({"id": pa.array(ids, pa.int64())})


def history(catalog, name, location):
    """A table with snapshots, deletes, a rewritten file, a branch that nobody reads and statistics of an engine."""
    import pyarrow as pa

    table = catalog.create_table(name, pa.schema([("id", pa.int64())]), location=location)
    for part in ((1, 2), (3, 4), (5,)):
        table.append(rows(*part))
    table.delete("id == 3")
    table.overwrite(rows(7, 8))
    table.manage_snapshots().create_branch(table.history()[0].snapshot_id, "old").commit()
    return catalog.load_table(name)


class Forged:
    """Manifests as a tenant may write them: any paths, in Iceberg's own format."""

    def __init__(self, table, put):
        self.table, self.put = table, put

    def manifest(self, name, paths, codec="deflate"):
        from pyiceberg.manifest import (DataFile, DataFileContent, FileFormat, ManifestEntry, ManifestEntryStatus,
                                        write_manifest)
        from pyiceberg.typedef import Record

        path = f"{self.table.location()}/metadata/{name}.avro"
        io = self.table.io
        with write_manifest(2, self.table.spec(), self.table.schema(), io.new_output(path), SNAPSHOT, codec) as writer:
            for p in paths:
                writer.add_entry(ManifestEntry.from_args(
                    status=ManifestEntryStatus.ADDED, snapshot_id=SNAPSHOT, sequence_number=None, file_sequence_number=None,
                    data_file=DataFile.from_args(
                        content=DataFileContent.DATA, file_path=p, file_format=FileFormat.PARQUET, partition=Record(),
                        record_count=1, file_size_in_bytes=1, column_sizes={}, value_counts={}, null_value_counts={},
                        nan_value_counts={}, lower_bounds={}, upper_bounds={}, key_metadata=None, split_offsets=None,
                        equality_ids=None, sort_order_id=None)))
        return writer.to_manifest_file()

    def snapshot(self, call, manifests):
        """Makes a snapshot of these manifests the table's."""
        from pyiceberg.manifest import write_manifest_list

        path = f"{self.table.location()}/metadata/snap-{SNAPSHOT}.avro"
        with write_manifest_list(2, self.table.io.new_output(path), SNAPSHOT, None, SNAPSHOT, "deflate") as writer:
            writer.add_manifests(manifests)
        status, body = call({"action": "add-snapshot", "snapshot": {
            "snapshot-id": SNAPSHOT, "sequence-number": SNAPSHOT, "timestamp-ms": int(time.time() * 1000),
            "manifest-list": path, "summary": {"operation": "append"}, "schema-id": 0}},
            {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": SNAPSHOT})
        assert status == 200, body
        return path


class Holding(e2e_folder.Proxy):
    """A way to the store on which deletions beyond a number wait until they are let go."""

    def __init__(self, port):
        self.left, self.reached, self.go = math.inf, threading.Event(), threading.Event()
        super().__init__(port)

    def hold_after(self, n):
        self.reached.clear()
        self.go.clear()
        self.left = n

    def let_go(self):
        self.left = math.inf
        self.go.set()

    def passes(self, data):
        if data.startswith(b"DELETE "):
            self.left -= 1
            if self.left < 0:
                self.reached.set()
                self.go.wait(60)


class Purge(e2e_surface.Surface):
    @classmethod
    def endpoint(cls):
        if not hasattr(cls, "way"):
            cls.way = Holding(int(cls.rgw.endpoint.rsplit(":", 1)[1]))
        return h.At(cls.rgw, cls.way.port)

    def objects(self, prefix=""):
        found, token = [], {}
        while True:
            page = self.rgw.s3.list_objects_v2(Bucket="warehouse", Prefix="lake/" + prefix, **token)
            found += [o["Key"] for o in page.get("Contents", [])]
            if not page.get("IsTruncated"):
                return sorted(found)
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def put(self, key, body=b"x"):
        self.rgw.s3.put_object(Bucket="warehouse", Key="lake/" + key, Body=body)
        return "lake/" + key

    def purge(self, name, token=None):
        return self.call("DELETE", f"/namespaces/sales/tables/{name}?purgeRequested=true", token=token)

    def ended(self, name, result="done"):
        def find():
            return [r for r in self.desk.audit() if r["operation"] == "purge-files" and r["table"] == name
                    and r["result"] == result]
        return h.wait_for(f"a record of the purge of {name}", find, 60)[-1]

    def table(self, name, **more):
        self.assertEqual(self.create(name, location=LAKE + name, **more)[0], 200)
        return self.desk.pyiceberg(self.client).load_table("sales." + name)

    def forged(self, table):
        return Forged(table, self.put)

    def test_all_files_of_a_table_are_deleted_and_no_others(self):
        catalog = self.desk.pyiceberg(self.client)
        table = history(catalog, "sales.whole", LAKE + "whole")
        neighbour = history(catalog, "sales.whole2", LAKE + "whole2")
        planted = [self.put("whole/data/nobody-names-me.parquet"), self.put("whole/metadata/notes.txt")]
        beside = self.objects("whole2/")
        self.assertGreater(len(self.objects("whole/")), 15)
        catalog.purge_table("sales.whole")
        self.assertFalse(catalog.table_exists("sales.whole"))
        record = self.ended("whole")
        self.assertEqual(self.objects("whole/"), planted)
        self.assertEqual(self.objects("whole2/"), beside)
        self.assertEqual(neighbour.refresh().scan().to_arrow().num_rows, 2)
        self.assertEqual((record["details"]["foreign"], record["details"]["attempt"]), (0, 1), record)
        dropped = self.last_record("drop-table", table="whole")
        self.assertEqual((record["requestId"], record["principal"], record["details"]["purge"]),
                         (dropped["requestId"], dropped["principal"], dropped["details"]["purge"]))
        self.assertEqual(table.metadata.table_uuid is not None, True)

    def test_delete_files_statistics_and_hard_names_go_too(self):
        table = self.table("kinds")
        names = ["d1.parquet", "p=a:b%2Fc/d 2.parquet", "p=1+1/é'\"&<.parquet", "a*b?.parquet", "%2e%2e/x.parquet"]
        keys = [self.put("kinds/data/" + n) for n in names]
        deletes = [self.put("kinds/data/eq.parquet"), self.put("kinds/data/dv.puffin")]
        f = self.forged(table)
        codecs = ("deflate", "null")
        manifests = [f.manifest(f"m-{c}", [f"s3://warehouse/{k}" for k in keys], codec=c) for c in codecs]
        manifests.append(f.manifest("m-del", [f"s3a://warehouse/{deletes[0]}", f"s3n://warehouse/{deletes[1]}",
                                              f"s3://warehouse/{deletes[1]}"]))
        f.snapshot(lambda *u: self.commit("kinds", *u), manifests)
        for kind in ("statistics", "partition-statistics"):
            path = "s3://warehouse/" + self.put(f"kinds/metadata/{kind}.puffin")
            blob = {"snapshot-id": SNAPSHOT, "statistics-path": path, "file-size-in-bytes": 1}
            if kind == "statistics":
                blob.update({"file-footer-size-in-bytes": 1, "blob-metadata": []})
            status, body = self.commit("kinds", {"action": "set-" + kind, "snapshot-id": SNAPSHOT, kind: blob})
            self.assertEqual(status, 200, body)
        self.assertEqual(self.purge("kinds")[0], 204)
        self.ended("kinds")
        self.assertEqual(self.objects("kinds/"), [])

    def test_a_path_of_somebody_elses_is_left_alone_and_counted(self):
        victim = self.table("victim")
        victim.append(rows(1, 2, 3))
        self.rgw.bucket("elsewhere")
        self.rgw.s3.put_object(Bucket="elsewhere", Key="lake/evil/data/f", Body=b"x")
        table = self.table("evil")
        before = self.objects("victim/")
        self.put("evil2/data/f")
        own = self.put("evil/data/own.parquet")
        foreign = [f"s3://warehouse/{k}" for k in before] + [
            "s3://elsewhere/lake/evil/data/f", "s3://warehouse/lake/evil2/data/f", "file:/etc/passwd",
            "s3://warehouse/lake/evil/../victim/data/x", "s3://warehouse/lake/evil/data/../../victim/x",
            "s3://warehouse/lake/evil", "s3://warehouse/lake/evil/", "/lake/evil/data/own.parquet", "s3://warehouse"]
        f = self.forged(table)
        mine = f.manifest("mine", foreign + [f"s3://warehouse/{own}"])
        # A manifest and a list of the victim, named by the attacker's list and metadata.
        theirs = victim.current_snapshot().manifests(victim.io)
        f.snapshot(lambda *u: self.commit("evil", *u), [mine, *theirs])
        self.assertEqual(self.purge("evil")[0], 204)
        record = self.ended("evil")
        self.assertEqual(record["details"]["foreign"], len(foreign) + len(theirs), record)
        self.assertEqual(self.objects("evil/"), [])
        self.assertEqual(self.objects("victim/"), before)
        self.assertEqual(self.objects("evil2/"), ["lake/evil2/data/f"])
        self.assertEqual(self.rgw.s3.list_objects_v2(Bucket="elsewhere")["KeyCount"], 1)
        self.assertEqual(victim.refresh().scan().to_arrow().num_rows, 3)

    def test_files_that_others_may_use_stay_where_gc_is_disabled(self):
        table = self.table("shared", properties={"gc.enabled": "false"})
        table.append(rows(1, 2))
        table.append(rows(3))
        data = [k for k in self.objects("shared/") if "/data/" in k]
        self.assertEqual(len(data), 2)
        self.assertEqual(self.purge("shared")[0], 204)
        self.ended("shared")
        self.assertEqual(self.objects("shared/"), data)

    def test_it_takes_the_right_to_delete_beside_the_one_to_drop(self):
        self.table("guarded")
        for name, right, lacks in (("onlydrop", "TABLE_DROP", "TABLE_DELETE_DATA"), ("onlydel", "TABLE_DELETE_DATA", "TABLE_DROP")):
            token = self.someone(name, {"privileges": [right, "TABLE_LIST"], "namespaces": ["sales"]})
            answer = self.purge("guarded", token)
            self.refused(answer, 403, "ForbiddenException")
            self.assertIn("lacks " + lacks, answer[1]["error"]["message"])
        self.assertEqual(self.call("HEAD", "/namespaces/sales/tables/guarded")[0], 204)
        self.refused(self.purge("nothing"), 404, "NoSuchTableException")
        both = self.someone("both", {"privileges": ["TABLE_DROP", "TABLE_DELETE_DATA"], "namespaces": ["sales"]})
        self.assertEqual(self.purge("guarded", both)[0], 204)
        self.ended("guarded")
        self.assertEqual(self.objects("guarded/"), [])

    def many(self, name, manifests, files):
        """A table of so many manifests with so many files each."""
        from concurrent.futures import ThreadPoolExecutor

        table = self.table(name)
        keys = [[f"{name}/data/{m}-{i}.parquet" for i in range(files)] for m in range(manifests)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self.put, [k for part in keys for k in part]))
        f = self.forged(table)
        f.snapshot(lambda *u: self.commit(name, *u),
                   [f.manifest(f"m{i}", [f"s3://warehouse/lake/{k}" for k in part]) for i, part in enumerate(keys)])
        return manifests * files

    def half_done(self, name):
        """A purge that has deleted some files, and asks the store for more."""
        n = self.many(name, 6, 80)
        self.way.hold_after(60)
        self.addCleanup(self.way.let_go)
        self.assertEqual(self.purge(name)[0], 204)
        self.assertTrue(self.way.reached.wait(60), self.desk.tail())
        h.wait_for("some files to be gone", lambda: len(self.objects(name + "/")) < n - 40)

    def test_a_purge_that_is_killed_goes_on_where_it_was(self):
        self.half_done("killed")
        beside = self.put("killed2/data/f")
        self.desk.kill()
        self.way.let_go()
        left = self.objects("killed/")
        self.assertTrue([k for k in left if k.endswith(".metadata.json")], left)
        self.restart()
        self.ended("killed")
        self.assertEqual(self.objects("killed/"), [])
        self.assertEqual(self.objects("killed2/"), [beside])

    def test_a_purge_stops_promptly_and_goes_on_after_a_restart(self):
        self.half_done("stopped")
        self.desk.process.terminate()
        self.way.let_go()
        self.assertEqual(self.desk.process.wait(60), 0, self.desk.tail())
        self.assertTrue(self.objects("stopped/"))
        self.restart()
        self.ended("stopped")
        self.assertEqual(self.objects("stopped/"), [])

    def restart(self):
        self.desk.start()
        self.wait_for_store()

    def test_what_cannot_be_read_stops_it_with_all_still_there_and_the_place_taken(self):
        table = self.table("spoilt")
        table.append(rows(1))
        table.append(rows(2))
        manifest = table.current_snapshot().manifests(table.io)[-1].manifest_path[len("s3://warehouse/lake/"):]
        good = self.rgw.s3.get_object(Bucket="warehouse", Key="lake/" + manifest)["Body"].read()
        self.put(manifest, good[:-20])
        named = [k for k in self.objects("spoilt/data/")]
        self.assertEqual(self.purge("spoilt")[0], 204)
        record = self.ended("spoilt", "unfinished")
        self.assertIn("avro: cut short or spoilt", record["reason"])
        self.assertIn(manifest, record["reason"])
        left = self.objects("spoilt/")
        self.assertIn("lake/" + manifest, left)
        self.assertTrue(set(left) & set(named))
        self.assertTrue([k for k in left if k.endswith(".metadata.json")])
        # The name is free, the place is nobody's: not even for a table of that name.
        for name in ("spoilt", "thief"):
            self.refused(self.create(name, location=LAKE + "spoilt"), 403, "ForbiddenException")
        status, body = self.create("spoilt")
        self.assertEqual(status, 200, body)
        self.put(manifest, good)
        # Its catalog goes, which is told, and comes again.
        self.folder.write("lakehouse.yaml", *[o for o in h.lakehouse(self.endpoint()) if o["kind"] != "PolarisCatalog"])
        h.wait_for("the reason", lambda: self.desk.said(error="there is no catalog"), 30)
        self.assertTrue(self.objects("spoilt/data/"))
        self.folder.write("lakehouse.yaml", *h.lakehouse(self.endpoint()))
        self.ended("spoilt")
        self.assertEqual(self.objects("spoilt/"), [])
        self.assertEqual(self.call("GET", "/namespaces/sales/tables/spoilt")[1]["metadata"], body["metadata"])
        # Keys that reach the place may live: it is its own name's for a while yet.
        self.refused(self.create("thief", location=LAKE + "spoilt"), 403, "ForbiddenException")

    def test_the_counters_tell_what_was_deleted(self):
        def counters():
            text = self.desk.get(self.desk.admin + "/metrics")[1].decode()
            return {line.split(" ")[0]: float(line.split(" ")[1]) for line in text.splitlines() if "_purge" in line and line[0] != "#"}

        table = self.table("counted")
        table.append(rows(1))
        n = len(self.objects("counted/"))
        before = counters()
        self.assertEqual(self.purge("counted")[0], 204)
        self.ended("counted")
        after = counters()
        name = 'frontdesk_purge_files_total{result="deleted"}'
        self.assertEqual(after[name] - before[name], n)
        name = 'frontdesk_purges_total{result="done"}'
        self.assertEqual(after[name] - before[name], 1)
        h.wait_for("none is pending", lambda: counters()["frontdesk_purges_pending"] == 0)


class PurgeInFolder(e2e_file_storage.Files):
    """storageType file."""

    def files(self, below):
        return sorted(os.path.join(root, f)[len(self.base) + 1:] for root, _, names in os.walk(os.path.join(self.base, "lake", below))
                      for f in names)

    def test_all_files_of_a_table_are_deleted_and_no_others(self):
        catalog = self.desk.pyiceberg(self.client)
        location = f"file:{self.base}/lake/t"
        history(catalog, "sales.t", location)
        history(catalog, "sales.t2", location + "2")
        planted = os.path.join(self.base, "lake", "t", "data", "nobody-names-me")
        with open(planted, "w") as f:
            f.write("x")
        beside = self.files("t2")
        catalog.purge_table("sales.t")
        h.wait_for("the purge", lambda: self.files("t") == ["lake/t/data/nobody-names-me"])
        self.assertEqual(self.files("t2"), beside)

    def test_a_link_is_not_followed_and_a_path_outside_is_left_alone(self):
        catalog = self.desk.pyiceberg(self.client)
        import pyarrow as pa

        table = catalog.create_table("sales.linked", pa.schema([("id", pa.int64())]), location=f"file:{self.base}/lake/linked")
        victim = os.path.join(self.base, "victim")
        os.makedirs(victim)
        for name in ("a", "b"):
            with open(os.path.join(victim, name), "w") as f:
                f.write("x")
        os.makedirs(os.path.join(self.base, "lake", "linked", "data"))
        f = Forged(table, None)
        manifest = f.manifest("m", [f"file:{self.base}/victim/b", f"file:{self.base}/lake/linked/data/../../../victim/b"])
        f.snapshot(lambda *u: self.desk.call("POST", TABLES + "linked", self.token, {"requirements": [], "updates": list(u)}),
                   [manifest])
        catalog.purge_table("sales.linked")
        h.wait_for("the purge", lambda: self.files("linked") == [])
        self.assertEqual(sorted(os.listdir(victim)), ["a", "b"])
