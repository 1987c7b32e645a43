"""Real engines that know only a client id and a secret: a day's work each, with vended keys at a real RGW."""
import json
import os
import subprocess
import unittest

import harness as h
from e2e_folder import Desk


def engines():
    built = subprocess.run([os.path.join(h.TOP, "tests", "env", "build-engines")], stdout=subprocess.PIPE, text=True)
    if built.returncode == 3:
        raise unittest.SkipTest("no Java or no Maven: Spark cannot run")
    return built.stdout.strip()


class Engine(Desk):
    """A day is run once; the claims are about what its statements gave."""

    @classmethod
    def day(cls, script):
        # What a person's environment may hold of other stores must not help.
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        done = subprocess.run([os.path.join(engines(), "bin", "python3"), os.path.join(h.TOP, "tests", "e2e", script)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600,
                              env={**clean, "URI": cls.desk.uri, "SCOPE": "PRINCIPAL_ROLE:ALL",
                                   "CREDENTIAL": cls.client["client-id"] + ":" + cls.client["client-secret"]})
        outcome = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        assert done.returncode == 0 and outcome, done.stderr[-3000:]
        return outcome

    def gave(self, statement, which=0):
        return [rows for s, rows in self.outcome if s == statement][which]

    def no_statement_failed(self):
        failed = [f"{s}\n    {rows}" for s, rows in self.outcome if isinstance(rows, str)]
        self.assertFalse(failed, "\n".join(failed))


class DuckDb(Engine):
    @classmethod
    def setUpClass(cls):
        engines()
        super().setUpClass()
        cls.outcome = cls.day("engine_duckdb.py")

    def test_duckdb_creates_inserts_deletes_and_drops(self):
        self.no_statement_failed()

    def test_duckdb_reads_what_it_wrote(self):
        self.assertEqual(self.gave("SELECT count(*) FROM fd.sales.duck"), [[2]])
        self.assertEqual(self.gave("SELECT count(*) FROM fd.sales.copied"), [[2]])
        self.assertEqual(self.gave("SELECT id, name FROM fd.sales.duck"), [[2, "b"]])


class Spark(Engine):
    @classmethod
    def setUpClass(cls):
        engines()
        super().setUpClass()
        cls.outcome = cls.day("engine_spark.py")

    def test_spark_runs_every_statement_of_its_day(self):
        self.no_statement_failed()

    def test_spark_reads_what_it_wrote_by_copy_and_by_merge(self):
        rows = "SELECT id, name FROM fd.spark.t ORDER BY id"
        self.assertEqual(self.gave(rows, 0), [[2, "b"], [3, "x"]])
        self.assertEqual(self.gave(rows, 1), [[2, "bb"], [3, "y"]])
        self.assertEqual(self.gave(rows, 2), [[2, "bb"], [3, "y"], [9, "z"]])

    def test_a_branch_of_spark_is_apart_from_main(self):
        self.assertEqual(self.gave("SELECT count(*) FROM fd.spark.t VERSION AS OF 'b1'"), [[4]])
        self.assertEqual(self.gave("SELECT count(*) FROM fd.spark.t VERSION AS OF 't1'"), [[3]])

    def test_a_view_of_spark_follows_its_text(self):
        self.assertEqual([self.gave("SELECT count(*) FROM fd.spark.v", i) for i in (0, 1)], [[[3]], [[2]]])

    def test_a_table_of_the_third_format_is_written_and_read(self):
        self.assertEqual(self.gave("SELECT id FROM fd.spark.third"), [[2]])

    def test_a_table_that_spark_renamed_is_whole(self):
        self.assertEqual(self.gave("SELECT count(*) FROM fd.spark.renamed"), [[3]])
