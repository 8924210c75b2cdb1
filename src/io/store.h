/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_IO_STORE_H
#define PGB_IO_STORE_H

#include "core/mem.h"
#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A labelled result file (HDF5): groups, axes that are dimension scales, datasets along axes, text
 * attributes. Written by one rank into FILE.tmp beside it, which is locked and takes the name on close, so
 * that FILE is complete or absent. hdf5.h is met in store_hdf5.c, store_read.c and reader.c alone. Not
 * collective. Every call after a failed one fails with the same status; closing or discarding an unfinished
 * store removes what it wrote. The same calls give the same bytes: no times are kept in the file. Texts that
 * are not valid UTF-8 are stored with U+FFFD for each wrong byte. */
typedef struct pgb_store pgb_store;

/* Refuses an existing path unless force, and anything but a regular file: PGB_USAGE naming --force or
 * --output. A directory that cannot be written: PGB_RUNTIME. With force, a link is followed: the file behind
 * it is replaced. */
pgb_status pgb_store_create(const char *path, bool force, pgb_store **out) PGB_MUST_CHECK;
/* Flush, fsync, take the name, then free, always. Without force, a file that appeared under the name
 * meanwhile is kept: PGB_RUNTIME. After an error nothing is left behind under either name. A write that
 * failed (full disk, quota, file size limit) is told by the call that met it or by a later one, at the latest
 * here; the caller ignores SIGXFSZ. */
pgb_status pgb_store_close(pgb_store *store) PGB_MUST_CHECK;
void pgb_store_discard(pgb_store *store); /* removes the unfinished file; accepts NULL */

/* Attributes. group: absolute path, "/" or "/cell/policy", made with its parents where missing, or the path
 * of a dataset. Groups keep the order in which they were made. A name that is there already takes the new
 * value. */
pgb_status pgb_store_text(pgb_store *store, const char *group, const char *name,
                          const char *text) PGB_MUST_CHECK; /* UTF-8 attribute */
pgb_status pgb_store_real(pgb_store *store, const char *group, const char *name, double value) PGB_MUST_CHECK;
pgb_status pgb_store_integer(pgb_store *store, const char *group, const char *name,
                             int64_t value) PGB_MUST_CHECK;
pgb_status pgb_store_unsigned(pgb_store *store, const char *group, const char *name,
                              uint64_t value) PGB_MUST_CHECK;

/* An axis of a group: a dimension scale named `name`, either labels (variable-length UTF-8) or numbers. n may
 * be 0. xarray shows labels only on axes of the group that it opens, so give each cell its own. */
pgb_status pgb_store_axis_text(pgb_store *store, const char *group, const char *name, size_t n,
                               const char *const *labels, const char *long_name) PGB_MUST_CHECK;
pgb_status pgb_store_axis_integer(pgb_store *store, const char *group, const char *name, size_t n,
                                  const int64_t *values, const char *unit,
                                  const char *long_name) PGB_MUST_CHECK;

/* A float64 dataset [axes...], row-major. axes ("estimator,baseline,batch"; "" is a scalar) are looked up in
 * the group, then in its parents. unit ("1" where there is none) and long_name become attributes. values
 * NULL: filled with NaN, to be written in pieces by pgb_store_block. */
pgb_status pgb_store_array(pgb_store *store, const char *group, const char *name, const char *axes,
                           const double *values, const char *unit, const char *long_name) PGB_MUST_CHECK;
/* Writes the count elements that start at element `first` (row-major) of an array made before. For arrays
 * larger than memory: only the pieces written take place on disk. */
pgb_status pgb_store_block(pgb_store *store, const char *group, const char *name, uint64_t first,
                           uint64_t count, const double *values) PGB_MUST_CHECK;
/* Reads such elements back; NaN where none was written. */
pgb_status pgb_store_block_back(pgb_store *store, const char *group, const char *name, uint64_t first,
                                uint64_t count, double *values) PGB_MUST_CHECK;
/* pgb_store_array for texts; NULL among the values is stored as "". */
pgb_status pgb_store_texts(pgb_store *store, const char *group, const char *name, const char *axes,
                           const char *const *values, const char *long_name) PGB_MUST_CHECK;

/* The vector of numbers at `dataset` of a file, for theta: FILE.h5. *out in the arena. PGB_USAGE if there is
 * no such thing. */
pgb_status pgb_store_read_vector(const char *path, const char *dataset, pgb_arena *arena, double **out,
                                 size_t *n) PGB_MUST_CHECK;

/* All numbers of a dataset of any shape, row-major; all texts (variable-length); one text attribute, "" where
 * there is no such text. In the arena. PGB_USAGE as above. */
pgb_status pgb_store_read_numbers(const char *path, const char *dataset, pgb_arena *arena, double **out,
                                  size_t *n) PGB_MUST_CHECK;
pgb_status pgb_store_read_texts(const char *path, const char *dataset, pgb_arena *arena, const char ***out,
                                size_t *n) PGB_MUST_CHECK;
pgb_status pgb_store_read_text(const char *path, const char *object, const char *name, pgb_arena *arena,
                               const char **out) PGB_MUST_CHECK;

const char *pgb_store_library(void); /* "HDF5 1.10.8" */

#endif
