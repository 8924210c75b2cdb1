/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_IO_STORE_TEXT_H
#define PGB_IO_STORE_TEXT_H

#include "core/mem.h"
#include "core/status.h"

/* Text that a reader can decode: *out is text itself where that is valid UTF-8 (RFC 3629), else a copy in the
 * arena with each wrong byte replaced by U+FFFD. A file name given on the command line may hold any bytes;
 * xarray refuses such a file. */
pgb_status pgb_store_utf8(const char *text, pgb_arena *arena, const char **out) PGB_MUST_CHECK;

#endif
