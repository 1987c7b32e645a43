/* credential.c - a key that opens a store. */
#include "sign/credential.h"

struct credential credential_dup(struct arena *a, const struct credential *c)
{
    return (struct credential){
        .access_key_id = arena_dup(a, c->access_key_id),
        .secret_access_key = secret_dup(a, c->secret_access_key),
        .session_token = secret_dup(a, c->session_token),
        .expires_ms = c->expires_ms,
    };
}
