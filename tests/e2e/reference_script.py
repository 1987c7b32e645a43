"""What is asked of both catalogs, request by request: each scenario is a function of a client whose `ask` records
the answer under a name. A scenario may use what an answer told it (a location, a file), never which catalog it
speaks to."""
import copy
import time

SCHEMA = {"type": "struct", "schema-id": 0, "fields": [
    {"id": 1, "name": "id", "type": "long", "required": True},
    {"id": 2, "name": "day", "type": "date", "required": False, "doc": "of the sale"},
    {"id": 3, "name": "name", "type": "string", "required": False}]}
SPEC = {"spec-id": 0, "fields": [{"source-id": 2, "field-id": 1000, "name": "day_part", "transform": "day"}]}
ORDER = {"order-id": 1, "fields": [{"source-id": 1, "transform": "identity", "direction": "asc", "null-order": "nulls-first"}]}
NESTED = {"type": "struct", "schema-id": 7, "identifier-field-ids": [4], "fields": [
    {"id": 4, "name": "key", "type": "string", "required": True},
    {"id": 9, "name": "place", "required": False, "type": {"type": "struct", "fields": [
        {"id": 10, "name": "lat", "type": "double", "required": False}, {"id": 12, "name": "lon", "type": "float", "required": True}]}},
    {"id": 5, "name": "tags", "required": False,
     "type": {"type": "list", "element-id": 6, "element": "string", "element-required": True}},
    {"id": 2, "name": "prices", "required": True, "type": {
        "type": "map", "key-id": 3, "key": "fixed[4]", "value-id": 1, "value": "decimal(9, 2)", "value-required": False}}]}
EVERY_TYPE = ["boolean", "int", "long", "float", "double", "decimal(38, 10)", "date", "time", "timestamp", "timestamptz",
              "string", "uuid", "fixed[16]", "binary"]
NEW_TYPES = ["timestamp_ns", "timestamptz_ns", "unknown", "variant", "geometry", "geometry(srid:3857)", "geography",
             "geography(srid:4326, karney)"]
UUID = "8d4a2b1c-0f3e-4d5a-9b6c-7e8f90a1b2c3"
OTHER_UUID = "11111111-2222-4333-8444-555555555555"
T0 = 1700000000000
NOW = int(time.time() * 1000)


def field(identifier, name, kind, required=False, **more):
    return {"id": identifier, "name": name, "type": kind, "required": required, **more}


def table(name):
    return {"namespace": ["shop"], "name": name}


# ---- namespaces ----

def namespaces(c):
    def create(step, levels, **more):
        return c.ask(step, "POST", "/namespaces", {"namespace": levels, **more})

    create("a namespace is made", ["first"])
    create("a namespace is made with properties", ["owned"], properties={"owner": "me", "note": "é ü \U0001f600"})
    create("a namespace that is there is made", ["first"])
    create("a namespace below another is made", ["first", "inner"])
    create("a namespace three deep is made", ["first", "inner", "most"])
    c.ask("a namespace with unknown members is made", "POST", "/namespaces", {"namespace": ["more"], "colour": "red"})
    create("a namespace is made with properties null", ["propertyless"], properties=None)
    for step, levels in (("that is there", ["first"]), ("below another", ["first", "inner"]), ("with properties", ["owned"]),
                         ("that is not there", ["nowhere"]), ("below one that is not there", ["nowhere", "x"]),
                         ("not there below another", ["first", "x"])):
        c.ask(f"a namespace {step} is loaded", "GET", c.ns(*levels))
        c.ask(f"a namespace {step} is looked for", "HEAD", c.ns(*levels))
    c.ask("namespaces are listed", "GET", "/namespaces")
    for parent in ("first", "owned", "nowhere", ""):
        c.ask(f"namespaces below '{parent}' are listed", "GET", f"/namespaces?parent={parent}")
    c.ask("namespaces two deep are listed", "GET", "/namespaces?parent=first.inner")

    def change(step, body, levels=("owned",)):
        c.ask(step, "POST", c.ns(*levels) + "/properties", body)
        if levels == ("owned",):
            c.ask(step + ", and loaded", "GET", c.ns(*levels))

    change("a namespace's property is set", {"updates": {"a": "1", "owner": "you"}})
    change("a namespace's property is removed", {"removals": ["a"]})
    change("a property that is not there is removed", {"removals": ["never"]})
    change("properties are set and removed at once", {"removals": ["owner"], "updates": {"b": "2"}})
    change("a property is set and removed at once", {"removals": ["b"], "updates": {"b": "3"}})
    change("nothing of a namespace is changed", {})
    change("properties are set to null", {"updates": None, "removals": None})
    change("a property is removed twice", {"removals": ["z", "z"]})
    change("properties of nothing are set", {"updates": {"a": "1"}}, ["nowhere"])
    change("a text is removed", {"removals": "z"}, ["more"])
    change("a number is removed", {"removals": [7]}, ["more"])
    change("a number is set as a property", {"updates": {"n": 7}}, ["more"])
    c.ask("a namespace with others below is dropped", "DELETE", c.ns("first"))
    c.ask("a namespace that is not there is dropped", "DELETE", c.ns("nowhere"))
    c.ask("a namespace is dropped", "DELETE", c.ns("owned"))
    c.ask("a namespace that was dropped is loaded", "GET", c.ns("owned"))
    c.ask("a namespace that was dropped is dropped", "DELETE", c.ns("owned"))
    c.ask("the innermost namespace is dropped", "DELETE", c.ns("first", "inner", "most"))
    create("a namespace below nothing is made", ["nothing", "inner"])
    create("a namespace with no levels is made", [])
    create("a namespace with an empty level is made", ["first", ""])
    create("a namespace is made with a number as a level", ["first", 7])
    create("a namespace is made with a number as a property", ["numbered"], properties={"n": 7})
    create("a namespace is made with null as a property", ["nulled"], properties={"n": None})
    create("a namespace is made with a list as properties", ["listed"], properties=["a"])
    c.ask("a namespace without a name is made", "POST", "/namespaces", {"properties": {}})
    c.ask("a namespace with a text for levels is made", "POST", "/namespaces", {"namespace": "first"})


def spellings(c):
    for name in ("two words", "plus+sign", "per%cent", "é\U0001f600", "com,ma", "hash#mark", "question?mark", "am&persand",
                 "quo'te", 'dou"ble', "(round)", "tilde~", "star*", "colon:", "at@sign", "semi;colon", "back`tick", "{curly}",
                 "under_score", "%25", "%2F", "null", "0", "-", "=", "|"):
        c.ask(f"the namespace {name} is made", "POST", "/namespaces", {"namespace": [name]})
        c.ask(f"in {name}: it is loaded", "GET", c.ns(name))
        c.ask(f"in {name}: a table is made", "POST", c.ns(name) + "/tables", {"name": name, "schema": SCHEMA})
        c.ask(f"in {name}: a table is looked for", "HEAD", c.table(name, ns=[name]))
        c.ask(f"in {name}: tables are listed", "GET", c.ns(name) + "/tables")
        c.ask(f"in {name}: a table is dropped", "DELETE", c.table(name, ns=[name]))
        c.ask(f"in {name}: it is dropped", "DELETE", c.ns(name))


def paging(c):
    c.ask("a namespace for pages is made", "POST", "/namespaces", {"namespace": ["pages"]})
    for i in range(5):
        c.ask(f"page {i}'s table is made", "POST", c.ns("pages") + "/tables", {"name": f"t{i}", "schema": SCHEMA})
        c.ask(f"page {i}'s view is made", "POST", c.ns("pages") + "/views", view_request(f"v{i}"))
        c.ask(f"page {i}'s namespace is made", "POST", "/namespaces", {"namespace": ["pages", f"n{i}"]})
    for what, path, member in (("tables", c.ns("pages") + "/tables", "identifiers"),
                               ("views", c.ns("pages") + "/views", "identifiers"),
                               ("namespaces", "/namespaces?parent=pages", "namespaces")):
        mark = "&" if "?" in path else "?"
        token, seen = "", []
        while token is not None:
            status, body = c.get(f"{path}{mark}pageToken={token}&pageSize=2")
            seen.append(len(body[member]) if status == 200 else status)
            token = body.get("next-page-token")
        c.tell(f"{what} are listed in pages of two", seen)
        c.ask(f"{what} are listed without a token", "GET", f"{path}{mark}pageSize=2")
        c.ask(f"{what} are listed on one page", "GET", f"{path}{mark}pageToken=&pageSize=5")
        c.ask(f"{what} are listed with a larger page", "GET", f"{path}{mark}pageToken=&pageSize=100000")
        for size in ("0", "-1", "x", "99999999999999999999", ""):
            c.ask(f"{what} are listed with pages of '{size}'", "GET", f"{path}{mark}pageToken=&pageSize={size}")
        c.ask(f"{what} are listed by a token of nobody's", "GET", f"{path}{mark}pageToken=bm9ib2R5&pageSize=2")


# ---- tables ----

def tables(c):
    shop(c)

    def create(step, name, **more):
        return c.ask(step, "POST", c.ns("shop") + "/tables", {"name": name, "schema": SCHEMA, **more})

    create("a table is made", "plain")
    create("a table that is there is made", "plain")
    create("a table is made in detail", "detailed", **{"partition-spec": SPEC, "write-order": ORDER, "properties": {"k": "v"}})
    create("a table of nested columns is made", "nested", schema=NESTED)
    create("a table of every type is made", "typed", schema={"type": "struct", "fields": [
        field(i + 1, f"c{i}", t) for i, t in enumerate(EVERY_TYPE)]})
    for version in (1, 2, 3):
        create(f"a table of format {version} is made", f"format{version}", properties={"format-version": str(version)},
               **{"partition-spec": SPEC, "write-order": ORDER})
    for version in ("0", "4", "x", ""):
        create(f"a table of format '{version}' is made", "formatless" + version, properties={"format-version": version})
    for kind in NEW_TYPES:
        create(f"a table of format 2 with {kind} is made", "old", schema={"type": "struct", "fields": [field(1, "c", kind)]})
    create("a table of format 3 of every newer type is made", "newer", properties={"format-version": "3"},
           schema={"type": "struct", "fields": [field(i + 1, f"c{i}", t) for i, t in enumerate(NEW_TYPES)]})
    create("a table of format 3 with a default is made", "defaulted", properties={"format-version": "3"},
           schema={"type": "struct", "fields": [field(1, "c", "int", **{"initial-default": 7, "write-default": 8})]})
    create("a table of format 2 with a default is made", "undefaulted",
           schema={"type": "struct", "fields": [field(1, "c", "int", **{"initial-default": 7})]})
    create("a table with reserved properties is made", "reserved", properties={
        "uuid": UUID, "snapshot-count": "9", "current-snapshot-id": "1", "current-schema": "x", "default-sort-order": "x"})
    create("a table without columns is made", "columnless", schema={"type": "struct", "fields": []})
    create("a table without a schema is made", "schemaless", schema=None)
    create("a table without a name is made", None)
    create("a table with an empty name is made", "")
    create("a table with a number for a name is made", 7)
    for step, fields in (("two columns of one id", [field(1, "a", "int"), field(1, "b", "int")]),
                         ("two columns of one name", [field(1, "a", "int"), field(2, "a", "int")]),
                         ("a type of no kind", [field(1, "a", "integer")]), ("a column without a type", [{"id": 1, "name": "a"}]),
                         ("a column without a name", [{"id": 1, "type": "int", "required": False}]),
                         ("a column without an id", [{"name": "a", "type": "int", "required": False}]),
                         ("a list without an element", [field(1, "a", {"type": "list", "element-id": 2})]),
                         ("decimal(39, 2)", [field(1, "a", "decimal(39, 2)")]), ("fixed[-1]", [field(1, "a", "fixed[-1]")]),
                         ("decimal(x)", [field(1, "a", "decimal(x)")]), ("columns that are a text", "a")):
        create(f"a table with {step} is made", "wrong", schema={"type": "struct", "fields": fields})
    for step, ids in (("an identifier that is no column", [9]), ("an optional identifier", [2]),
                      ("a column that is an identifier", [1])):
        create(f"a table with {step} is made", "identified", schema={**SCHEMA, "identifier-field-ids": ids})
    for step, kind in (("of a double", "double"), ("of a list", {"type": "list", "element-id": 2, "element": "int",
                                                              "element-required": False})):
        create(f"a table with an identifier {step} is made", "identified2",
               schema={"type": "struct", "identifier-field-ids": [1], "fields": [field(1, "a", kind, True)]})
    for step, change in (("of no column", {"source-id": 99}), ("of no transform", {"transform": "week"}),
                         ("of a transform that does not fit", {"transform": "hour"}), ("of a bucket of none", {"transform": "bucket[0]"}),
                         ("without a name", {"name": None}), ("of a column's name", {"name": "name"}),
                         ("by the column itself", {"name": "day", "transform": "identity"}), ("of void", {"transform": "void"}),
                         ("without a source", {"source-id": None})):
        create(f"a table with a partition {step} is made", "parted " + step,
               **{"partition-spec": {"spec-id": 0, "fields": [{**SPEC["fields"][0], **change}]}})
    create("a table with two partitions of one name is made", "twice",
           **{"partition-spec": {"spec-id": 0, "fields": [SPEC["fields"][0], {**SPEC["fields"][0], "transform": "month", "field-id": 1001}]}})
    create("a table with partitions without ids is made", "idless", **{"partition-spec": {"spec-id": 0, "fields": [
        {"source-id": 2, "name": "m", "transform": "month"}, {"source-id": 1, "name": "b", "transform": "bucket[16]"}]}})
    for step, change in (("of no column", {"source-id": 99}), ("of no direction", {"direction": "up"}),
                         ("without a direction", {"direction": None}), ("of no transform", {"transform": "week"})):
        create(f"a table with an order {step} is made", "ordered " + step,
               **{"write-order": {"order-id": 1, "fields": [{**ORDER["fields"][0], **change}]}})
    create("a table with the order 0 and columns is made", "zero", **{"write-order": {**ORDER, "order-id": 0}})
    create("a table with the order 5 is made", "five", **{"write-order": {**ORDER, "order-id": 5}})
    create("a table with a number as a property is made", "propertied", properties={"n": 7})
    create("a table with null as a property is made", "propertied2", properties={"n": None})
    create("a table in a chosen place is made", "placed", location=c.place("placed"))
    create("a table in a place with a slash at its end is made", "slashed", location=c.place("slashed") + "/")
    create("a table in a place of no scheme is made", "schemeless", location="somewhere")
    c.ask("a table in no namespace is made", "POST", c.ns("nowhere") + "/tables", {"name": "t", "schema": SCHEMA})
    for name in ("plain", "nothing"):
        c.ask(f"the table {name} is loaded", "GET", c.table(name))
        c.ask(f"the table {name} is looked for", "HEAD", c.table(name))
    for snapshots in ("all", "refs", "REFS", "some", ""):
        c.ask(f"a table is loaded with snapshots={snapshots}", "GET", c.table("detailed") + f"?snapshots={snapshots}")
    c.ask("a table in no namespace is loaded", "GET", c.table("plain", ns=["nowhere"]))
    c.ask("a table in no namespace is looked for", "HEAD", c.table("plain", ns=["nowhere"]))
    c.ask("a table is loaded as a client that asks for keys", "GET", c.table("plain"),
          headers={"X-Iceberg-Access-Delegation": "vended-credentials,remote-signing"})
    c.ask("a table is loaded as a client that asks for the unknown", "GET", c.table("plain"),
          headers={"X-Iceberg-Access-Delegation": "teleport"})
    c.ask("tables of no namespace are listed", "GET", c.ns("nowhere") + "/tables")
    tag = c.etag(c.table("plain"))
    c.ask("a table that is held is loaded", "GET", c.table("plain"), headers={"If-None-Match": tag})
    c.ask("a table is loaded with another's tag", "GET", c.table("detailed"), headers={"If-None-Match": tag})
    c.ask("a table that is held whole is loaded without old snapshots", "GET", c.table("plain") + "?snapshots=refs",
          headers={"If-None-Match": tag})
    for purge in ("?purgeRequested=false", "?purgeRequested=False", ""):
        create("a table to drop is made" + purge, "gone")
        c.ask(f"a table is dropped{purge}", "DELETE", c.table("gone") + purge)
        c.ask(f"a table that was dropped is loaded{purge}", "GET", c.table("gone"))
    c.ask("a table that is not there is dropped", "DELETE", c.table("nothing"))
    c.ask("a table in no namespace is dropped", "DELETE", c.table("plain", ns=["nowhere"]))
    c.ask("a namespace with tables is dropped", "DELETE", c.ns("shop"))


def renames(c):
    shop(c)
    for name in ("one", "two"):
        c.ask(f"{name} is made, to be renamed", "POST", c.ns("shop") + "/tables", {"name": name, "schema": SCHEMA})
    c.ask("a view in the way of a rename is made", "POST", c.ns("shop") + "/views", view_request("seen"))
    c.ask("a namespace to move to is made", "POST", "/namespaces", {"namespace": ["annex"]})

    def rename(step, source, target, kind="tables"):
        c.ask(step, "POST", f"/{kind}/rename", {"source": source, "destination": target})

    rename("a table is renamed to one that is there", table("one"), table("two"))
    rename("a table is renamed to itself", table("one"), table("one"))
    rename("a table is renamed to a view", table("one"), table("seen"))
    rename("a view is renamed to a table", table("seen"), table("one"), "views")
    rename("a view is renamed to itself", table("seen"), table("seen"), "views")
    rename("a table that is not there is renamed", table("none"), table("three"))
    rename("a view that is not there is renamed", table("none"), table("three"), "views")
    rename("a view is renamed as a table", table("seen"), table("three"))
    rename("a table is renamed as a view", table("one"), table("three"), "views")
    rename("a table is renamed into no namespace", table("one"), {"namespace": ["nowhere"], "name": "one"})
    rename("a view is renamed into no namespace", table("seen"), {"namespace": ["nowhere"], "name": "x"}, "views")
    rename("a table is renamed out of no namespace", {"namespace": ["nowhere"], "name": "one"}, table("three"))
    rename("a table is renamed", table("one"), table("three"))
    c.ask("a renamed table is loaded", "GET", c.table("three"))
    c.ask("a table is loaded by its old name", "GET", c.table("one"))
    rename("a table is moved", table("three"), {"namespace": ["annex"], "name": "three"})
    c.ask("a moved table is loaded", "GET", c.table("three", ns=["annex"]))
    rename("a view is renamed", table("seen"), table("looked"), "views")
    c.ask("a renamed view is loaded", "GET", c.view("looked"))
    c.ask("a view is loaded by its old name", "GET", c.view("seen"))
    for step, body in (("nothing", {}), ("no destination", {"source": table("two")}), ("no source", {"destination": table("x")}),
                       ("a text", {"source": "two", "destination": table("x")}),
                       ("no name", {"source": table("two"), "destination": {"namespace": ["shop"]}}),
                       ("an empty name", {"source": table("two"), "destination": table("")}),
                       ("no namespace", {"source": table("two"), "destination": {"name": "x"}})):
        c.ask(f"a table is renamed, with {step}", "POST", "/tables/rename", body)
        c.ask(f"a view is renamed, with {step}", "POST", "/views/rename", body)


def registers(c):
    shop(c)

    def register(step, name, file, **more):
        return c.ask(step, "POST", c.ns("shop") + "/register", {"name": name, "metadata-location": file, **more})

    first = c.make("registered", location=c.place("registered"))["metadata-location"]
    second = c.commit("registered", [{"action": "set-properties", "updates": {"k": "v"}}])["metadata-location"]
    register("a table that is there is registered", "registered", first)
    register("a table is registered over itself", "registered", first, overwrite=True)
    c.ask("a table that was registered over is loaded", "GET", c.table("registered"))
    register("a table is registered over itself again", "registered", second, overwrite=True)
    c.ask("a table to register is dropped", "DELETE", c.table("registered"))
    register("a dropped table is registered", "registered", second)
    c.ask("a registered table is loaded", "GET", c.table("registered"))
    c.ask("a registered table is dropped", "DELETE", c.table("registered"))
    register("a new table is registered with overwrite", "registered", first, overwrite=True)
    register("a file that is not there is registered", "x", c.place("never") + "/metadata/00000-x.metadata.json")
    register("a file with no metadata in it is registered", "x", c.file("nonsense/metadata/00000-x.metadata.json", "{}"))
    register("a file that is no JSON is registered", "x", c.file("nonsense/metadata/00001-x.metadata.json", "hello"))
    register("a table without a name is registered", None, first)
    register("a table with an empty name is registered", "", first)
    register("a table is registered without a file", "x", None)
    register("a table is registered with an empty file", "x", "")
    register("a table is registered with a number as its file", "x", 7)
    c.ask("a table is registered in no namespace", "POST", c.ns("nowhere") + "/register",
          {"name": "x", "metadata-location": first})
    c.ask("a view in the way of a register is made", "POST", c.ns("shop") + "/views", view_request("viewed"))
    register("a table is registered over a view", "viewed", first)


def staged(c):
    shop(c)

    def stage(step, name, **more):
        return c.ask(step, "POST", c.ns("shop") + "/tables", {"name": name, "schema": SCHEMA, "stage-create": True, **more})[1]

    made = stage("a table is staged", "later", **{"partition-spec": SPEC, "write-order": ORDER, "properties": {"k": "v"}})
    c.ask("a staged table is loaded", "GET", c.table("later"))
    c.ask("a staged table is looked for", "HEAD", c.table("later"))
    c.make("sooner")
    c.ask("tables are listed beside a staged one", "GET", c.ns("shop") + "/tables")
    c.commit_as("a staged table is committed to without asserting", "later", [], [{"action": "set-properties", "updates": {}}])
    updates = creation(made["metadata"])
    c.commit_as("a staged table is made", "later", [{"type": "assert-create"}], updates)
    c.ask("a table that was staged is loaded", "GET", c.table("later"))
    c.commit_as("a staged table is made again", "later", [{"type": "assert-create"}], updates)
    stage("a table that is there is staged", "later")
    c.ask("a table that is there is staged in no namespace", "POST", c.ns("nowhere") + "/tables",
          {"name": "x", "schema": SCHEMA, "stage-create": True})
    for version in (1, 3):
        made = stage(f"a table of format {version} is staged", f"later{version}", properties={"format-version": str(version)})
        c.commit_as(f"a staged table of format {version} is made", f"later{version}", [{"type": "assert-create"}],
                    creation(made["metadata"]) + [
                        {"action": "add-snapshot", "snapshot": snapshot(1, made["metadata"]["location"], version)},
                        {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 1}])
    for step, left_out in (("a schema", "schema"), ("a spec", "spec"), ("an order", "sort-order"), ("a location", "location"),
                           ("a uuid", "uuid")):
        name = "without " + left_out
        made = stage(f"a table to be made without {step} is staged", name)
        c.commit_as(f"a staged table is made without {step}", name, [{"type": "assert-create"}],
                    [u for u in creation(made["metadata"]) if left_out not in u["action"]])
    made = stage("a table to be made with other requirements is staged", "strict")
    c.commit_as("a staged table is made with two requirements", "strict",
                [{"type": "assert-create"}, {"type": "assert-table-uuid", "uuid": made["metadata"]["table-uuid"]}],
                creation(made["metadata"]))


def creation(m):
    """The commit by which a client makes a table that was staged as `m`."""
    return [{"action": "assign-uuid", "uuid": m["table-uuid"]},
            {"action": "upgrade-format-version", "format-version": m["format-version"]},
            {"action": "add-schema", "schema": m["schemas"][0], "last-column-id": m["last-column-id"]},
            {"action": "set-current-schema", "schema-id": -1},
            {"action": "add-spec", "spec": m["partition-specs"][0]}, {"action": "set-default-spec", "spec-id": -1},
            {"action": "add-sort-order", "sort-order": m["sort-orders"][0]},
            {"action": "set-default-sort-order", "sort-order-id": -1},
            {"action": "set-location", "location": m["location"]},
            {"action": "set-properties", "updates": m["properties"]}]


# ---- commits ----

def snapshot(identifier, location, version, parent=None, **more):
    s = {"snapshot-id": identifier, "timestamp-ms": T0 + identifier, "schema-id": 0, "summary": {"operation": "append"},
         "manifest-list": f"{location}/metadata/snap-{identifier}.avro"}
    if version > 1:
        s["sequence-number"] = identifier
    if version > 2:
        s.update({"first-row-id": 10 * (identifier - 1), "added-rows": 10})
    if parent:
        s["parent-snapshot-id"] = parent
    return {k: v for k, v in {**s, **more}.items() if v is not None}


def with_snapshots(c, name, version):
    """A table with two snapshots on main, a tag on the first and a branch on the second."""
    made = c.make(name, properties={"format-version": str(version)}, **{"partition-spec": SPEC, "write-order": ORDER})
    where = made["metadata"]["location"]
    return c.commit(name, [
        {"action": "add-snapshot", "snapshot": snapshot(1, where, version)},
        {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 1},
        {"action": "set-snapshot-ref", "ref-name": "first", "type": "tag", "snapshot-id": 1},
    ]) and c.commit(name, [
        {"action": "add-snapshot", "snapshot": snapshot(2, where, version, 1)},
        {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 2},
        {"action": "set-snapshot-ref", "ref-name": "side", "type": "branch", "snapshot-id": 2},
    ])["metadata"]


def requirements(c):
    shop(c)
    m = with_snapshots(c, "required", 2)
    good = [{"type": "assert-table-uuid", "uuid": m["table-uuid"]},
            {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": 2},
            {"type": "assert-ref-snapshot-id", "ref": "first", "snapshot-id": 1},
            {"type": "assert-ref-snapshot-id", "ref": "new", "snapshot-id": None},
            {"type": "assert-last-assigned-field-id", "last-assigned-field-id": 3},
            {"type": "assert-current-schema-id", "current-schema-id": 0},
            {"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 1000},
            {"type": "assert-default-spec-id", "default-spec-id": 0},
            {"type": "assert-default-sort-order-id", "default-sort-order-id": 1}]
    bad = [{"uuid": UUID}, {"snapshot-id": 9}, {"snapshot-id": 9}, {"snapshot-id": 1}, {"last-assigned-field-id": 9},
           {"current-schema-id": 9}, {"last-assigned-partition-id": 9}, {"default-spec-id": 9}, {"default-sort-order-id": 9}]

    def commit(step, *wanted):
        c.commit_as(step, "required", list(wanted), [])

    def called(r):
        return r["type"] + (" of " + r["ref"] if "ref" in r else "")

    commit("all requirements hold", *good)
    for r, wrong in zip(good, bad):
        commit(called(r) + " holds", r)
        commit(called(r) + " fails", {**r, **wrong})
        commit(called(r) + " holds in capitals", {**r, "type": r["type"].upper()})
        value = [k for k in r if k not in ("type", "ref")][0]
        commit(called(r) + " has no value", {k: v for k, v in r.items() if k != value})
        commit(called(r) + " has a list for a value", {**r, value: []})
        c.commit_as(called(r) + " of no table", "nothing", [r], [])
    commit("assert-table-uuid holds in capital letters", {**good[0], "uuid": m["table-uuid"].upper()})
    commit("assert-ref-snapshot-id expects none where there is one", {**good[1], "snapshot-id": None})
    commit("assert-ref-snapshot-id without a ref", {"type": "assert-ref-snapshot-id", "snapshot-id": 2})
    commit("assert-create of a table that is there", {"type": "assert-create"})
    commit("assert-create among others", {"type": "assert-create"}, good[0])
    commit("a requirement of no type", {"uuid": UUID})
    commit("a requirement of an unknown type", {"type": "assert-nothing"})
    commit("assert-view-uuid of a table", {"type": "assert-view-uuid", "uuid": m["table-uuid"]})
    commit("the second requirement fails", good[0], {**good[1], "snapshot-id": 9})
    commit("an unknown requirement after one that fails", {**good[1], "snapshot-id": 9}, {"type": "assert-nothing"})
    c.commit_as("a commit to no table", "nothing", [], [])
    c.commit_as("a commit in no namespace", "required", [], [], ns=["nowhere"])
    path = c.table("required")
    for step, body in (("no requirements", {"updates": []}), ("no updates", {"requirements": []}), ("nothing", {}),
                       ("null for both", {"requirements": None, "updates": None}), ("texts", {"requirements": "", "updates": ""}),
                       ("another identifier", {"identifier": table("other"), "requirements": [], "updates": []}),
                       ("its identifier", {"identifier": table("required"), "requirements": [], "updates": []}),
                       ("unknown members", {"requirements": [], "updates": [], "colour": "red"}),
                       ("a number for a requirement", {"requirements": [7], "updates": []}),
                       ("a number for an update", {"requirements": [], "updates": [7]})):
        c.ask(f"a commit with {step}", "POST", path, body)


def simple_updates(version):
    """Updates that need nothing of the table: (step, updates)."""
    def u(action, **more):
        return {"action": action, **{k.replace("_", "-"): v for k, v in more.items()}}

    wider = {**SCHEMA, "fields": SCHEMA["fields"] + [field(4, "more", "int")]}
    longer = copy.deepcopy(SCHEMA)
    longer["fields"][1]["type"] = "long"
    return [
        ("assign-uuid to another", [u("assign-uuid", uuid=UUID)]), ("assign-uuid to nothing", [u("assign-uuid")]),
        ("assign-uuid to no uuid", [u("assign-uuid", uuid="x")]),
        *[(f"upgrade-format-version to {v}", [u("upgrade-format-version", format_version=v)]) for v in (1, 2, 3, 4, 0)],
        ("upgrade-format-version to nothing", [u("upgrade-format-version")]),
        ("add-schema", [u("add-schema", schema=wider, last_column_id=4)]),
        ("add-schema without a last column", [u("add-schema", schema=wider)]),
        ("add-schema that is there", [u("add-schema", schema=SCHEMA)]),
        ("add-schema and set it", [u("add-schema", schema=wider), u("set-current-schema", schema_id=-1)]),
        ("add-schema that is there and set it", [u("add-schema", schema=SCHEMA), u("set-current-schema", schema_id=-1)]),
        ("add-schema twice and set it", [u("add-schema", schema=wider), u("add-schema", schema=wider),
                                         u("set-current-schema", schema_id=-1)]),
        ("add-schema without the column that partitions", [
            u("add-schema", schema={"type": "struct", "fields": SCHEMA["fields"][:1]}), u("set-current-schema", schema_id=-1)]),
        ("add-schema with a lower last column", [u("add-schema", schema=wider, last_column_id=1)]),
        ("add-schema of nothing", [u("add-schema")]),
        ("add-schema with one id twice", [u("add-schema", schema={"type": "struct", "fields": [
            field(1, "a", "int"), field(1, "b", "int")]})]),
        ("add-schema with one name twice", [u("add-schema", schema={"type": "struct", "fields": [
            field(1, "a", "int"), field(2, "a", "int")]})]),
        ("add-schema with variant", [u("add-schema", schema={"type": "struct", "fields": SCHEMA["fields"] + [
            field(4, "v", "variant")]})]),
        ("add-schema with timestamp_ns", [u("add-schema", schema={"type": "struct", "fields": SCHEMA["fields"] + [
            field(4, "v", "timestamp_ns")]})]),
        ("add-schema with a default", [u("add-schema", schema={"type": "struct", "fields": SCHEMA["fields"] + [
            field(4, "v", "int", **{"initial-default": 1, "write-default": 1})]})]),
        ("set-current-schema to 0", [u("set-current-schema", schema_id=0)]),
        ("set-current-schema to 9", [u("set-current-schema", schema_id=9)]),
        ("set-current-schema to the last of none", [u("set-current-schema", schema_id=-1)]),
        ("set-current-schema to nothing", [u("set-current-schema")]),
        ("add-spec", [u("add-spec", spec={"spec-id": 1, "fields": [
            {"source-id": 1, "field-id": 1001, "name": "b", "transform": "bucket[8]"}]})]),
        ("add-spec and set it", [u("add-spec", spec={"spec-id": 1, "fields": [
            {"source-id": 1, "field-id": 1001, "name": "b", "transform": "truncate[8]"}]}), u("set-default-spec", spec_id=-1)]),
        ("add-spec that is there", [u("add-spec", spec=SPEC)]),
        ("add-spec that is there and set it", [u("add-spec", spec=SPEC), u("set-default-spec", spec_id=-1)]),
        ("add-spec without ids", [u("add-spec", spec={"spec-id": 1, "fields": [{"source-id": 1, "name": "b", "transform": "bucket[8]"}]})]),
        ("add-spec of nothing", [u("add-spec")]), ("add-spec without columns", [u("add-spec", spec={"spec-id": 3, "fields": []})]),
        ("add-spec of no column", [u("add-spec", spec={"spec-id": 1, "fields": [{"source-id": 9, "field-id": 1001, "name": "b", "transform": "day"}]})]),
        ("add-spec of no transform", [u("add-spec", spec={"spec-id": 1, "fields": [
            {"source-id": 1, "field-id": 1001, "name": "b", "transform": "weird"}]})]),
        ("add-spec of a column's name", [u("add-spec", spec={"spec-id": 1, "fields": [
            {"source-id": 1, "field-id": 1001, "name": "name", "transform": "bucket[4]"}]})]),
        ("set-default-spec to 0", [u("set-default-spec", spec_id=0)]), ("set-default-spec to 9", [u("set-default-spec", spec_id=9)]),
        ("set-default-spec to the last of none", [u("set-default-spec", spec_id=-1)]),
        ("add-sort-order", [u("add-sort-order", sort_order={"order-id": 2, "fields": [
            {"source-id": 2, "transform": "day", "direction": "desc", "null-order": "nulls-last"}]})]),
        ("add-sort-order and set it", [u("add-sort-order", sort_order={"order-id": 9, "fields": [
            {"source-id": 2, "transform": "identity", "direction": "desc", "null-order": "nulls-last"}]}),
            u("set-default-sort-order", sort_order_id=-1)]),
        ("add-sort-order that is there", [u("add-sort-order", sort_order=ORDER)]),
        ("add-sort-order of none and set it", [u("add-sort-order", sort_order={"order-id": 0, "fields": []}),
                                               u("set-default-sort-order", sort_order_id=-1)]),
        ("add-sort-order of no column", [u("add-sort-order", sort_order={"order-id": 2, "fields": [
            {"source-id": 9, "transform": "day", "direction": "desc", "null-order": "nulls-last"}]})]),
        ("add-sort-order of nothing", [u("add-sort-order")]),
        ("set-default-sort-order to 1", [u("set-default-sort-order", sort_order_id=1)]),
        ("set-default-sort-order to 9", [u("set-default-sort-order", sort_order_id=9)]),
        ("set-default-sort-order to the last of none", [u("set-default-sort-order", sort_order_id=-1)]),
        ("set-properties", [u("set-properties", updates={"a": "1", "b": "2"})]),
        ("set-properties by its old name", [u("set-properties", updated={"a": "1"})]),
        ("set-properties of nothing", [u("set-properties")]), ("set-properties to a number", [u("set-properties", updates={"a": 1})]),
        ("set-properties to null", [u("set-properties", updates={"a": None})]),
        ("set-properties of format-version", [u("set-properties", updates={"format-version": "3"})]),
        ("set-properties of uuid", [u("set-properties", updates={"uuid": UUID})]),
        ("remove-properties", [u("set-properties", updates={"a": "1"}), u("remove-properties", removals=["a"])]),
        ("remove-properties by its old name", [u("remove-properties", removed=["a"])]),
        ("remove-properties that are not there", [u("remove-properties", removals=["never"])]),
        ("remove-properties of nothing", [u("remove-properties")]),
        ("set-location to nothing", [u("set-location")]), ("an unknown action", [u("grow-wings")]), ("no action", [{}]),
        ("an unknown action after one that fails", [u("set-current-schema", schema_id=9), u("grow-wings")]),
        ("an action in capitals", [u("SET-PROPERTIES", updates={"a": "1"})]),
        ("add-view-version on a table", [u("add-view-version", view_version=version_of("select 1"))]),
        ("set-current-view-version on a table", [u("set-current-view-version", view_version_id=1)]),
        ("remove-schemas of the current one", [u("remove-schemas", schema_ids=[0])]),
        ("remove-schemas that are not there", [u("remove-schemas", schema_ids=[9])]),
        ("remove-schemas of none", [u("remove-schemas", schema_ids=[])]), ("remove-schemas of nothing", [u("remove-schemas")]),
        ("remove-schemas of another", [u("add-schema", schema=wider), u("set-current-schema", schema_id=-1),
                                       u("remove-schemas", schema_ids=[0])]),
        ("remove-partition-specs of the default one", [u("remove-partition-specs", spec_ids=[0])]),
        ("remove-partition-specs that are not there", [u("remove-partition-specs", spec_ids=[9])]),
        ("remove-partition-specs of another", [u("add-spec", spec={"spec-id": 1, "fields": []}), u("set-default-spec", spec_id=-1),
                                               u("remove-partition-specs", spec_ids=[0])]),
        ("remove-partition-specs of nothing", [u("remove-partition-specs")]),
        ("add-encryption-key", [u("add-encryption-key", encryption_key={
            "key-id": "k1", "encrypted-key-metadata": "AAECAw==", "encrypted-by-id": "kms", "properties": {"p": "v"}})]),
        ("add-encryption-key twice", [u("add-encryption-key", encryption_key={"key-id": "k1", "encrypted-key-metadata": "AAEC"}),
                                      u("add-encryption-key", encryption_key={"key-id": "k1", "encrypted-key-metadata": "AAEC"})]),
        ("add-encryption-key of nothing", [u("add-encryption-key")]),
        ("remove-encryption-key", [u("add-encryption-key", encryption_key={"key-id": "k1", "encrypted-key-metadata": "AAEC"}),
                                   u("remove-encryption-key", key_id="k1")]),
        ("remove-encryption-key that is not there", [u("remove-encryption-key", key_id="k9")]),
        ("remove-encryption-key of nothing", [u("remove-encryption-key")]),
    ]


def snapshot_updates(where, version):
    """Updates of snapshots, refs and statistics of a table that `with_snapshots` made."""
    def u(action, **more):
        return {"action": action, **{k.replace("_", "-"): v for k, v in more.items()}}

    def add(identifier, parent=2, **more):
        return u("add-snapshot", snapshot=snapshot(identifier, where, version, parent, **{k.replace("_", "-"): v for k, v in more.items()}))

    def ref(name, identifier, kind="branch", **more):
        return u("set-snapshot-ref", ref_name=name, snapshot_id=identifier, type=kind, **more)

    def statistics(identifier, **more):
        return {"snapshot-id": identifier, "statistics-path": f"{where}/metadata/s{identifier}.puffin", "file-size-in-bytes": 10,
                "file-footer-size-in-bytes": 4, "blob-metadata": [
                    {"type": "t", "snapshot-id": identifier, "sequence-number": 1, "fields": [1], "properties": {"k": "v"}}], **more}

    partition = {"snapshot-id": 2, "statistics-path": f"{where}/metadata/p2.parquet", "file-size-in-bytes": 10}
    return [
        ("add-snapshot", [add(3)]), ("add-snapshot and main to it", [add(3), ref("main", 3)]),
        ("add-snapshot twice and main to both", [add(3), ref("main", 3), add(4, 3), ref("main", 4)]),
        ("add-snapshot that is there", [add(2)]), ("add-snapshot of an old sequence number", [add(3, sequence_number=2)]),
        ("add-snapshot without a parent", [add(3, None)]),
        ("add-snapshot without a parent and of an old number", [add(3, None, sequence_number=1)]),
        ("add-snapshot without a sequence number", [add(3, sequence_number=None)]),
        ("add-snapshot without a summary", [add(3, summary=None)]),
        ("add-snapshot without an operation", [add(3, summary={"k": "v"})]),
        ("add-snapshot without a time", [add(3, timestamp_ms=None)]), ("add-snapshot without files", [add(3, manifest_list=None)]),
        ("add-snapshot without a schema", [add(3, schema_id=None)]), ("add-snapshot without an id", [add(3, snapshot_id=None)]),
        ("add-snapshot of nothing", [u("add-snapshot")]), ("add-snapshot of a future time", [
            add(3, timestamp_ms=NOW + 3600000)]),
        ("add-snapshot of an early first row", [add(3, first_row_id=0)]),
        ("add-snapshot without a first row", [add(3, first_row_id=None)]),
        ("add-snapshot without rows", [add(3, added_rows=None)]), ("add-snapshot of a late first row", [add(3, first_row_id=100)]),
        ("add-snapshot with a key", [add(3, key_id="k")]),
        ("set-snapshot-ref of a new branch", [ref("fresh", 1)]), ("set-snapshot-ref of a new tag", [ref("fresh", 1, "tag")]),
        ("set-snapshot-ref as it is", [ref("side", 2)]), ("set-snapshot-ref of main as it is", [ref("main", 2)]),
        ("set-snapshot-ref of main back", [ref("main", 1)]), ("set-snapshot-ref of main as a tag", [ref("main", 2, "tag")]),
        ("set-snapshot-ref to no snapshot", [ref("side", 9)]), ("set-snapshot-ref of no kind", [ref("side", 2, "twig")]),
        ("set-snapshot-ref in capitals", [ref("side", 2, "BRANCH", max_ref_age_ms=5)]),
        ("set-snapshot-ref without a name", [ref(None, 2)]), ("set-snapshot-ref with an empty name", [ref("", 2)]),
        ("set-snapshot-ref without a snapshot", [ref("side", None)]),
        ("set-snapshot-ref of a tag to a branch", [ref("first", 1)]),
        ("set-snapshot-ref of a branch with all it keeps", [
            ref("side", 2, min_snapshots_to_keep=3, max_snapshot_age_ms=4, max_ref_age_ms=5)]),
        ("set-snapshot-ref of a tag with its age", [ref("first", 1, "tag", max_ref_age_ms=5)]),
        ("set-snapshot-ref of a tag that keeps snapshots", [ref("first", 1, "tag", min_snapshots_to_keep=5)]),
        ("set-snapshot-ref that keeps none", [ref("side", 2, min_snapshots_to_keep=0)]),
        ("set-snapshot-ref of an age below 0", [ref("side", 2, max_ref_age_ms=-1)]),
        ("remove-snapshot-ref", [u("remove-snapshot-ref", ref_name="side")]),
        ("remove-snapshot-ref that is not there", [u("remove-snapshot-ref", ref_name="none")]),
        ("remove-snapshot-ref of main", [u("remove-snapshot-ref", ref_name="main")]),
        ("remove-snapshot-ref of nothing", [u("remove-snapshot-ref")]),
        ("remove-snapshots of the first", [u("remove-snapshots", snapshot_ids=[1])]),
        ("remove-snapshots of the current one", [u("remove-snapshots", snapshot_ids=[2])]),
        ("remove-snapshots of all", [u("remove-snapshots", snapshot_ids=[1, 2])]),
        ("remove-snapshots that are not there", [u("remove-snapshots", snapshot_ids=[9])]),
        ("remove-snapshots of none", [u("remove-snapshots", snapshot_ids=[])]),
        ("remove-snapshots of nothing", [u("remove-snapshots")]), ("remove-snapshots of texts", [u("remove-snapshots", snapshot_ids=["1"])]),
        ("set-statistics", [u("set-statistics", statistics=statistics(2))]),
        ("set-statistics with its snapshot twice", [u("set-statistics", statistics=statistics(2), snapshot_id=2)]),
        ("set-statistics with another snapshot", [u("set-statistics", statistics=statistics(2), snapshot_id=1)]),
        ("set-statistics twice", [u("set-statistics", statistics=statistics(2)),
                                  u("set-statistics", statistics=statistics(2, **{"file-size-in-bytes": 11}))]),
        ("set-statistics of no snapshot", [u("set-statistics", statistics=statistics(9))]),
        ("set-statistics of nothing", [u("set-statistics")]),
        ("set-statistics without a size", [u("set-statistics", statistics={k: v for k, v in statistics(2).items() if "size" not in k})]),
        ("remove-statistics", [u("set-statistics", statistics=statistics(2)), u("remove-statistics", snapshot_id=2)]),
        ("remove-statistics that are not there", [u("remove-statistics", snapshot_id=9)]),
        ("remove-statistics of nothing", [u("remove-statistics")]),
        ("remove-snapshots with statistics", [u("set-statistics", statistics=statistics(1)), u("remove-snapshots", snapshot_ids=[1])]),
        ("set-partition-statistics", [u("set-partition-statistics", partition_statistics=partition)]),
        ("set-partition-statistics of nothing", [u("set-partition-statistics")]),
        ("set-partition-statistics without a path", [u("set-partition-statistics", partition_statistics={"snapshot-id": 2})]),
        ("remove-partition-statistics", [u("set-partition-statistics", partition_statistics=partition),
                                         u("remove-partition-statistics", snapshot_id=2)]),
        ("remove-partition-statistics that are not there", [u("remove-partition-statistics", snapshot_id=9)]),
        ("replacing the table", [u("add-schema", schema={"type": "struct", "fields": [field(1, "id", "long", True)]}),
                                 u("set-current-schema", schema_id=-1), u("add-spec", spec={"spec-id": 1, "fields": []}),
                                 u("set-default-spec", spec_id=-1), u("remove-snapshot-ref", ref_name="main")]),
    ]


def updates_of(version):
    def scenario(c):
        shop(c)
        for i, (step, updates) in enumerate(simple_updates(version)):
            name = f"v{version}s{i}"
            c.make(name, properties={"format-version": str(version)}, **{"partition-spec": SPEC, "write-order": ORDER})
            c.commit_as(f"format {version}: {step}", name, [], updates)
        for i in range(len(snapshot_updates("", version))):
            name = f"v{version}t{i}"
            m = with_snapshots(c, name, version)
            step, updates = snapshot_updates(m["location"], version)[i]
            c.commit_as(f"format {version}: {step}", name, [], updates)
    scenario.__name__ = f"updates of format {version}"
    return scenario


def places(c):
    shop(c)
    c.make("moving", location=c.place("moving"))
    c.commit_as("a table is moved to another place", "moving", [], [{"action": "set-location", "location": c.place("moved")}])
    c.commit_as("a table's history is kept short", "moving", [], [
        {"action": "set-properties", "updates": {"write.metadata.previous-versions-max": "1"}}])
    c.commit_as("a table's history is short", "moving", [], [{"action": "set-properties", "updates": {"k": "v"}}])
    c.ask("a table of a short history is loaded", "GET", c.table("moving"))
    c.commit_as("a table's property is set as it is", "moving", [], [{"action": "set-properties", "updates": {"k": "v"}}])
    c.commit_as("a table is moved to where it is", "moving", [], [{"action": "set-location", "location": c.place("moved")}])


# ---- views ----

def version_of(sql, identifier=1, dialects=("spark",), **more):
    return {"version-id": identifier, "timestamp-ms": T0 + identifier if identifier > 1 else NOW, "schema-id": 0, "summary": {},
            "default-namespace": ["shop"], "representations": [
                {"type": "sql", "sql": sql, "dialect": d} for d in dialects], **more}


VIEW_SCHEMA = {"type": "struct", "schema-id": 0, "fields": [field(0, "id", "int")]}


def view_request(name, **more):
    return {"name": name, "schema": VIEW_SCHEMA, "view-version": version_of("select 1"), "properties": {"k": "v"}, **more}


def views(c):
    shop(c)

    def create(step, name, **more):
        return c.ask(step, "POST", c.ns("shop") + "/views", view_request(name, **more))[1]

    def without(member, of=None):
        return {k: v for k, v in (of or version_of("select 1")).items() if k != member}

    create("a view is made", "seen")
    create("a view that is there is made", "seen")
    create("a view without properties is made", "unowned", properties=None)
    create("a view of two dialects is made", "bilingual", **{"view-version": version_of("select 1", dialects=("spark", "trino"))})
    create("a view of one dialect twice is made", "twice", **{"view-version": version_of("select 1", dialects=("spark", "SPARK"))})
    create("a view of version 5 is made", "fifth", **{"view-version": version_of("select 1", 5)})
    create("a view with a catalog of its own is made", "abroad", **{"view-version": version_of("select 1", **{"default-catalog": "other"})})
    create("a view in a chosen place is made", "placed", location=c.place("placed-view"))
    create("a view of nested columns is made", "nested", schema=NESTED)
    for member in ("version-id", "timestamp-ms", "schema-id", "summary", "default-namespace", "representations"):
        create(f"a view without {member} is made", "less " + member, **{"view-version": without(member)})
    create("a view of another schema is made", "elsewhere", **{"view-version": version_of("select 1", **{"schema-id": 9})})
    create("a view of the last schema is made", "last", **{"view-version": version_of("select 1", **{"schema-id": -1})})
    create("a view without SQL is made", "silent", **{"view-version": version_of("select 1", representations=[])})
    create("a view of another representation is made", "strange", **{"view-version": version_of(
        "x", representations=[{"type": "plan", "plan": "x"}])})
    create("a view without a schema is made", "schemaless", schema=None)
    create("a view without a version is made", "versionless", **{"view-version": None})
    create("a view without a name is made", None)
    create("a view with an empty name is made", "")
    c.ask("a view in no namespace is made", "POST", c.ns("nowhere") + "/views", view_request("v"))
    c.make("tabled")
    create("a view of a table's name is made", "tabled")
    c.ask("a table of a view's name is made", "POST", c.ns("shop") + "/tables", {"name": "seen", "schema": SCHEMA})
    c.ask("a table of a view's name is staged", "POST", c.ns("shop") + "/tables",
          {"name": "seen", "schema": SCHEMA, "stage-create": True})
    for name in ("seen", "nothing", "tabled"):
        c.ask(f"the view {name} is loaded", "GET", c.view(name))
        c.ask(f"the view {name} is looked for", "HEAD", c.view(name))
        c.ask(f"{name} is loaded as a table", "GET", c.table(name))
    c.ask("views of no namespace are listed", "GET", c.ns("nowhere") + "/views")
    c.ask("tables are listed beside views", "GET", c.ns("shop") + "/tables")
    c.ask("a view in no namespace is loaded", "GET", c.view("seen", ns=["nowhere"]))
    c.ask("a table is dropped as a view", "DELETE", c.view("tabled"))
    c.ask("a view is dropped as a table", "DELETE", c.table("seen"))
    c.ask("a view that is not there is dropped", "DELETE", c.view("nothing"))
    c.ask("a namespace with views is dropped", "DELETE", c.ns("shop"))
    c.ask("a view is dropped", "DELETE", c.view("bilingual"))
    c.ask("a view that was dropped is loaded", "GET", c.view("bilingual"))


def view_commits(c):
    shop(c)

    def u(action, **more):
        return {"action": action, **{k.replace("_", "-"): v for k, v in more.items()}}

    other = {"type": "struct", "schema-id": 1, "fields": [field(0, "id", "long"), field(1, "more", "string")]}
    second = u("add-view-version", view_version=version_of("select 2", 2))
    current = u("set-current-view-version", view_version_id=-1)
    cases = [
        ("nothing", [], []), ("a new version", [second, current], []), ("a new version that is not set", [second], []),
        ("two new versions", [second, u("add-view-version", view_version=version_of("select 3", 3)), current], []),
        ("a version of a taken id", [u("add-view-version", view_version=version_of("select 2", 1)), current], []),
        ("the version that is there", [u("add-view-version", view_version=version_of("select 1", 1)), current], []),
        ("a new version twice", [second, second, current], []),
        ("a new schema", [u("add-schema", schema=other), u("add-view-version", view_version=version_of(
            "select 2", 2, **{"schema-id": -1})), current], []),
        ("the schema that is there", [u("add-schema", schema=VIEW_SCHEMA), u("add-view-version", view_version=version_of(
            "select 2", 2, **{"schema-id": -1})), current], []),
        ("a version of no schema", [u("add-view-version", view_version=version_of("select 2", 2, **{"schema-id": 9})), current], []),
        ("a version of the last schema of none", [u("add-view-version", view_version=version_of(
            "select 2", 2, **{"schema-id": -1})), current], []),
        ("a version that loses its dialect", [u("add-view-version", view_version=version_of("select 2", 2, ("trino",))), current], []),
        ("a version that may lose its dialect", [u("set-properties", updates={"replace.drop-dialect.allowed": "true"}),
                                                 u("add-view-version", view_version=version_of("select 2", 2, ("trino",))), current], []),
        ("a version of one dialect twice", [u("add-view-version", view_version=version_of("select 2", 2, ("trino", "TRINO"))), current], []),
        ("a version of nothing", [u("add-view-version")], []), ("the current version as it is", [u("set-current-view-version", view_version_id=1)], []),
        ("no current version", [u("set-current-view-version", view_version_id=9)], []),
        ("the last version of none", [current], []), ("the current version of nothing", [u("set-current-view-version")], []),
        ("set-properties", [u("set-properties", updates={"k": "w", "l": "m"})], []),
        ("set-properties as they are", [u("set-properties", updates={"k": "v"})], []),
        ("set-properties of nothing", [u("set-properties")], []),
        ("remove-properties", [u("remove-properties", removals=["k"])], []),
        ("remove-properties that are not there", [u("remove-properties", removals=["never"])], []),
        ("set-location", [u("set-location", location=c.place("view-moved"))], []),
        ("set-location to nothing", [u("set-location")], []),
        ("assign-uuid to another", [u("assign-uuid", uuid=UUID)], []), ("assign-uuid to nothing", [u("assign-uuid")], []),
        ("upgrade-format-version to 1", [u("upgrade-format-version", format_version=1)], []),
        ("upgrade-format-version to 2", [u("upgrade-format-version", format_version=2)], []),
        ("an unknown action", [u("grow-wings")], []), ("a table's update", [u("add-spec", spec=SPEC)], []),
        ("a snapshot", [u("add-snapshot", snapshot=snapshot(1, "file:/tmp", 2))], []),
        ("another's uuid", [], [{"type": "assert-view-uuid", "uuid": UUID}]),
        ("no uuid", [], [{"type": "assert-view-uuid"}]), ("a table's requirement", [], [{"type": "assert-table-uuid", "uuid": UUID}]),
        ("an unknown requirement", [], [{"type": "assert-nothing"}]), ("assert-create", [], [{"type": "assert-create"}]),
        ("a short history", [u("set-properties", updates={"version.history.num-entries": "1"}), second, current], []),
        ("a history of none", [u("set-properties", updates={"version.history.num-entries": "0"}), second, current], []),
    ]
    c.post(c.ns("shop") + "/views", view_request("b"))
    c.post(c.ns("shop") + "/views", view_request("a"))
    c.ask("views are listed", "GET", c.ns("shop") + "/views")
    for i, (step, updates, wanted) in enumerate(cases):
        name = f"view{i}"
        c.post(c.ns("shop") + "/views", view_request(name))
        c.ask(f"a view, committed to: {step}", "POST", c.view(name), {"requirements": wanted, "updates": updates})
        c.ask(f"a view, loaded after: {step}", "GET", c.view(name))
    uuid = c.post(c.ns("shop") + "/views", view_request("itself"))["metadata"]["view-uuid"]
    held = [{"type": "assert-view-uuid", "uuid": uuid}]
    c.ask("a view is committed to with its uuid", "POST", c.view("itself"), {"requirements": held, "updates": [second, current]})
    c.ask("a view is assigned its uuid", "POST", c.view("itself"), {"requirements": [], "updates": [u("assign-uuid", uuid=uuid)]})
    for i in range(3, 15):
        c.post(c.view("itself"), {"requirements": held, "updates": [
            u("add-view-version", view_version=version_of(f"select {i}", i)), current]})
    c.ask("a view of many versions is loaded", "GET", c.view("itself"))
    c.ask("a view that is not there is committed to", "POST", c.view("nothing"), {"requirements": [], "updates": []})
    c.ask("a table is committed to as a view", "POST", c.view("tabled"), {"requirements": [], "updates": []})
    for step, body in (("no updates", {"requirements": []}), ("no requirements", {"updates": []}), ("nothing", {})):
        c.ask(f"a view is committed to, with {step}", "POST", c.view("itself"), body)


# ---- transactions, reports, what is malformed ----

def transactions(c):
    shop(c)
    for name in ("left", "right"):
        c.make(name)

    def change(name, wanted=(), updates=None):
        return {"identifier": table(name), "requirements": list(wanted),
                "updates": [{"action": "set-properties", "updates": {"k": name}}] if updates is None else updates}

    def commit(step, *changes):
        c.ask(step, "POST", "/transactions/commit", {"table-changes": list(changes)})
        for name in ("left", "right"):
            c.ask(f"{step}, and {name} is loaded", "GET", c.table(name))

    wrong = [{"type": "assert-table-uuid", "uuid": UUID}]
    commit("two tables change at once", change("left"), change("right"))
    commit("of two tables one does not hold", change("left", updates=[{"action": "set-properties", "updates": {"x": "y"}}]),
           change("right", wrong))
    commit("of two tables one is not there", change("left", updates=[{"action": "set-properties", "updates": {"x": "y"}}]),
           change("nothing"))
    commit("of two tables one cannot change", change("left", updates=[{"action": "set-properties", "updates": {"x": "y"}}]),
           change("right", updates=[{"action": "set-current-schema", "schema-id": 9}]))
    commit("a transaction of no table")
    commit("a transaction of one table", change("right", updates=[{"action": "set-properties", "updates": {"one": "two"}}]))
    commit("a transaction of an unknown update", change("right", updates=[{"action": "grow-wings"}]))
    commit("a transaction of an unknown requirement", change("right", [{"type": "assert-nothing"}]))
    commit("a transaction without an identifier", {"requirements": [], "updates": []})
    for step, body in (("nothing", {}), ("null", {"table-changes": None}), ("a text", {"table-changes": "left"}),
                       ("a number", {"table-changes": [7]})):
        c.ask(f"a transaction of {step}", "POST", "/transactions/commit", body)


def reports(c):
    shop(c)
    c.make("reported")
    scan = {"report-type": "scan-report", "table-name": "shop.reported", "snapshot-id": 1, "filter": {"type": "eq", "term": "id", "value": 1},
            "schema-id": 0, "projected-field-ids": [1], "projected-field-names": ["id"], "metrics": {
                "total-planning-duration": {"count": 1, "time-unit": "nanoseconds", "total-duration": 10},
                "result-data-files": {"unit": "count", "value": 1}}, "metadata": {"k": "v"}}
    commit = {"report-type": "commit-report", "table-name": "shop.reported", "snapshot-id": 1, "sequence-number": 1,
              "operation": "append", "metrics": {"attempts": {"unit": "count", "value": 1}}, "metadata": {}}
    path = c.table("reported") + "/metrics"
    c.ask("a scan is reported", "POST", path, scan)
    c.ask("a commit is reported", "POST", path, commit)
    c.ask("a report of no type is sent", "POST", path, {k: v for k, v in scan.items() if k != "report-type"})
    c.ask("a report of an unknown type is sent", "POST", path, {**scan, "report-type": "weather-report"})
    c.ask("a report of no metrics is sent", "POST", path, {k: v for k, v in scan.items() if k != "metrics"})
    c.ask("a report of nothing is sent", "POST", path, {})
    c.ask("a scan of no table is reported", "POST", c.table("nothing") + "/metrics", scan)


def malformed(c):
    shop(c)
    c.make("formed")
    for what, path in (("a namespace", "/namespaces"), ("a table", c.ns("shop") + "/tables"), ("a view", c.ns("shop") + "/views"),
                       ("properties", c.ns("shop") + "/properties"), ("a commit", c.table("formed")),
                       ("a rename", "/tables/rename"), ("a transaction", "/transactions/commit"),
                       ("a registration", c.ns("shop") + "/register")):
        for step, text in (("nothing", b""), ("no JSON", b"{"), ("a list", b"[]"), ("a number", b"7"), ("null", b"null"),
                           ("two values", b"{} {}"), ("no UTF-8", b'{"name": "\xff\xfe"}'), ("a NUL", b'{"name": "a\x00b"}')):
            c.ask(f"{what} is sent as {step}", "POST", path, raw=text)
    for method in ("PUT", "PATCH", "OPTIONS"):
        c.ask(f"{method} of a table", method, c.table("formed"))
    c.ask("a path that is not served", "GET", "/wings")
    c.ask("a path that is too long", "GET", c.table("formed") + "/wings")
    c.ask("a namespace without a name is loaded", "GET", "/namespaces/")
    c.ask("a table without a name is loaded", "GET", c.ns("shop") + "/tables/")
    for query in ("?unknown=1", "?snapshots=all&snapshots=refs", "?&&", "?=", "?snapshots"):
        c.ask(f"a table is loaded with {query}", "GET", c.table("formed") + query)


def shop(c):
    """The namespace of most scenarios."""
    c.post("/namespaces", {"namespace": ["shop"]})


SCENARIOS = [namespaces, spellings, paging, tables, renames, registers, staged, requirements, updates_of(1), updates_of(2),
             updates_of(3), places, views, view_commits, transactions, reports, malformed]
