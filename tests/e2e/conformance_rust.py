"""iceberg-rust: a day's work of the library by itself, with vended keys at a real RGW."""
import os
import subprocess

import harness as h
from engines import Engine

BUILD = os.path.join(h.TOP, "tests", "env", "build-rust")

# No package of Debian 12 or of the registries that the tests use brings a Rust that is new enough: these are tests only
# of a machine that has one.
if subprocess.run([BUILD, "--can"], stderr=subprocess.DEVNULL).returncode == 0:

    class Rust(Engine):
        @classmethod
        def installed(cls):
            return subprocess.run([BUILD], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

        @classmethod
        def command(cls):
            return [cls.packages]

        def test_it_reads_what_it_wrote(self):
            self.assertEqual(self.gave("read"), [[1], [2], [3]])

        def test_it_cannot_write_with_its_key_outside_of_the_table(self):
            written = self.answered(self.victim.rsplit("/", 1)[0] + "/foreign")
            self.assertEqual({status for _, method, status in written if method in ("PUT", "POST")}, {403})
