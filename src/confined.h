/* confined.h - what `frontdesk run` gives up before it begins. */
#ifndef CONFINED_H
#define CONFINED_H

#include "options.h"

/* Before the second thread. Says in the log what the kernel does not offer, and that root is more
 * than this program needs. */
void confine_run(const struct options *o);

#endif
