"""What the tests of real engines share. Each engine runs a day of its own in a process that knows a client id and a
secret only; the claims are about what its statements gave, and about what the store itself says of them."""
import glob
import io
import json
import os
import re
import subprocess
import unittest

import harness as h
from e2e_folder import Desk

ACCESS = re.compile(r' - (\S+) \[[^]]*\] "([A-Z]+) /([^ ?"]+)[^"]*" (\d{3})')
# Steps that reach outside of a table.
REFUSED = ("crossing", "write outside")


def installed():
    """The folder of the engines' packages."""
    built = subprocess.run([os.path.join(h.TOP, "tests", "env", "build-engines")], stdout=subprocess.PIPE, text=True)
    if built.returncode == 3:
        raise unittest.SkipTest("no Java compiler or no Maven: the engines cannot be had")
    assert built.returncode == 0, "the engines could not be installed"
    return built.stdout.strip()


def key_of(location):
    """s3://bucket/some/key -> bucket/some/key"""
    return location.split("://", 1)[1]


class Engine(Desk):
    """A day is run once; it ends with the tables `own`, which PyIceberg wrote, and `crossing`, whose manifest names a
    file of the table `victim`: no catalog stands between the engine and that file, only its key."""
    # What runs the day: arguments after the engine's Python.
    script = None
    clean = {}

    @classmethod
    def setUpClass(cls):
        cls.packages = cls.installed()
        super().setUpClass()
        cls.stage()
        cls.seen = os.path.getsize(cls.store_log())
        cls.outcome = cls.day()

    @classmethod
    def installed(cls):
        return installed()

    @classmethod
    def stage(cls):
        import pyarrow
        import pyarrow.parquet

        rows = pyarrow.table({"id": [1, 2, 3]})
        ours = cls.desk.pyiceberg(cls.client)
        for name in ("own", "victim", "crossing"):
            ours.create_table(("sales", name), schema=rows.schema)
        ours.load_table("sales.own").append(rows)
        victim = ours.load_table("sales.victim")
        cls.victim = victim.location() + "/data/rows.parquet"
        file = io.BytesIO()
        pyarrow.parquet.write_table(rows, file)
        bucket, key = key_of(cls.victim).split("/", 1)
        cls.rgw.s3.put_object(Bucket=bucket, Key=key, Body=file.getvalue())
        victim.add_files([cls.victim])
        cls.owners_catalog().load_table("sales.crossing").add_files([cls.victim])

    @classmethod
    def owners_catalog(cls):
        """One who holds the bucket's own key and takes none from us."""
        from pyiceberg.catalog import load_catalog

        return load_catalog("analytics", **{
            "type": "rest", "uri": cls.desk.uri, "warehouse": "analytics", "scope": "PRINCIPAL_ROLE:ALL",
            "credential": cls.client["client-id"] + ":" + cls.client["client-secret"],
            "header.X-Iceberg-Access-Delegation": "", "s3.endpoint": cls.rgw.endpoint, "s3.region": "us-east-1",
            "s3.access-key-id": cls.rgw["user"]["access_key"], "s3.secret-access-key": cls.rgw["user"]["secret_key"]})

    @classmethod
    def command(cls):
        return [os.path.join(cls.packages, "bin", "python3"), os.path.join(h.TOP, "tests", "e2e", cls.script)]

    @classmethod
    def surroundings(cls):
        """What a person's environment may hold of other stores must not help."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        return {**clean, **cls.clean, "URI": cls.desk.uri, "SCOPE": "PRINCIPAL_ROLE:ALL", "STORE": cls.rgw.endpoint,
                "CREDENTIAL": cls.client["client-id"] + ":" + cls.client["client-secret"]}

    @classmethod
    def day(cls):
        done = subprocess.run(cls.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600,
                              env=cls.surroundings(), cwd=cls.base)
        outcome = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        assert done.returncode == 0 and outcome, done.stderr[-3000:]
        return outcome

    def gave(self, statement, which=0):
        return [rows for s, rows in self.outcome if s == statement][which]

    @classmethod
    def store_log(cls):
        return os.path.join(cls.rgw["dir"], "log", "client.rgw.log")

    def answered(self, location):
        """What the store answered since the day began to requests for that object: (whose key, method, status)."""
        def found():
            with open(self.store_log(), errors="replace") as log:
                log.seek(self.seen)
                return [(user, method, int(status)) for user, method, path, status in ACCESS.findall(log.read())
                        if path == key_of(location)]
        return h.wait_for("its log", found)

    def in_the_bucket(self, location):
        """The names of all objects below a location."""
        bucket, prefix = key_of(location).split("/", 1)
        pages = self.rgw.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + "/")
        return [f"s3://{bucket}/{o['Key']}" for page in pages for o in page.get("Contents", [])]

    def wait_until_purged(self, location, but="//"):
        """The server deletes by and by what was dropped with a purge; `but` is part of the names that stay."""
        def left():
            self.assertEqual([o for o in self.in_the_bucket(location) if but not in o[len("s3://"):]], [])
            return True
        h.wait_for("the files are gone", left)

    # ---- the claims about each engine ----

    def test_every_statement_of_its_day_succeeds(self):
        failed = [f"{s}\n    {rows}" for s, rows in self.outcome
                  if isinstance(rows, str) and rows.startswith("failed: ") and s not in REFUSED]
        self.assertFalse(failed, "\n".join(failed))

    def test_it_reads_what_another_engine_wrote(self):
        self.assertEqual(sorted(row[0] for row in self.gave("own")), [1, 2, 3])

    def test_its_key_is_refused_by_the_store_itself_outside_of_the_table(self):
        self.assertRegex(self.gave("crossing"), "^failed: ")
        answers = {(user, status) for user, _, status in self.answered(self.victim)}
        self.assertEqual(answers, {(self.rgw["user"]["uid"], 403)})


# Arrow's AWS SDK sends checksum trailers that RGW 16 refuses.
FOR_ARROW = {"AWS_REQUEST_CHECKSUM_CALCULATION": "when_required", "AWS_EC2_METADATA_DISABLED": "true"}
