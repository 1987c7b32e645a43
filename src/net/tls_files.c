/* tls_files.c - certificates that change on disk; session tickets that all loops can read. */
#include "net/inside.h"

static bool changed(const char *path, struct stat *seen)
{
    struct stat now;

    if (stat(path, &now) != 0)
        return false;
    if (now.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == seen->st_mtim.tv_nsec && now.st_ino == seen->st_ino &&
        now.st_size == seen->st_size)
        return false;
    *seen = now;
    return true;
}

/* Whether the two files are a pair; tried on a context of its own, so that half a change does no
 * harm. */
static bool is_pair(const char *cert, const char *key)
{
    SSL_CTX *trial = SSL_CTX_new(TLS_server_method());
    bool ok = trial && SSL_CTX_use_certificate_chain_file(trial, cert) == 1 &&
              SSL_CTX_use_PrivateKey_file(trial, key, SSL_FILETYPE_PEM) == 1 &&
              SSL_CTX_check_private_key(trial) == 1;

    SSL_CTX_free(trial);
    return ok;
}

void tls_files_follow(struct listening *g, const struct http_listener *o)
{
    auto_arena a = {0};
    const char *cert, *key;
    bool either;

    if (!g->tls || !g->ctx)
        return;
    cert = arena_cstr(&a, o->tls_cert_file);
    key = arena_cstr(&a, o->tls_key_file);
    either = changed(cert, &g->cert_seen);
    either = changed(key, &g->key_seen) || either;
    if (!either || !is_pair(cert, key))
        return;
    (void)SSL_CTX_use_certificate_chain_file(g->ctx, cert);
    (void)SSL_CTX_use_PrivateKey_file(g->ctx, key, SSL_FILETYPE_PEM);
}

void tls_share_tickets(const struct http_server *s, SSL_CTX *ctx)
{
    unsigned char keys[sizeof(s->ticket_keys)];

    memcpy(keys, s->ticket_keys, sizeof(keys));
    (void)SSL_CTX_set_tlsext_ticket_keys(ctx, keys, sizeof(keys));
    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
}
