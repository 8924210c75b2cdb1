/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_IO_STORE_HDF5_H
#define PGB_IO_STORE_HDF5_H

#include "core/mem.h"
#include "core/status.h"
#include "io/store_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For maintainers of the store: the few HDF5 operations it is made of, without HDF5's types. Paths are
 * absolute. Where a function returns false, pgb_hdf5_reason tells why; statuses are made by the caller. */
typedef struct pgb_hdf5 pgb_hdf5;

enum { PGB_HDF5_RANK = 8, PGB_HDF5_PATH = 1024, PGB_HDF5_REASON = 160 };

typedef enum pgb_hdf5_type {
  PGB_HDF5_TEXT,
  PGB_HDF5_REAL,
  PGB_HDF5_INTEGER,
  PGB_HDF5_UNSIGNED
} pgb_hdf5_type;

typedef struct pgb_hdf5_dataset {
  const char *path, *unit, *long_name; /* unit NULL: no such attribute                     */
  pgb_hdf5_type type;
  int rank;
  uint64_t length[PGB_HDF5_RANK];
  const char *axis[PGB_HDF5_RANK]; /* paths of dimension scales                            */
  const char *scale;               /* not NULL: is itself an axis of this name             */
  const void *values;              /* NULL: filled with NaN, in chunks                     */
} pgb_hdf5_dataset;

/* An empty HDF5 file in `file`, which stays the caller's. false: *out, if not NULL, knows the reason and is
 * to be closed. */
bool pgb_hdf5_create(pgb_store_file *file, pgb_hdf5 **out);
bool pgb_hdf5_close(pgb_hdf5 *h5, char reason[PGB_HDF5_REASON]); /* accepts NULL; frees always */

/* Between these two HDF5 prints nothing of its own; the process's setting is put back at the end. */
void pgb_hdf5_begin(pgb_hdf5 *h5);
void pgb_hdf5_end(pgb_hdf5 *h5);
const char *pgb_hdf5_reason(const pgb_hdf5 *h5); /* of the first failure */
void pgb_hdf5_why(char out[PGB_HDF5_REASON]);    /* of the HDF5 call before, file or no file */

bool pgb_hdf5_group(pgb_hdf5 *h5,
                    const char *path); /* whose parent exists; or anything that is there already */
bool pgb_hdf5_attribute(pgb_hdf5 *h5, const char *object, const char *name, pgb_hdf5_type type,
                        const void *value);
bool pgb_hdf5_axis(pgb_hdf5 *h5, const char *path,
                   uint64_t *length); /* false, and no failure: no axis there */
bool pgb_hdf5_put(pgb_hdf5 *h5, const pgb_hdf5_dataset *dataset);

/* The lengths of a dataset; its rank, or -1. */
int pgb_hdf5_shape(pgb_hdf5 *h5, const char *path, uint64_t length[PGB_HDF5_RANK]);
/* Writes `from` to a box of a dataset, or reads the box into `to`: one of the two is NULL. */
bool pgb_hdf5_box(pgb_hdf5 *h5, const char *path, int rank, const uint64_t *start, const uint64_t *count,
                  const double *from, double *to);

#endif
