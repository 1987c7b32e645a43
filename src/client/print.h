/*
 * print.h - the documents of describe.h as text for a terminal, see columns.h.
 */
#ifndef CLIENT_PRINT_H
#define CLIENT_PRINT_H

#include "client/describe.h"

/*
 * A describe_table, to which the caller may have added what it knows of rights:
 * access[{principal, privileges{NAME: "the grant"}}]. Without it one line says how to get it.
 */
void print_table(struct buf *out, const struct json *table, struct arena *a);
void print_history(struct buf *out, const struct json *history, struct arena *a);
void print_list(struct buf *out, const struct json *list, struct arena *a);

#endif
