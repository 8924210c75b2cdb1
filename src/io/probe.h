/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_IO_PROBE_H
#define PGB_IO_PROBE_H

#include "core/status.h"

/* libhdf5 trusts what it reads: some damaged files end the process that opens them (seen with 1.10.8 and
 * random bytes). So a foreign file is first read by a child process, and what ends the child is a message
 * here. Runs read(self) in a child without output and with a time limit; PGB_USAGE naming the file if that
 * did not end by itself. What read finds out is lost with the child: only a refusal of its own is no reason
 * to fail here, for the caller reads the file again and words it. Not collective. */
pgb_status pgb_probe(const char *path, void (*read)(void *self), void *self) PGB_MUST_CHECK;

#endif
