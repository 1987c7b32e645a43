/* admin.h - the private listener's handler. */
#ifndef SERVE_ADMIN_H
#define SERVE_ADMIN_H

#include "serve/serve.h"

void admin_handler(struct serve *s, struct http_handler *out);
/* On the admin loop: takes over one reference. */
void admin_publish(void *state, struct rulebook *r);

#endif
