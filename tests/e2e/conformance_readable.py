"""What Frontdesk registers, other clients can open: metadata files with one member left out, null or of another kind are
shown to Iceberg's Java library, to PyIceberg and to Frontdesk. Where they differ is listed in docs/conformance.md."""
import copy
import json
import os
import subprocess
import warnings

import harness as h
import kit
from e2e_file_storage import Files

KINDS = {"string": "x", "integer": 7, "number": 1.5, "boolean": True, "list": [], "object": {}}
KIND_OF = {str: "string", bool: "boolean", int: "integer", float: "number", list: "list", dict: "object"}
FORMATS = ("v1", "v2", "v3", "view")
UNKNOWN = ("x-", "ä")  # members that no specification has


def members(v, path=()):
    """The path of each member, and of those of the last element of each list."""
    for name in [n for n in v if not n.startswith(UNKNOWN)] if isinstance(v, dict) else ():
        yield path + (name,)
        yield from members(v[name], path + (name,))
    if isinstance(v, list) and v:
        yield from members(v[-1], path + (len(v) - 1,))


def changed(file, path, value=None, missing=False):
    result = copy.deepcopy(file)
    at = result
    for step in path[:-1]:
        at = at[step]
    if missing:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return result


def variants(file):
    """(member, kind) to the file where it is so."""
    found = {}
    for path in members(file):
        name, value = ".".join(map(str, path)), file
        for step in path:
            value = value[step]
        found[name, "missing"] = changed(file, path, missing=True)
        found[name, "null"] = changed(file, path)
        for kind, other in KINDS.items():
            if kind != KIND_OF.get(type(value)):
                found[name, kind] = changed(file, path, other)
    return found


def exceptions():
    """(format, member, kind) to what Java, PyIceberg and Frontdesk say; the member "*" is any."""
    with open(os.path.join(h.TOP, "docs", "conformance.md")) as f:
        part = f.read().split("\n## Registered files\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines() if line.startswith("| `")]
    return {(form, row[0].strip("`"), kind): tuple(said == "yes" for said in row[3:6])
            for row in rows for form in row[1].split() for kind in row[2].split(", ")}


class Readable(Files):
    @classmethod
    def setUpClass(cls):
        classpath = kit.jars() + "/*"
        super().setUpClass()
        cls.files = {}
        for form in FORMATS:
            with open(os.path.join(h.TOP, "tests", "data", "iceberg", form + ".metadata.json")) as f:
                file = json.load(f)
            cls.files[form, "", "as it is"] = file
            cls.files.update({(form, *name): variant for name, variant in variants(file).items()})
        answers = zip(cls.java(classpath), cls.pyiceberg(), cls.frontdesk())
        cls.said = dict(zip(cls.files, answers))

    @classmethod
    def java(cls, classpath):
        lines = "".join(json.dumps(["view" if form == "view" else "table", json.dumps(file)]) + "\n"
                        for (form, _, _), file in cls.files.items())
        done = subprocess.run(["java", "-Xmx256m", "-cp", classpath, os.path.join(h.TOP, "tests", "e2e", "readable.java")],
                              input=lines, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
        return [json.loads(line) == "" for line in done.stdout.splitlines()]

    @classmethod
    def pyiceberg(cls):
        from pyiceberg.table.metadata import TableMetadataUtil
        from pyiceberg.view.metadata import ViewMetadata

        def opens(form, text):
            try:
                if form == "view":
                    ViewMetadata.model_validate_json(text)
                else:
                    m = TableMetadataUtil.parse_raw(text)
                    m.schema(), m.spec(), m.sort_order(), m.current_snapshot()
            except Exception:  # of whatever kind: it was not opened
                return False
            return True

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [opens(form, json.dumps(file)) for (form, _, _), file in cls.files.items()]

    @classmethod
    def frontdesk(cls):
        """Each file in a place of its own, which all that it names moves to; dropped again, so that the name is free."""
        said = []
        for i, ((form, _, _), file) in enumerate(cls.files.items()):
            place = f"{cls.base}/lake/{i}"
            old = "s3://bucket/lake/" + ("v" if form == "view" else "t")
            os.makedirs(place + "/metadata")
            with open(place + "/metadata/00000-x.metadata.json", "w") as f:
                f.write(json.dumps(file).replace(old, "file:" + place))
            status, body = cls.desk.call("POST", "/v1/analytics/namespaces/sales/register" + ("-view" if form == "view" else ""), cls.token,
                                         {"name": f"n{i}", "metadata-location": f"file:{place}/metadata/00000-x.metadata.json"})
            assert status in (200, 400, 403), (status, body)
            said.append(status == 200)
        return said

    def test_there_are_some_two_thousand_files_and_the_originals_are_opened_by_all(self):
        self.assertGreater(len(self.files), 1900)
        self.assertEqual({form: self.said[form, "", "as it is"] for form in FORMATS}, {form: (True,) * 3 for form in FORMATS})

    def test_all_agree_on_what_can_be_opened_but_for_the_listed(self):
        listed = exceptions()
        wrong = [f"{form} {member} {kind}: Java, PyIceberg, Frontdesk say {said}" for (form, member, kind), said in self.said.items()
                 if len(set(said)) > 1 and said not in (listed.get((form, member, kind)), listed.get((form, "*", kind)))]
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_what_is_listed_is_so(self):
        wrong = [f"{form} {member} {kind}: {self.said.get((form, member, kind))}, listed {answers}"
                 for (form, member, kind), answers in exceptions().items()
                 if member != "*" and self.said.get((form, member, kind)) != answers]
        wrong += [f"{form} * {kind}: nowhere" for (form, member, kind), answers in exceptions().items()
                  if member == "*" and not any(f == form and k == kind and said == answers for (f, _, k), said in self.said.items())]
        self.assertFalse(wrong, "\n" + "\n".join(wrong))
