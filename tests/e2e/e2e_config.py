"""`frontdesk run --config FILE`: the options as one file, checked whole."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import harness as h


class Config(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="fd-config-")
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)
        self.folder = h.Folder(self.base)
        self.path = os.path.join(self.base, "frontdesk.yaml")
        self.places = (*self.folder.options(), "--store", "sqlite:" + os.path.join(self.base, "catalog.db"),
                       "--audit", "file:" + os.path.join(self.base, "audit.jsonl"))

    def write(self, text):
        with open(self.path, "w") as f:
            f.write(text)

    def begin(self, *options):
        """A program whose places come from where the test says; harness.Frontdesk gives its own."""
        process = subprocess.Popen([h.program(), "run", "--config", self.path, *options], stderr=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait, 30)
        self.addCleanup(process.terminate)
        lines = []
        for line in process.stderr:
            lines.append(line)
            if '"msg": "listening"' in line or '"msg":"listening"' in line:
                return json.loads(line)
        raise AssertionError("".join(lines))

    def faults(self, text, *options):
        """What is said of the file; nothing is started."""
        self.write(text)
        done = subprocess.run([h.program(), "run", "--config", self.path, *options, *self.places], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=30)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.base, "catalog.db")))
        return [line.replace(self.path, "FILE") for line in done.stderr.splitlines()]

    def test_a_program_runs_by_its_file_alone(self):
        self.write(f"""
            listen: [127.0.0.1:0]
            admin-listen: 127.0.0.1:0
            resources: {self.folder.base}
            state: {self.folder.state}
            store: sqlite:{self.base}/from-file.db
            audit: file:{self.base}/audit.jsonl
            threads: 1
            log-level: warning
            """.replace("\n            ", "\n"))
        process = subprocess.Popen([h.program(), "run", "--config", self.path], stderr=subprocess.DEVNULL)
        try:
            h.wait_for("its store", lambda: os.path.exists(os.path.join(self.base, "from-file.db")))
            h.wait_for("its audit", lambda: os.path.exists(os.path.join(self.base, "audit.jsonl")))
        finally:
            process.terminate()
            self.assertEqual(process.wait(30), 0)

    def test_the_command_line_counts_before_the_file(self):
        self.write(f"listen:\n- 127.0.0.1:1\n- 127.0.0.1:2\nadmin-listen: 127.0.0.1:3\nstore: sqlite:{self.base}/unused.db\n")
        line = self.begin("--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", *self.places)
        self.assertEqual(h.Frontdesk.get("http://" + line["admin"] + "/healthz")[0], 200)
        self.assertFalse(os.path.exists(os.path.join(self.base, "unused.db")))

    def test_the_sample_is_taken_and_names_every_option(self):
        shutil.copy(os.path.join(h.TOP, "config", "frontdesk.yaml"), self.path)
        with open(self.path) as f:
            named = set(re.findall(r"^#? ?([a-z-]+):", f.read(), re.M))
        known = subprocess.run([h.program(), "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        known = set(re.findall(r"^  --([a-z-]+) ", known.split("options of run:")[1].split("options of explain:")[0], re.M))
        self.assertEqual(named, known - {"config"})
        line = self.begin("--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", *self.places)
        self.assertEqual(h.Frontdesk.get("http://" + line["admin"] + "/healthz")[0], 200)

    def test_every_fault_is_named_at_once_with_its_line(self):
        self.assertEqual(self.faults("""# a comment
threads: many
colour: blue
listen:
- 127.0.0.1:8181
- nowhere
- 8181
audit: [stdout, syslog]
store: mysql://x
resync: 0
lease: 1.5
log-level: loud
admin-listen:
tls-cert: /etc/x.pem
state: {dir: x}
kubeconfig: [a, b]
resources: true
config: other.yaml
principal: somebody
"""), [
            "FILE:2: threads: must be a number from 1 to 1024",
            "FILE:3: colour: there is no such option; see frontdesk --help",
            "FILE:6: listen: must be ADDR:PORT, the port a number to 65535",
            "FILE:7: listen: must be a text; put it in quotes",
            "FILE:8: audit: must be stdout, file:PATH or store",
            "FILE:9: store: must be sqlite:PATH or postgresql://USER@HOST/DATABASE",
            "FILE:10: resync: must be a number from 1 to 604800",
            "FILE:11: lease: must be a number from 1 to 3600",
            "FILE:12: log-level: must be debug, info, warning or error",
            "FILE:13: admin-listen: has no value",
            "FILE:15: state: must be a text; put it in quotes",
            "FILE:16: kubeconfig: must be one text, not a list",
            "FILE:17: resources: must be a text; put it in quotes",
            "FILE:18: config: there is no such option; see frontdesk --help",
            "FILE:19: principal: there is no such option; see frontdesk --help",
            "FILE:14: tls-cert: goes together with tls-key",
        ])

    def test_a_file_that_is_no_list_of_options_is_told(self):
        for text, said in (("a: [", "FILE:"), ("- listen\n", "FILE:1: must be a list of options, NAME: VALUE"),
                           ("store: a\nstore: b\n", "FILE:2: "), ("threads: 1\n---\nthreads: 2\n", "FILE:3: one document only"),
                           ("just text", "FILE:1: must be a list of options, NAME: VALUE"), ("store: &x y\n", "FILE:1: ")):
            found = self.faults(text)
            self.assertEqual(len(found), 1, found)
            self.assertTrue(found[0].startswith(said), found)

    def test_a_file_that_is_not_there_is_told(self):
        done = subprocess.run([h.program(), "run", "--config", self.path], stderr=subprocess.PIPE, text=True)
        self.assertEqual((done.returncode, self.path in done.stderr, len(done.stderr.splitlines())), (2, True, 1), done.stderr)

    def test_a_fault_of_the_file_that_the_command_line_overrules_is_told_nevertheless(self):
        self.assertEqual(self.faults("threads: 0\n", "--threads", "1"), ["FILE:1: threads: must be a number from 1 to 1024"])

    def test_the_command_line_is_held_to_the_same(self):
        for option, value, said in (("--threads", "1025", "must be a number from 1 to 1024"), ("--log-level", "loud", "must be debug"),
                                    ("--audit", "syslog", "must be stdout"), ("--listen", "8181", "must be ADDR:PORT"),
                                    ("--store", "mysql://u:hidden@x", "must be sqlite:PATH")):
            done = subprocess.run([h.program(), "run", option, value], stderr=subprocess.PIPE, text=True)
            self.assertEqual((done.returncode, said in done.stderr), (2, True), done.stderr)
            self.assertNotIn("hidden", done.stderr)

    def test_a_password_in_the_file_is_refused_and_not_repeated(self):
        self.write("store: postgresql://fd:hidden@127.0.0.1/d\n")
        done = subprocess.run([h.program(), "run", "--config", self.path, *self.folder.options()], stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("PGPASSFILE", done.stderr)
        self.assertNotIn("hidden", done.stderr)
