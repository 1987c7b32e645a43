/* credential.h - a key that opens a store: what we hold ourselves, and what we mint. */
#ifndef SIGN_CREDENTIAL_H
#define SIGN_CREDENTIAL_H

#include "base/secret.h"

struct credential {
    struct sv access_key_id;
    struct secret secret_access_key;
    struct secret session_token; /* empty for a long-lived key */
    int64_t expires_ms;          /* Unix time; 0: never */
};

/* A copy in `a`, which should wipe. */
struct credential credential_dup(struct arena *a, const struct credential *c);

#endif
