"""The same requests to Frontdesk and to the server that Apache Iceberg tests its own clients against: answers may
differ where docs/conformance.md says so, and must differ there."""
import fnmatch
import os
import re
import shutil
import tempfile
import unittest

import harness as h
import kit
import reference


def table_below(heading):
    """The rows of a table of docs/conformance.md: cells without their backticks."""
    with open(os.path.join(h.TOP, "docs", "conformance.md")) as f:
        part = f.read().split("\n### " + heading + "\n")[1].split("\n#")[0]
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")]
            for line in part.splitlines() if line.startswith("| `")]
    assert rows, heading
    return rows


def outcome(answer):
    """Status, and what kind of error."""
    if not isinstance(answer, dict):
        return str(answer)
    error = answer["body"].get("error") if isinstance(answer["body"], dict) else None
    return f"{answer['status']} {error['type']}" if isinstance(error, dict) else str(answer["status"])


def fits(pattern, text):
    return fnmatch.fnmatchcase(str(text), pattern)


class Rows:
    """The lines of one table, and which of them were ever needed."""

    def __init__(self, heading):
        self.rows = table_below(heading)
        self.used = set()

    def excuse(self, *cells):
        found = [i for i, row in enumerate(self.rows) if all(fits(p, cell) for p, cell in zip(row, cells))]
        self.used.update(found)
        return bool(found)

    def unused(self):
        return [row[:-1] for i, row in enumerate(self.rows) if i not in self.used]


class Reference(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        classpath = kit.jars() + "/*"
        cls.base = tempfile.mkdtemp(prefix="fd-ref-")
        cls.addClassCleanup(shutil.rmtree, cls.base, ignore_errors=True)
        for folder in ("here", "there"):
            os.mkdir(os.path.join(cls.base, folder))
        cls.start_frontdesk()
        server = reference.Server(classpath, cls.base + "/there")
        cls.addClassCleanup(server.stop)
        there = reference.Client(f"http://127.0.0.1:{server.port}/v1", f"file:{cls.base}/there", patience=reference.PATIENCE)
        here = reference.Client(cls.desk.uri + "/v1/analytics", f"file:{cls.base}/here", cls.bearer)
        cls.configs = [cls.config(cls.desk.uri, cls.bearer), cls.config(there.uri[:-len("/v1")], {})]
        cls.here, cls.there = here.run(), there.run()
        cls.desk.stop()
        cls.parts, cls.requests = Rows("Parts of answers"), Rows("Requests")
        cls.differing = {step: list(cls.differences(step)) for step in cls.here if step in cls.there}

    @classmethod
    def start_frontdesk(cls):
        folder = h.Folder(cls.base)
        folder.write("lakehouse.yaml", h.manifest("StorageIntegration", "store", {"storageType": "file", "bucket": "tmp"}),
                     h.catalog(defaultBaseLocation=f"file:{cls.base}/here", properties={"namespace-separator": "%2E"}),
                     h.principal(), h.role())
        cls.desk = h.Frontdesk(*folder.options(), "--file-storage", "/", folder=cls.base)
        cls.addClassCleanup(cls.desk.kill)
        cls.bearer = {"Authorization": "Bearer " + folder.token(cls.desk)}

    @staticmethod
    def config(uri, headers):
        return reference.Client(uri, "file:/nowhere", headers).get("/v1/config?warehouse=analytics")[1]

    @classmethod
    def differences(cls, step):
        for part, here, there in reference.differences(cls.here[step], cls.there[step]):
            if not cls.parts.excuse(part, here, there):
                yield part, here, there

    @classmethod
    def fell_over(cls, step):
        return isinstance(cls.there[step], dict) and cls.there[step]["status"] in (500, reference.NO_ANSWER)

    def agrees(self, step):
        if self.fell_over(step):
            return 400 <= self.here[step]["status"] < 500
        return not self.differing[step]

    def test_both_were_asked_the_same(self):
        self.assertEqual(list(self.here), list(self.there))
        self.assertGreater(len(self.here), 1200)

    def test_what_is_not_listed_is_answered_alike(self):
        wrong = [f"{step}: {outcome(self.here[step])}, there {outcome(self.there[step])}\n"
                 + "".join(f"    {part}: {here!r:.200}, there {there!r:.200}\n" for part, here, there in self.differing[step][:6])
                 for step in self.here if not self.agrees(step)
                 and not self.requests.excuse(step, outcome(self.here[step]), outcome(self.there[step]))]
        self.assertFalse(wrong, "\n" + "".join(wrong))

    def stale(self, row):
        """What a line of the list says of a request and is not so."""
        pattern, here, there, _ = row
        named = [step for step in self.here if fits(pattern, step)]
        for step in named:
            answers = f"{outcome(self.here[step])}, there {outcome(self.there[step])}"
            if self.agrees(step):
                yield f"{pattern}: both answer {step} alike: {answers}"
            elif not (fits(here, outcome(self.here[step])) and fits(there, outcome(self.there[step]))):
                yield f"{pattern}: {step} is answered otherwise: {answers}"
        if not named:
            yield f"{pattern}: no request of that name"

    def test_what_is_listed_is_answered_otherwise_and_as_listed(self):
        stale = [line for row in self.requests.rows for line in self.stale(row)]
        self.assertFalse(stale, "\n" + "\n".join(stale))

    def test_every_part_that_is_listed_differs_somewhere(self):
        self.assertEqual(self.parts.unused(), [])

    def test_each_serves_what_the_other_does_but_for_the_listed(self):
        """Its list holds lines of odd shape too: those are of no endpoint of the catalog's."""
        ours, its = ({e for e in c["endpoints"] if re.match("[A-Z]+ /v1/{prefix}/", e)} for c in self.configs)
        listed = {whose: {row[0] for row in table_below("Endpoints of one") if row[1] == whose}
                  for whose in ("Frontdesk's", "its")}
        self.assertEqual((ours - its, its - ours), (listed["Frontdesk's"], listed["its"]))

    def test_both_say_how_levels_are_parted(self):
        said = [{**c["defaults"], **c["overrides"]}["namespace-separator"] for c in self.configs]
        self.assertEqual(said, ["%2E", "%2E"])

    def test_frontdesk_found_no_fault_of_its_own(self):
        """Its own faults are in its log, whatever was answered."""
        self.assertEqual(self.desk.said(level="error"), [])
