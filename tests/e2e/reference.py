"""Asks one catalog what tests/e2e/reference_script.py says, and writes down its answers in words that do not depend
on what a catalog chooses: identities, times of now, and places."""
import json
import os
import re
import subprocess
import threading
import urllib.parse

import harness as h
import reference_script

IDENTITY = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
GIVEN = {reference_script.UUID, reference_script.OTHER_UUID}

# Some requests send the reference server round and round, and slow down what comes after; we are given time.
PATIENCE, LONG, NO_ANSWER = 10, 60, 0


class Server:
    """The catalog that Apache Iceberg's own REST tests run against, with tables in a folder."""

    def __init__(self, classpath, folder):
        environment = {**os.environ, "CATALOG_WAREHOUSE": "file:" + folder, "CATALOG_REST_PORT": "0"}
        self.process = subprocess.Popen(["java", "-Xmx256m", "-cp", classpath, "org.apache.iceberg.rest.RESTCatalogServer"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env=environment, cwd=folder, text=True)
        self.lines = []
        threading.Thread(target=self.read, daemon=True).start()
        self.port = h.wait_for("the reference server", self.listening, 60)

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def listening(self):
        found = re.search(r"Started oejs\.ServerConnector@.*\{[0-9.]+:(\d+)\}", "".join(self.lines[-20:]))
        if self.process.poll() is not None:
            raise RuntimeError("the reference server ended:\n" + "".join(self.lines[-20:]))
        return found and int(found.group(1))

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class Client:
    """Speaks to one catalog. `base` is the folder of its tables, as a location."""

    def __init__(self, uri, base, headers=None, patience=LONG):
        self.uri, self.base, self.headers, self.patience = uri, base, headers or {}, patience
        self.answers, self.chosen = {}, {}

    # ---- what scenarios use ----

    def ns(self, *levels):
        return "/namespaces/" + "%2E".join(urllib.parse.quote(level, safe="") for level in levels)

    def table(self, name, ns=("shop",)):
        return self.ns(*ns) + "/tables/" + urllib.parse.quote(name, safe="")

    def view(self, name, ns=("shop",)):
        return self.ns(*ns) + "/views/" + urllib.parse.quote(name, safe="")

    def place(self, name):
        return f"{self.base}/chosen/{urllib.parse.quote(name)}"

    def file(self, name, text):
        path = os.path.join(self.base[len("file:"):], "chosen", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        return "file:" + path

    def request(self, method, path, body=None, raw=None, headers=None):
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        try:
            status, text, got = h.Frontdesk.get(self.uri + path, {"Content-Type": "application/json", **self.headers,
                                                                  **(headers or {})}, method, data, self.patience)
        except TimeoutError:
            return NO_ANSWER, None, {}
        try:
            return status, json.loads(text) if text else None, got
        except ValueError:
            return status, text.decode(errors="replace"), got

    def get(self, path):
        return self.request("GET", path)[:2]

    def etag(self, path):
        return self.request("GET", path)[2].get("ETag", "")

    def post(self, path, body):
        """Something that the step after it needs."""
        status, answer, _ = self.request("POST", path, body)
        assert status in (200, 409), (path, body, status, answer)
        return answer

    def make(self, name, **more):
        return self.post(self.ns("shop") + "/tables", {"name": name, "schema": reference_script.SCHEMA, **more})

    def commit(self, name, updates):
        return self.post(self.table(name), {"requirements": [], "updates": updates})

    def commit_as(self, step, name, requirements, updates, ns=("shop",)):
        return self.ask(step, "POST", self.table(name, ns), {"identifier": {"namespace": list(ns), "name": name},
                                                             "requirements": requirements, "updates": updates})

    def ask(self, step, method, path, body=None, raw=None, headers=None):
        status, answer, got = self.request(method, path, body, raw, headers)
        self.tell(step, {"status": status, **self.plain_head(status, got), "body": self.plain(answer)})
        return status, answer

    def tell(self, step, answer):
        assert step not in self.answers, f"two steps of one name: {step}"
        self.answers[step] = answer

    # ---- answers in words of their own ----

    @staticmethod
    def plain_head(status, headers):
        kind = (headers.get("Content-Type") or "").split(";")[0]
        return {"kind": kind if status not in (204, 304) else "", "tag": bool(headers.get("ETag"))}

    def plain(self, answer):
        if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
            e = answer["error"]
            return {"error": {"type": e.get("type"), "code": e.get("code"), "message": bool(e.get("message"))}}
        metadata = answer.get("metadata") if isinstance(answer, dict) else None
        place = metadata.get("location") if isinstance(metadata, dict) else None
        self.chosen = {place: "<its place>"} if place and "/chosen/" not in place else {}
        self.chosen[self.base] = "<base>"
        self.identities = {}
        return self.words(answer)

    def words(self, v):
        if isinstance(v, dict):
            return {k: self.words(in_order(k, v[k])) for k in sorted(v)}
        if isinstance(v, list):
            return [self.words(item) for item in v]
        if isinstance(v, int) and abs(v - reference_script.NOW) < 7200000:
            return "<now>"
        return self.text(v) if isinstance(v, str) else v

    def text(self, v):
        v = v.replace(".gz.metadata.json", ".metadata.json")
        for place, word in self.chosen.items():
            if v == place or v.startswith(place + "/"):
                v = word + v[len(place):]
        return IDENTITY.sub(lambda m: m.group(0) if m.group(0) in GIVEN else
                            self.identities.setdefault(m.group(0).lower(), f"<uuid {len(self.identities) + 1}>"), v)

    # ---- the whole ----

    def listed(self, path, member):
        """What a list holds; nothing when the catalog cannot tell (a name of which it fails to read its own path)."""
        status, answer = self.get(path)
        return answer[member] if status == 200 else []

    def clear(self, *levels):
        """Drops all that there is, so that a scenario finds nothing of the one before."""
        for kind, path in (("tables", self.table), ("views", self.view)):
            for i in self.listed(self.ns(*levels) + "/" + kind, "identifiers") if levels else ():
                self.request("DELETE", path(i["name"], levels))
        below = "?parent=" + urllib.parse.quote(".".join(levels), safe="") if levels else ""
        for found in self.listed("/namespaces" + below, "namespaces"):
            if len(found) == len(levels) + 1:
                self.clear(*found)
        if levels:
            self.request("DELETE", self.ns(*levels))

    def run(self, scenarios=None):
        for scenario in scenarios or reference_script.SCENARIOS:
            self.clear()
            scenario(self)
        self.clear()
        return self.answers


def in_order(name, v):
    """Versions of a view are told by their ids; in which order is nobody's business."""
    if name == "versions" and isinstance(v, list):
        return sorted(v, key=lambda version: version["version-id"])
    return v


def differences(here, there, at=""):
    """Where two answers differ, as paths into them."""
    if isinstance(here, dict) and isinstance(there, dict):
        for k in sorted(here.keys() | there.keys()):
            if k not in here or k not in there:
                yield f"{at}{k}", here.get(k, "<absent>"), there.get(k, "<absent>")
            else:
                yield from differences(here[k], there[k], f"{at}{k}.")
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        for i, pair in enumerate(zip(here, there)):
            yield from differences(*pair, f"{at}{i}.")
    elif here != there or type(here) is not type(there):
        yield at.rstrip("."), here, there
