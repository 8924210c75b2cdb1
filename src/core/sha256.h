/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CORE_SHA256_H
#define PGB_CORE_SHA256_H

#include "core/status.h"

enum { PGB_SHA256_HEX = 65 };

/* SHA-256 (FIPS 180-4) of a file's bytes in hex, what sha256sum prints. A file that cannot be read:
 * PGB_USAGE,
 * "<path>: <why>; <what to do>". */
pgb_status pgb_sha256_file(const char *path, char out[PGB_SHA256_HEX]) PGB_MUST_CHECK;

#endif
