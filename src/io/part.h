/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_IO_PART_H
#define PGB_IO_PART_H

#include "core/mem.h"
#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

/* FILE.part, the checkpoint beside the FILE that a run will write: a sealed sequence of bytes. It is written
 * as FILE.part.tmp, brought to disk and renamed, so that FILE.part is the checkpoint before or the new one,
 * and ends with a checksum (CRC-32 of zlib) over all before it, so that a reader trusts every byte or none.
 * Of the machine that wrote it: numbers in its byte order, recognised by the first of them. Not collective.
 */

/* The name of the checkpoint of a result: "<path>.part". */
pgb_status pgb_part_name(const char *path, pgb_arena *arena, const char **out) PGB_MUST_CHECK;

/* ---- Writing ---- */

typedef struct pgb_part_writer pgb_part_writer;

/* name: that of the part. Takes the place of the part that is there, when it is closed. */
pgb_status pgb_part_create(const char *name, pgb_part_writer **out) PGB_MUST_CHECK;
/* A write that failed is told by close. */
void pgb_part_put(pgb_part_writer *part, const void *bytes, size_t n);
void pgb_part_put_text(pgb_part_writer *part, const char *text); /* length and bytes */
/* Checksum, fsync, name, fsync of the directory; frees always. After an error the part before stands. */
pgb_status pgb_part_close(pgb_part_writer *part) PGB_MUST_CHECK;
void pgb_part_discard(pgb_part_writer *part); /* accepts NULL */

/* ---- Reading ---- */

typedef struct pgb_part_reader pgb_part_reader;

/* Opens the part and checks all of it. PGB_USAGE for what is no part, one of another layout or machine, and
 * one that is damaged. */
pgb_status pgb_part_open(const char *name, pgb_part_reader **out) PGB_MUST_CHECK;
/* The next bytes. PGB_USAGE past the end. */
pgb_status pgb_part_get(pgb_part_reader *part, void *bytes, size_t n) PGB_MUST_CHECK;
pgb_status pgb_part_get_text(pgb_part_reader *part, pgb_arena *arena, const char **out) PGB_MUST_CHECK;
/* PGB_USAGE: what the reader met is not what it must be, as for reading past the end. */
pgb_status pgb_part_misfit(const pgb_part_reader *part) PGB_MUST_CHECK;
void pgb_part_end(pgb_part_reader *part); /* accepts NULL */

/* Removes the part and what a killed run left of an unfinished one; nothing there is no failure. */
pgb_status pgb_part_remove(const char *name) PGB_MUST_CHECK;

#endif
