"""Flink: a day's work in one process, with vended keys at a real RGW."""
import os

import harness as h
from engines import Engine

# Flink's serializers look into classes that Java keeps closed.
OPEN = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.util", "java.lang")]


class Flink(Engine):
    @classmethod
    def command(cls):
        return ["java", "-Xmx768m", *OPEN, "-cp", os.path.join(cls.packages, "flink", "*"),
                os.path.join(h.TOP, "tests", "e2e", "engine_flink.java")]

    def test_it_reads_what_it_wrote(self):
        self.assertEqual(self.gave("SELECT id, name FROM fd.flink.t ORDER BY id"), [[1, "a"], [2, "b"]])
        self.assertEqual(self.gave("SELECT id, name FROM fd.flink.t"), [[3, "c"]])

    def test_what_it_drops_is_gone_from_the_bucket(self):
        """Its DROP TABLE asks for a purge."""
        self.wait_until_purged("s3://warehouse/lake/flink")
