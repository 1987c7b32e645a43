/*
 * iam.h - the query protocol of IAM and STS, as AWS speaks it and Ceph RGW imitates it.
 *
 * Requests are POST / with a form; answers are XML, or an error bare (<Error>) or wrapped
 * (<ErrorResponse>). Source: AWS IAM and STS API references.
 */
#ifndef PROVIDER_IAM_H
#define PROVIDER_IAM_H

#include "provider/provider.h"
#include "wire/uri.h"
#include "wire/xml.h"

enum iam_service { SERVICE_IAM, SERVICE_STS };
/* x->out: the call to the target's service, signed with `key`. `parameters` are without Action and
 * Version. */
MUST_CHECK bool iam_ask(struct exchange *x, enum iam_service service, const struct credential *key,
                        const char *action, const struct pairs *parameters, struct err *e);
void iam_add(struct pairs *p, struct arena *a, const char *name, struct sv value);

/* The document of a 2xx answer. Else an error by status and code: 403 DENIED, 404 NOT_FOUND, 409
 * CONFLICT, throttling, 408, 429 and 5xx UNAVAILABLE, other 4xx INVALID; a 404 without a code is a
 * proxy's and UNAVAILABLE. `what` names the call for people. */
MUST_CHECK bool iam_answer(const struct exchange *x, const char *what, const struct xml **out,
                           struct err *e);
/* Whether it says that what was asked for is not there. */
bool store_lacks(const struct http_response *in, struct arena *a);
/* The same judgement for S3's answers. */
bool store_error(const struct http_response *in, const char *what, struct arena *a, struct err *e);
/* The code of an error document, bare or wrapped, or of the first error in a bulk answer. Empty
 * when the body is none: RGW sends two answers that are not well-formed, a proxy may send HTML. */
struct sv store_code(const struct http_response *in, struct arena *a);

/* x->got from the answer to AssumeRole or one of its sisters. ERR_UNAVAILABLE: the role is gone,
 * too. */
MUST_CHECK bool iam_read_token(struct exchange *x, const char *action, struct err *e);

/* A policy document inside an answer: AWS percent-encodes it, RGW does not. */
struct sv iam_document(struct exchange *x, struct sv text);
/* Where the next page of a list begins; empty: this was the last. `result`: "ListRolesResult". */
struct sv iam_marker(const struct xml *root, const char *result);

/* Shared by every provider that speaks this protocol. */
bool iam_list_roles(struct exchange *x, struct err *e);
bool iam_role_is_empty(struct exchange *x, struct err *e);
bool iam_become(struct exchange *x, struct err *e);
bool iam_mint(struct exchange *x, struct err *e);
bool iam_observe(struct exchange *x, struct err *e);
bool iam_change(struct exchange *x, struct err *e);
bool s3_probe(struct exchange *x, struct err *e);
bool s3_tidy(struct exchange *x, struct err *e);

#endif
