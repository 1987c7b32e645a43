/* tls_files.c - certificates that change on disk; session tickets that all loops can read. */
#include <openssl/err.h>

#include "net/inside.h"

/* Whether the file is another one than at the last look, or there no more. */
static bool changed(const char *path, struct stat *seen)
{
    struct stat now;

    if (stat(path, &now) != 0)
        memset(&now, 0, sizeof(now));
    if (now.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == seen->st_mtim.tv_nsec && now.st_ino == seen->st_ino &&
        now.st_size == seen->st_size)
        return false;
    *seen = now;
    return true;
}

/* What a handshake needs of a certificate and its key: a context that holds nothing else. NULL when
 * the two files are no pair; `e` names the one that was not taken. */
static SSL_CTX *read_pair(const char *cert, const char *key, struct err *e)
{
    SSL_CTX *pair = SSL_CTX_new(TLS_server_method());
    const char *wrong = NULL, *reason;

    if (!pair || SSL_CTX_use_certificate_chain_file(pair, cert) != 1)
        wrong = cert;
    else if (SSL_CTX_use_PrivateKey_file(pair, key, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(pair) != 1)
        wrong = key;
    if (!wrong)
        return pair;
    reason = ERR_reason_error_string(ERR_peek_last_error());
    (void)err_set(e, ERR_INVALID, "%s: %s; the pair read before stays in force", wrong,
                  reason ? reason : "cannot be read");
    /* What is left there would be taken for the next connection's error. */
    ERR_clear_error();
    SSL_CTX_free(pair);
    return NULL;
}

/* Each handshake is given the pair of the moment, and that one alone. In the listener's own context
 * a certificate with another kind of key would not replace the old one but stand beside it. */
static int show_pair(SSL *ssl, void *context)
{
    SSL_CTX *pair = ((struct listening *)context)->pair;
    STACK_OF(X509) *chain = NULL;

    SSL_certs_clear(ssl);
    (void)SSL_CTX_get0_chain_certs(pair, &chain);
    return SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(pair), SSL_CTX_get0_privatekey(pair),
                                chain, 1);
}

static void put_in_force(struct listening *g, SSL_CTX *pair)
{
    bool first = g->pair == NULL;

    SSL_CTX_free(g->pair);
    g->pair = pair;
    if (first)
        SSL_CTX_set_cert_cb(g->ctx, show_pair, g);
    else if (g->loop->index == 0)
        loop_tell(g->loop, "certificate read again", NULL);
}

void tls_files_follow(struct listening *g, const struct http_listener *o)
{
    auto_arena a = {0};
    struct err e = {0};
    const char *cert, *key;
    bool either;
    SSL_CTX *pair;

    if (!g->tls || !g->ctx)
        return;
    cert = arena_cstr(&a, o->tls_cert_file);
    key = arena_cstr(&a, o->tls_key_file);
    either = changed(cert, &g->cert_seen);
    either = changed(key, &g->key_seen) || either;
    /* Files that were caught half written are looked at again, whatever their times say. */
    if (!either && !g->wrong)
        return;
    pair = read_pair(cert, key, &e);
    g->wrong = pair == NULL;
    if (pair)
        put_in_force(g, pair);
    else if (either && g->loop->index == 0)
        loop_tell(g->loop, "certificate not taken", &e);
}

void tls_share_tickets(const struct http_server *s, SSL_CTX *ctx)
{
    unsigned char keys[sizeof(s->ticket_keys)];

    memcpy(keys, s->ticket_keys, sizeof(keys));
    (void)SSL_CTX_set_tlsext_ticket_keys(ctx, keys, sizeof(keys));
    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    /* What was deciphered does not stay in the connection's buffer. */
    (void)SSL_CTX_set_options(ctx, SSL_OP_CLEANSE_PLAINTEXT);
}
