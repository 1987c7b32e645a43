/*
 * limits.h - every limit on what comes from outside: its unit, and why it is what it is.
 *
 * Each has a test that reaches it and one that goes past it.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum {
    /* HTTP: a head holds one token (8 KB) and some headers; nginx's large buffers are 32 KB. */
    LIMIT_HTTP_HEAD_BYTES = 32 * 1024,
    LIMIT_HTTP_HEADERS = 100,
    LIMIT_HTTP_TARGET_BYTES = 16 * 1024,
    /* A commit carries schemas and snapshots, never data: Java's largest seen is under 4 MB. */
    LIMIT_HTTP_BODY_BYTES = 16 * 1024 * 1024,
    LIMIT_HTTP_UNREAD_BYTES = 16 * 1024,   /* of a body that nobody reads: a GET's */
    LIMIT_TOKEN_REQUEST_BYTES = 16 * 1024, /* names, secrets, or a token of LIMIT_TOKEN_BYTES */
    LIMIT_HTTP_BODY_MEMORY = 256 * 1024 * 1024, /* what the values of a JSON body may take */
    LIMIT_HTTP_MEMORY = 1024 * 1024 * 1024, /* bodies, values, replies of all, at most: shares.h */
    LIMIT_HTTP_HEAD_MS = 10 * 1000,
    LIMIT_HTTP_BODY_MS = 60 * 1000,
    LIMIT_HTTP_IDLE_MS = 120 * 1000,
    LIMIT_CONNECTIONS = 20000,            /* per loop; each costs about 1 KB when idle */
    LIMIT_CALLS_WAITING = 4096,           /* calls per loop that wait for a mint or a query */
    LIMIT_AUDIT_BYTES = 16 * 1024 * 1024, /* records that wait for their sinks */
    LIMIT_COMPUTATIONS = 256,             /* long ones, of all callers: waiting and running */
    LIMIT_REPLY_BYTES = 65 * 1024 * 1024, /* the largest metadata file, and what goes with it */

    /* What we read from others. */
    LIMIT_RESPONSE_BYTES = 64 * 1024 * 1024,  /* one answer of a store or of the API server */
    LIMIT_RESPONSE_HEAD_BYTES = 128 * 1024,   /* its head: stores send a few KB */
    LIMIT_WATCH_LINE_BYTES = 4 * 1024 * 1024, /* etcd's objects end at 1.5 MB */
    LIMIT_JSON_DEPTH = 64,
    LIMIT_YAML_BYTES = 4 * 1024 * 1024, /* one manifest file */
    LIMIT_YAML_NODES = 200000,
    LIMIT_XML_BYTES = 4 * 1024 * 1024,
    LIMIT_XML_NODES = 100000,
    LIMIT_XML_DEPTH = 32,
    LIMIT_FORM_FIELDS = 32,

    /* Tokens. */
    LIMIT_TOKEN_BYTES = 8 * 1024, /* a JWT with many groups; the head's limit stands behind it */
    LIMIT_IDENTITY_TOKEN_BYTES = 20000,        /* what AWS STS takes as a web identity */
    LIMIT_TOKENS_KEPT_BYTES = 4 * 1024 * 1024, /* verified ones, of a loop */
    LIMIT_JWKS_KEYS = 64,
    LIMIT_CLOCK_SKEW_MS = 60 * 1000,
    LIMIT_OWN_TOKEN_TTL_MS = 60 * 60 * 1000,

    /* Iceberg. */
    LIMIT_METADATA_BYTES = 64 * 1024 * 1024,
    /* What its values may take in memory: 75,000 snapshots, or 300 schemas of 1,000 columns. */
    LIMIT_METADATA_MEMORY = 512 * 1024 * 1024,
    LIMIT_ANSWERS_BYTES = 256 * 1024 * 1024,       /* with credentials, to repeat; of all loops */
    LIMIT_METADATA_CACHE_BYTES = 64 * 1024 * 1024, /* in memory, of all loops together */
    LIMIT_FILES_FORGOTTEN = 100, /* old metadata files that one commit takes away */
    LIMIT_SCHEMA_DEPTH = 32,
    LIMIT_SCHEMA_FIELDS = 10000,
    LIMIT_NAME_BYTES = 255, /* one level of a namespace, or a table's name */
    LIMIT_NAMESPACE_LEVELS = 16,
    LIMIT_LOCATION_BYTES = 1024, /* an S3 key's limit */
    LIMIT_PROPERTIES = 1000,
    /* All properties of one, as JSON: every table that is made in it reads them. */
    LIMIT_NAMESPACE_BYTES = 1024 * 1024,
    LIMIT_COMMIT_UPDATES = 1000,
    /* A commit's look-up tables of lists and schemas, beside the values themselves: 100,000
     * snapshots with statistics take 40 MB. */
    LIMIT_COMMIT_MEMORY = 128 * 1024 * 1024,
    LIMIT_METADATA_ENTRIES = 100000, /* of one list: snapshots, logs; tables have thousands */
    LIMIT_LAYOUT_FIELDS = 1000,      /* of one partition spec or sort order */
    LIMIT_COMMIT_RETRIES = 5,
    LIMIT_TRANSACTION_TABLES = 64, /* each is read, written and named in one record */
    /* A table of 10,000 columns, all of them projected; engines report some 20 numbers. */
    LIMIT_REPORT_BYTES = 512 * 1024,
    LIMIT_REPORT_METRICS = 64,
    /* What is recorded under an Idempotency-Key beside a file's name: the names of properties. */
    LIMIT_KEPT_ANSWER_BYTES = 64 * 1024,
    LIMIT_VIEW_SQL_BYTES = 1024 * 1024,
    LIMIT_VIEW_REPRESENTATIONS = 50, /* one for each dialect */
    LIMIT_VIEW_SCHEMAS = 1000,
    LIMIT_VIEW_VERSIONS = 100,
    LIMIT_MANIFEST_BYTES = 64 * 1024 * 1024,   /* as it lies there; engines aim at 8 MB */
    LIMIT_AVRO_BLOCK_BYTES = 64 * 1024 * 1024, /* unpacked; blocks have 64 KB, some are a file */
    LIMIT_AVRO_SCHEMA_BYTES = 1024 * 1024,     /* 1,000 fields of a partition take 200 KB */
    LIMIT_AVRO_TYPES = 20000, /* of one schema: a partition of LIMIT_LAYOUT_FIELDS has 2,000 */
    LIMIT_AVRO_DEPTH = 32,
    LIMIT_PURGE_DELETES = 500, /* a second; S3 takes 3,500 for one prefix, and others work there */

    /* Vending. */
    LIMIT_SESSION_POLICY_CHARS = 2048, /* AWS STS and RGW 16 refuse more */
    LIMIT_SESSION_NAME_CHARS = 64,
    LIMIT_TAG_VALUE_CHARS = 256, /* of a session tag at AWS STS */
    LIMIT_MINTS_IN_FLIGHT = 1024,
    LIMIT_MINT_CACHE_ENTRIES = 100000,
    LIMIT_MINT_CACHE_BYTES = 128 * 1024 * 1024, /* with session tokens, of 1 KB and more */
    LIMIT_MINT_MS = 10 * 1000,
    LIMIT_MIN_TTL_SECONDS = 900,
    LIMIT_MAX_TTL_SECONDS = 43200,
    LIMIT_OTHER_ROLES = 64, /* that a probe tries to assume */
    LIMIT_CHAINED_TTL_SECONDS = 3600,

    /* Kubernetes. */
    LIMIT_OBJECTS = 200000,
    LIMIT_KUBE_CALL_MS = 30 * 1000,
    LIMIT_WATCH_SILENCE_MS = 3 * 60 * 1000,
    LIMIT_EXEC_PLUGIN_MS = 60 * 1000,
    LIMIT_CREDENTIAL_BYTES = 1024 * 1024, /* a bundle of authorities; a plugin's whole output */
};

#endif
