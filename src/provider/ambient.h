/*
 * ambient.h - keys of our own that the place we run in gives us, where no Secret is named.
 *
 * As AWS's libraries do, in their order: the environment; a web identity (a token that Kubernetes
 * keeps in a file, taken to the token service); a container's credential service; the instance's
 * metadata service, version 2 only. The first that is set up is asked and no other, so that an
 * error is that one's. No I/O: the caller reads variables and files, sends and brings the answers.
 *
 * Sources: AWS SDKs and Tools Reference Guide; Amazon EC2 User Guide (IMDSv2); EKS and ECS guides.
 */
#ifndef PROVIDER_AMBIENT_H
#define PROVIDER_AMBIENT_H

#include "provider/provider.h"

enum ambient_kind {
    AMBIENT_NONE,
    AMBIENT_ENVIRONMENT,
    AMBIENT_WEB_IDENTITY,
    AMBIENT_CONTAINER,
    AMBIENT_INSTANCE
};

/* What the place says. Nothing of it comes from a resource: who writes resources must not be able
 * to send our identity elsewhere. */
struct ambient {
    struct credential key;                   /* AWS_ACCESS_KEY_ID and its sisters */
    struct sv role_arn, role_session_name;   /* AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME */
    struct secret identity_token;            /* what AWS_WEB_IDENTITY_TOKEN_FILE holds */
    struct sv region, sts_endpoint;          /* AWS_REGION, AWS_ENDPOINT_URL_STS; may be empty */
    struct sv container_uri, container_path; /* AWS_CONTAINER_CREDENTIALS_FULL_URI, _RELATIVE_URI */
    struct secret container_token;           /* may be empty */
    struct sv instance_endpoint; /* of the metadata service; empty: it is not to be asked */
};

enum ambient_kind ambient_choose(const struct ambient *m);
/* "web identity", for people. */
const char *ambient_kind_name(enum ambient_kind k);

/*
 * ambient_mint - x->got from the chosen source, and x->caller: whose it is, the same for each
 * refresh ("web identity arn:aws:iam::123456789012:role/frontdesk").
 *
 * Driven like provider->mint. ERR_NOT_FOUND when there is no source, ERR_INVALID when the source is
 * set up wrongly: a container's address that is neither https nor on this machine, a token that
 * cannot stand in a header.
 */
MUST_CHECK bool ambient_mint(const struct ambient *m, struct exchange *x, struct err *e);

#endif
