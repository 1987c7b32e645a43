"""How the days of engines tell what came of each step: a JSON line with its name and what it gave."""
import json
import os

URI, STORE = os.environ["URI"], os.environ["STORE"]
CREDENTIAL, SCOPE = os.environ["CREDENTIAL"], os.environ["SCOPE"]
TOKENS = URI + "/v1/oauth/tokens"


def tell(name, do):
    try:
        print(json.dumps([name, do()], default=str), flush=True)
    except Exception as e:  # whatever an engine throws is the outcome
        print(json.dumps([name, "failed: " + str(e)[:2000]]), flush=True)


def run(statements, execute):
    """Each line is a statement; execute(statement) gives its rows."""
    for statement in statements.strip().splitlines():
        tell(statement, lambda s=statement: execute(s))


def pyiceberg_catalog(warehouse="analytics"):
    from pyiceberg.catalog import load_catalog

    return load_catalog(warehouse, **{"type": "rest", "uri": URI, "warehouse": warehouse, "credential": CREDENTIAL,
                                        "scope": SCOPE, "oauth2-server-uri": TOKENS})
