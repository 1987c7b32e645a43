/*
 * sigv4.h - Signature Version 4, as AWS and its imitators read it.
 *
 * Source: "Signature Version 4" in the AWS IAM User Guide. S3 differs from other services: the
 * path is not normalised, is encoded once, and the payload's hash is a header.
 */
#ifndef SIGN_SIGV4_H
#define SIGN_SIGV4_H

#include "base/err.h"
#include "sign/credential.h"
#include "wire/http.h"

struct sigv4_scope {
    struct sv region, service; /* "us-east-1", "s3" | "iam" | "sts" */
};

/*
 * sigv4_sign - add the headers that prove `req` comes from the owner of `key`.
 *
 * Adds host, x-amz-date, x-amz-content-sha256, x-amz-security-token (for a session) and
 * Authorization; signs host, content-type and every x-amz-* header. req->target is the whole URL,
 * already encoded as it will be sent. The headers live in `a`; `key` is read, never kept. `now_ms`
 * is Unix time. Fails with ERR_INVALID when a header value holds a control byte or the URL is bad.
 */
MUST_CHECK bool sigv4_sign(struct http_request *req, const struct credential *key,
                           const struct sigv4_scope *scope, int64_t now_ms, struct arena *a,
                           struct err *e);

#endif
