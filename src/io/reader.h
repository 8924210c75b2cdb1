/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_IO_READER_H
#define PGB_IO_READER_H

#include "core/mem.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads back a result file that pgb_store wrote. Not collective. A file that crashes libhdf5 would end the
 * program: read all that is wanted in pgb_probe (io/probe.h) first. PGB_USAGE with file and object for what
 * is not there, of another kind or size, or damaged. Objects and groups are named by absolute paths. */
typedef struct pgb_reader pgb_reader;

pgb_status pgb_reader_open(const char *path, pgb_reader **out) PGB_MUST_CHECK;
void pgb_reader_close(pgb_reader *reader); /* accepts NULL */

/* Whether a group or dataset is there. */
bool pgb_reader_has(const pgb_reader *reader, const char *object);

/* Attributes. The text in the arena; NULL where `optional` and there is no such attribute. */
pgb_status pgb_reader_text(pgb_reader *reader, const char *object, const char *name, bool optional,
                           pgb_arena *arena, const char **out) PGB_MUST_CHECK;
pgb_status pgb_reader_real(pgb_reader *reader, const char *object, const char *name,
                           double *out) PGB_MUST_CHECK;
pgb_status pgb_reader_unsigned(pgb_reader *reader, const char *object, const char *name,
                               uint64_t *out) PGB_MUST_CHECK;

/* All of a dataset of just these lengths, row-major. */
pgb_status pgb_reader_numbers(pgb_reader *reader, const char *dataset, int rank, const uint64_t *length,
                              double *out) PGB_MUST_CHECK;
pgb_status pgb_reader_texts(pgb_reader *reader, const char *dataset, int rank, const uint64_t *length,
                            pgb_arena *arena, const char **out) PGB_MUST_CHECK;

/* That a dataset of numbers has just these lengths. */
pgb_status pgb_reader_shape(pgb_reader *reader, const char *dataset, int rank,
                            const uint64_t *length) PGB_MUST_CHECK;

/* A box of a dataset of numbers. */
pgb_status pgb_reader_box(pgb_reader *reader, const char *dataset, int rank, const uint64_t *start,
                          const uint64_t *count, double *out) PGB_MUST_CHECK;

#endif
