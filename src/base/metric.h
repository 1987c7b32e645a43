/*
 * metric.h - counters and gauges, per thread, summed when they are read.
 *
 * To add one: a line below, an increment where it happens. Names, types and labels are those of the
 * Prometheus text format 0.0.4; rows of one name stand together.
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdint.h>

#include "base/buf.h"

/* X(constant, type, name, labels, help) */
#define METRICS(X)                                                                               \
    X(REQUESTS_2XX, "counter", "frontdesk_http_requests_total", "code=\"2xx\"",                  \
      "Requests answered, by class of status")                                                   \
    X(REQUESTS_3XX, "counter", "frontdesk_http_requests_total", "code=\"3xx\"", "")              \
    X(REQUESTS_4XX, "counter", "frontdesk_http_requests_total", "code=\"4xx\"", "")              \
    X(REQUESTS_5XX, "counter", "frontdesk_http_requests_total", "code=\"5xx\"", "")              \
    X(CONNECTIONS, "gauge", "frontdesk_http_connections", "", "Open client connections")         \
    X(CONNECTIONS_REFUSED, "counter", "frontdesk_http_connections_refused_total", "",            \
      "Connections answered 503 because the limit was reached")                                  \
    X(SHARED_BYTES, "gauge", "frontdesk_shared_bytes", "",                                       \
      "Memory that callers and peers make it hold: bodies, their values, replies not yet read")  \
    X(SHARED_BYTES_MAX, "gauge", "frontdesk_shared_bytes_max", "",                               \
      "The most of it, of which no caller holds more than is free")                              \
    X(VENDS_GRANTED, "counter", "frontdesk_vends_total", "result=\"granted\"",                   \
      "Credentials handed to clients")                                                           \
    X(VENDS_DENIED, "counter", "frontdesk_vends_total", "result=\"denied\"", "")                 \
    X(VENDS_FAILED, "counter", "frontdesk_vends_total", "result=\"failed\"", "")                 \
    X(MINTS, "counter", "frontdesk_mints_total", "result=\"ok\"",                                \
      "Credentials obtained from token services")                                                \
    X(MINTS_FAILED, "counter", "frontdesk_mints_total", "result=\"failed\"", "")                 \
    X(MINT_CACHE_HITS, "counter", "frontdesk_mint_cache_total", "result=\"hit\"",                \
      "Look-ups in the credential cache")                                                        \
    X(MINT_CACHE_MISSES, "counter", "frontdesk_mint_cache_total", "result=\"miss\"", "")         \
    X(AUTH_FAILED, "counter", "frontdesk_authentication_failures_total", "",                     \
      "Requests refused with 401")                                                               \
    X(DENIED, "counter", "frontdesk_denied_total", "", "Requests refused with 403")              \
    X(COMMITS, "counter", "frontdesk_commits_total", "result=\"ok\"", "Table commits")           \
    X(COMMIT_CONFLICTS, "counter", "frontdesk_commits_total", "result=\"conflict\"", "")         \
    X(COMMITS_UNKNOWN, "counter", "frontdesk_commits_total", "result=\"unknown\"", "")           \
    X(REPLAYS, "counter", "frontdesk_replays_total", "",                                         \
      "Requests that were answered as they were before, by their Idempotency-Key")               \
    X(METADATA_UNUSABLE, "counter", "frontdesk_metadata_unusable_total", "",                     \
      "Reads of a table or view whose metadata file was missing, too large or no metadata")      \
    X(METADATA_TAMPERED, "counter", "frontdesk_metadata_tampered_total", "",                     \
      "Metadata files that were read and are not what was committed")                            \
    X(STORE_USABLE, "gauge", "frontdesk_store_usable", "",                                       \
      "Whether the catalog's database could be used when it was last asked")                     \
    X(PURGES_DONE, "counter", "frontdesk_purges_total", "result=\"done\"",                       \
      "Attempts to delete the files of a purged table")                                          \
    X(PURGES_FAILED, "counter", "frontdesk_purges_total", "result=\"failed\"", "")               \
    X(PURGE_FILES, "counter", "frontdesk_purge_files_total", "result=\"deleted\"",               \
      "Files that purged tables name, by what became of them")                                   \
    X(PURGE_FOREIGN, "counter", "frontdesk_purge_files_total", "result=\"foreign\"", "")         \
    X(PURGES_PENDING, "gauge", "frontdesk_purges_pending", "",                                   \
      "Purged tables whose files are not all deleted yet")                                       \
    X(RULEBOOKS, "counter", "frontdesk_rulebooks_total", "", "Rulebooks compiled")               \
    X(RULEBOOK_GENERATION, "gauge", "frontdesk_rulebook_generation", "",                         \
      "Generation of the newest rulebook")                                                       \
    X(OBJECTS, "gauge", "frontdesk_objects", "", "Resources known")                              \
    X(OBJECTS_NOT_READY, "gauge", "frontdesk_objects_not_ready", "", "Resources that are wrong") \
    X(MANIFESTS_UNREAD, "gauge", "frontdesk_manifests_unread", "",                               \
      "Files of --resources that cannot be used; what they named last stays in force")           \
    X(RECONCILES, "counter", "controller_runtime_reconcile_total", "result=\"success\"",         \
      "Reconciliations, by result")                                                              \
    X(RECONCILE_ERRORS, "counter", "controller_runtime_reconcile_total", "result=\"error\"", "") \
    X(STORAGE_WRITES, "counter", "frontdesk_storage_writes_total", "",                           \
      "Writes to the stores' management interfaces")                                             \
    X(KUBE_WRITES, "counter", "frontdesk_kube_writes_total", "",                                 \
      "Writes to the API server, renewals of the lease aside")                                   \
    X(WATCH_RESTARTS, "counter", "frontdesk_watch_restarts_total", "", "Watches begun anew")     \
    X(DRIFT_REPAIRED, "counter", "frontdesk_drift_repaired_total", "",                           \
      "Differences at the stores that were put right")                                           \
    X(BUGS, "counter", "frontdesk_bugs_total", "", "Internal errors")

enum metric {
#define X(constant, type, name, labels, help) METRIC_##constant,
    METRICS(X)
#undef X
        METRIC_COUNT
};

/* Adds to a counter, or moves a gauge up or down. Never blocks. */
void metric_add(enum metric m, int64_t n);
/* Sets a gauge that one thread owns. */
void metric_set(enum metric m, int64_t value);
int64_t metric_read(enum metric m);
/* All of them as Prometheus text. */
void metric_write(struct buf *out);

#endif
