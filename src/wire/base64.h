/* base64.h - base64 and base64url. Source: RFC 4648, sections 4 and 5. */
#ifndef WIRE_BASE64_H
#define WIRE_BASE64_H

#include "base/arena.h"
#include "base/err.h"

struct sv base64_encode(struct arena *a, struct sv v);
/* URL alphabet without padding, as in JWT. */
struct sv base64url_encode(struct arena *a, struct sv v);
/* Standard alphabet, padded; no other byte is allowed, white space neither. */
MUST_CHECK bool base64_decode(struct sv v, struct arena *a, struct sv *out, struct err *e);
/* URL alphabet, unpadded, canonical (unused bits are zero). */
MUST_CHECK bool base64url_decode(struct sv v, struct arena *a, struct sv *out, struct err *e);

#endif
