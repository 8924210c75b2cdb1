/* SPDX-License-Identifier: MIT */
/* For authors of environments. */
#ifndef PGB_CORE_MEM_H
#define PGB_CORE_MEM_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

/* Zeroed memory aligned to 64 bytes (a cache line, an AVX-512 register). *out belongs to the caller, who
 * frees it with free(). A count or product that does not fit, or no memory: PGB_RUNTIME, *out is NULL. */
pgb_status pgb_alloc(size_t count, size_t size, void **out) PGB_MUST_CHECK;

/* The most bytes that this process has held in memory so far (its resident set), as the system counts them.
 */
double pgb_peak_bytes(void);

/* Memory with one common end: what a study, a cell or a parse tree owns. */
typedef struct pgb_arena pgb_arena;

pgb_status pgb_arena_create(pgb_arena **out) PGB_MUST_CHECK;
/* A short-lived arena beside its parent, which remembers if memory is short for it. Destroy it before the
 * parent. */
pgb_status pgb_arena_scratch(pgb_arena *parent, pgb_arena **out) PGB_MUST_CHECK;
/* PGB_RUNTIME if an allocation from the arena or from a scratch arena of it ever failed: for callers of
 * functions whose answer "not known" does not tell why. */
pgb_status pgb_arena_sufficed(const pgb_arena *arena) PGB_MUST_CHECK;
void pgb_arena_destroy(pgb_arena *arena); /* accepts NULL */

/* Zeroed, 64-byte aligned, lives as long as the arena. */
pgb_status pgb_arena_alloc(pgb_arena *arena, size_t count, size_t size, void **out) PGB_MUST_CHECK;
pgb_status pgb_arena_text(pgb_arena *arena, const char *text, char **out) PGB_MUST_CHECK;
pgb_status pgb_arena_printf(pgb_arena *arena, char **out, const char *format, ...) PGB_MUST_CHECK
    __attribute__((format(printf, 3, 4)));

#endif
