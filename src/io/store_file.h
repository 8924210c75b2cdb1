/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_IO_STORE_FILE_H
#define PGB_IO_STORE_FILE_H

#include "core/status.h"

#include <stddef.h>
#include <stdint.h>

/* For maintainers of the store: a file that stands under its name complete or not at all. It is written as
 * FILE.tmp beside it and takes its name by link or rename at the end. FILE.tmp is locked (flock) until then:
 * two runs never share one, and what a killed run left behind is taken over.
 *
 * A failed write is remembered, not returned: from then on writes are dropped and the file cannot be
 * committed. HDF5 sits on top, and HDF5 1.10 crashes at exit once a write under it failed while a file
 * closed, so it must not hear of one (seen with 1.10.8 and a full disk: H5F__close_cb reads a file that is
 * gone). */
typedef struct pgb_store_file pgb_store_file;

/* Refuses what pgb_store_create refuses; PGB_USAGE too where another run holds the lock. */
pgb_status pgb_store_file_create(const char *path, bool force, pgb_store_file **out) PGB_MUST_CHECK;

/* The unfinished file's own name. */
const char *pgb_store_file_name(const pgb_store_file *file);

void pgb_store_file_write(pgb_store_file *file, uint64_t at, const void *bytes, size_t n);
void pgb_store_file_read(pgb_store_file *file, uint64_t at, void *bytes, size_t n); /* zeros past the end */
void pgb_store_file_resize(pgb_store_file *file, uint64_t size);
uint64_t pgb_store_file_size(const pgb_store_file *file); /* as if no write had failed */

/* PGB_OK, or what failed first: "<path>: cannot be written: <why>; <what to do>". */
pgb_status pgb_store_file_state(const pgb_store_file *file) PGB_MUST_CHECK;

/* fsync, close, take the name, fsync the directory, free. After an error neither name is left (a file that
 * was there before stays as it was). */
pgb_status pgb_store_file_commit(pgb_store_file *file) PGB_MUST_CHECK;
void pgb_store_file_discard(pgb_store_file *file); /* accepts NULL */

#endif
