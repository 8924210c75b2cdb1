/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_COMM_COMM_COMMON_H
#define PGB_COMM_COMM_COMMON_H

#include "comm/comm.h"

#include <stddef.h>

/* The distinct ones of n names of `width` bytes each (zero-terminated), sorted and joined by commas. Sorts
 * the names in place. *out belongs to the caller, who frees it with free(). */
pgb_status pgb_comm_join_hosts(char *names, size_t n, size_t width, char **out) PGB_MUST_CHECK;

/* Words of `mine` to their places in `all`, which may be NULL. */
void pgb_comm_put(const pgb_comm_words *mine, size_t n_mine, double *all);

#endif
