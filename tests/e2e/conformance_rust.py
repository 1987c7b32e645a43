"""iceberg-rust: a day's work of the library by itself, with vended keys at a real RGW."""
import os
import subprocess
import unittest

import harness as h
from engines import Engine


class Rust(Engine):
    @classmethod
    def installed(cls):
        built = subprocess.run([os.path.join(h.TOP, "tests", "env", "build-rust")], stdout=subprocess.PIPE, text=True)
        if built.returncode == 3:
            raise unittest.SkipTest("no cargo, or one too old: iceberg-rust cannot be built")
        assert built.returncode == 0, "iceberg-rust could not be built"
        return built.stdout.strip()

    @classmethod
    def command(cls):
        return [cls.packages]

    def test_it_reads_what_it_wrote(self):
        self.assertEqual(self.gave("read"), [[1], [2], [3]])

    def test_it_cannot_write_with_its_key_outside_of_the_table(self):
        written = self.answered(self.victim.rsplit("/", 1)[0] + "/foreign")
        self.assertEqual({status for _, method, status in written if method in ("PUT", "POST")}, {403})
