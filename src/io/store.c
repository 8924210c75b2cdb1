/* SPDX-License-Identifier: MIT */
#include "io/store.h"

#include "io/store_file.h"
#include "io/store_hdf5.h"
#include "io/store_text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct pgb_store {
  pgb_arena *arena;
  const char *path;
  pgb_store_file *file;
  pgb_hdf5 *h5;
  pgb_status state; /* the first failure */
};

static pgb_status not_written(const pgb_store *store, const char *what, const char *name) {
  return pgb_fail(PGB_RUNTIME, "%s: %s %s cannot be written: %s; report this as a bug if the disk is sound",
                  store->path, what, name, pgb_hdf5_reason(store->h5));
}

/* Ends a call: what the file met on the disk goes before what HDF5 made of it. */
static pgb_status leave(pgb_store *store, pgb_status s) {
  pgb_hdf5_end(store->h5);
  const pgb_status disk = pgb_store_file_state(store->file);
  store->state = disk.code != PGB_OK ? disk : s;
  return store->state;
}

pgb_status pgb_store_create(const char *path, bool force, pgb_store **out) {
  assert(path != NULL && out != NULL);
  *out = NULL;
  pgb_arena *arena = NULL;
  void *memory = NULL;
  char *copy = NULL;
  pgb_status s;
  PGB_TRY(pgb_arena_create(&arena));
  PGB_TRY_OR(failed, s, pgb_arena_alloc(arena, 1, sizeof(pgb_store), &memory));
  PGB_TRY_OR(failed, s, pgb_arena_text(arena, path, &copy));
  pgb_store *store = memory;
  store->arena = arena;
  store->path = copy;
  PGB_TRY_OR(failed, s, pgb_store_file_create(path, force, &store->file));
  const bool fine = pgb_hdf5_create(store->file, &store->h5);
  s = pgb_store_file_state(store->file);
  if (s.code == PGB_OK && !fine)
    s = not_written(store, "file", path);
  if (s.code == PGB_OK)
    *out = store;
  else
    pgb_store_discard(store);
  return s;
failed:
  pgb_arena_destroy(arena);
  return s;
}

pgb_status pgb_store_close(pgb_store *store) {
  assert(store != NULL);
  pgb_status s = store->state;
  char reason[PGB_HDF5_REASON];
  if (!pgb_hdf5_close(store->h5, reason) && s.code == PGB_OK)
    s = pgb_fail(PGB_RUNTIME, "%s: cannot be closed: %s; report this as a bug if the disk is sound",
                 store->path, reason);
  const pgb_status disk = pgb_store_file_state(store->file);
  if (disk.code != PGB_OK)
    s = disk;
  if (s.code == PGB_OK)
    s = pgb_store_file_commit(store->file);
  else
    pgb_store_file_discard(store->file);
  pgb_arena_destroy(store->arena);
  return s;
}

void pgb_store_discard(pgb_store *store) {
  if (store == NULL)
    return;
  char reason[PGB_HDF5_REASON];
  (void)pgb_hdf5_close(store->h5, reason); /* nothing of it is wanted */
  pgb_store_file_discard(store->file);
  pgb_arena_destroy(store->arena);
}

/* ---- Attributes ---- */

static bool names_ok(const char *group, const char *name) {
  return group != NULL && group[0] == '/' && name != NULL && name[0] != '\0' && strchr(name, '/') == NULL &&
         strlen(group) + strlen(name) + 2 <= PGB_HDF5_PATH;
}

/* Makes what is missing on an absolute path, one group by one, so that each keeps the order of its members.
 */
static pgb_status make_groups(pgb_store *store, const char *path) {
  char part[PGB_HDF5_PATH];
  for (const char *end = path; *end != '\0';) {
    end += 1 + strcspn(end + 1, "/");
    (void)snprintf(part, sizeof part, "%.*s", (int)(end - path), path);
    if (strcmp(part, "/") != 0 && !pgb_hdf5_group(store->h5, part))
      return not_written(store, "group", path);
  }
  return pgb_ok();
}

static pgb_status set_attribute(pgb_store *store, const char *group, const char *name, pgb_hdf5_type type,
                                const void *value) {
  PGB_TRY(make_groups(store, group));
  if (!pgb_hdf5_attribute(store->h5, group, name, type, value))
    return not_written(store, "attribute", name);
  return pgb_ok();
}

static pgb_status attribute(pgb_store *store, const char *group, const char *name, pgb_hdf5_type type,
                            const void *value) {
  assert(store != NULL && names_ok(group, name));
  PGB_TRY(store->state);
  pgb_hdf5_begin(store->h5);
  return leave(store, set_attribute(store, group, name, type, value));
}

pgb_status pgb_store_text(pgb_store *store, const char *group, const char *name, const char *text) {
  assert(store != NULL && text != NULL);
  const char *clean = NULL;
  PGB_TRY(pgb_store_utf8(text, store->arena, &clean));
  return attribute(store, group, name, PGB_HDF5_TEXT, &clean);
}

pgb_status pgb_store_real(pgb_store *store, const char *group, const char *name, double value) {
  return attribute(store, group, name, PGB_HDF5_REAL, &value);
}

pgb_status pgb_store_integer(pgb_store *store, const char *group, const char *name, int64_t value) {
  return attribute(store, group, name, PGB_HDF5_INTEGER, &value);
}

pgb_status pgb_store_unsigned(pgb_store *store, const char *group, const char *name, uint64_t value) {
  return attribute(store, group, name, PGB_HDF5_UNSIGNED, &value);
}

/* ---- Datasets ---- */

static size_t group_length(const char *group) {
  return strcmp(group, "/") == 0 ? 0 : strlen(group);
}

/* The axis of the group or of the nearest of its parents: its path and length. */
static pgb_status find_axis(pgb_store *store, const char *group, const char *name, size_t n, char **path,
                            uint64_t *length) {
  for (size_t end = group_length(group);;) {
    PGB_TRY(pgb_arena_printf(store->arena, path, "%.*s/%.*s", (int)end, group, (int)n, name));
    if (pgb_hdf5_axis(store->h5, *path, length))
      return pgb_ok();
    if (end == 0)
      return pgb_fail(PGB_RUNTIME, "%s: %.*s is no axis of %s or its parents; report this as a bug",
                      store->path, (int)n, name, group);
    do
      end--;
    while (group[end] != '/');
  }
}

static pgb_status find_axes(pgb_store *store, const char *group, const char *axes, pgb_hdf5_dataset *d) {
  while (*axes != '\0') {
    const size_t n = strcspn(axes, ",");
    assert(n > 0 && n < PGB_HDF5_PATH && d->rank < PGB_HDF5_RANK);
    char *path = NULL;
    PGB_TRY(find_axis(store, group, axes, n, &path, &d->length[d->rank]));
    d->axis[d->rank++] = path;
    axes += n + (axes[n] == ',');
  }
  return pgb_ok();
}

/* Fills in the path and, for a dataset along axes, the shape; then writes. */
static pgb_status put(pgb_store *store, const char *group, const char *name, const char *axes,
                      pgb_hdf5_dataset *d) {
  char *path = NULL;
  PGB_TRY(pgb_store_utf8(d->long_name, store->arena, &d->long_name));
  PGB_TRY(pgb_arena_printf(store->arena, &path, "%.*s/%s", (int)group_length(group), group, name));
  PGB_TRY(make_groups(store, group));
  if (axes != NULL)
    PGB_TRY(find_axes(store, group, axes, d));
  d->path = path;
  return pgb_hdf5_put(store->h5, d) ? pgb_ok() : not_written(store, "dataset", path);
}

static pgb_status dataset(pgb_store *store, const char *group, const char *name, const char *axes,
                          pgb_hdf5_dataset *d) {
  assert(store != NULL && names_ok(group, name) && d->long_name != NULL);
  PGB_TRY(store->state);
  pgb_hdf5_begin(store->h5);
  return leave(store, put(store, group, name, axes, d));
}

/* Copies of n texts that a reader can decode. */
static pgb_status clean_texts(pgb_store *store, size_t n, const char *const *texts, const void **out) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(store->arena, n, sizeof(const char *), &memory));
  const char **clean = memory;
  for (size_t i = 0; i < n; i++)
    PGB_TRY(pgb_store_utf8(texts[i] == NULL ? "" : texts[i], store->arena, &clean[i]));
  *out = memory;
  return pgb_ok();
}

pgb_status pgb_store_axis_text(pgb_store *store, const char *group, const char *name, size_t n,
                               const char *const *labels, const char *long_name) {
  assert(store != NULL && (labels != NULL || n == 0));
  pgb_hdf5_dataset d = {
      .type = PGB_HDF5_TEXT, .rank = 1, .length = {n}, .scale = name, .long_name = long_name};
  PGB_TRY(clean_texts(store, n, labels, &d.values));
  return dataset(store, group, name, NULL, &d);
}

pgb_status pgb_store_axis_integer(pgb_store *store, const char *group, const char *name, size_t n,
                                  const int64_t *values, const char *unit, const char *long_name) {
  assert((values != NULL || n == 0) && unit != NULL);
  const int64_t none = 0;
  pgb_hdf5_dataset d = {.type = PGB_HDF5_INTEGER,
                        .rank = 1,
                        .length = {n},
                        .scale = name,
                        .unit = unit,
                        .long_name = long_name,
                        .values = n == 0 ? &none : values};
  return dataset(store, group, name, NULL, &d);
}

pgb_status pgb_store_array(pgb_store *store, const char *group, const char *name, const char *axes,
                           const double *values, const char *unit, const char *long_name) {
  assert(axes != NULL && unit != NULL);
  pgb_hdf5_dataset d = {.type = PGB_HDF5_REAL, .unit = unit, .long_name = long_name, .values = values};
  return dataset(store, group, name, axes, &d);
}

/* The number of texts is known only once the axes are found, so they are looked up here first. */
pgb_status pgb_store_texts(pgb_store *store, const char *group, const char *name, const char *axes,
                           const char *const *values, const char *long_name) {
  assert(store != NULL && names_ok(group, name) && axes != NULL && values != NULL);
  PGB_TRY(store->state);
  pgb_hdf5_dataset shape = {.rank = 0};
  pgb_hdf5_dataset d = {.type = PGB_HDF5_TEXT, .long_name = long_name};
  pgb_hdf5_begin(store->h5);
  PGB_TRY(leave(store, find_axes(store, group, axes, &shape)));
  size_t n = 1;
  for (int i = 0; i < shape.rank; i++)
    n *= (size_t)shape.length[i];
  PGB_TRY(clean_texts(store, n, values, &d.values));
  return dataset(store, group, name, axes, &d);
}

/* A run of elements in row-major order is a few boxes: at each point take the largest whole slab that starts
 * there. */
static pgb_status move_run(pgb_store *store, const char *path, uint64_t first, uint64_t count,
                           const double *from, double *to) {
  uint64_t length[PGB_HDF5_RANK] = {0}, stride[PGB_HDF5_RANK + 1], start[PGB_HDF5_RANK], box[PGB_HDF5_RANK];
  const int rank = pgb_hdf5_shape(store->h5, path, length);
  if (rank < 0)
    return not_written(store, "dataset", path);
  stride[rank] = 1;
  uint64_t total = 1;
  for (int i = rank - 1; i >= 0; i--) {
    stride[i] = total; /* elements that one step along axis i passes over */
    total *= length[i];
  }
  if (first > total || count > total - first)
    return pgb_fail(PGB_RUNTIME, "%s: elements beyond the end of %s; report this as a bug", store->path,
                    path);
  while (count > 0) {
    int at = 0; /* the axis along which whole slabs go */
    while (at < rank - 1 && (first % stride[at] != 0 || count < stride[at]))
      at++;
    uint64_t n = 1;
    for (int i = 0; i < rank; i++) {
      start[i] = first / stride[i] % length[i];
      box[i] = i < at ? 1 : length[i];
    }
    if (rank > 0) {
      n = length[at] - start[at] < count / stride[at] ? length[at] - start[at] : count / stride[at];
      box[at] = n;
      n *= stride[at];
    }
    if (!pgb_hdf5_box(store->h5, path, rank, start, box, from, to))
      return not_written(store, "dataset", path);
    first += n;
    count -= n;
    from = from == NULL ? NULL : from + n;
    to = to == NULL ? NULL : to + n;
  }
  return pgb_ok();
}

static pgb_status move(pgb_store *store, const char *group, const char *name, uint64_t first, uint64_t count,
                       const double *from, double *to) {
  assert(store != NULL && names_ok(group, name));
  PGB_TRY(store->state);
  char path[PGB_HDF5_PATH];
  const int length = snprintf(path, sizeof path, "%.*s/%s", (int)group_length(group), group, name);
  if (length < 0 || (size_t)length >= sizeof path)
    return pgb_fail(PGB_RUNTIME, "%s: the dataset's path is too long; shorten the group's name", name);
  pgb_hdf5_begin(store->h5);
  return leave(store, move_run(store, path, first, count, from, to));
}

pgb_status pgb_store_block(pgb_store *store, const char *group, const char *name, uint64_t first,
                           uint64_t count, const double *values) {
  assert(values != NULL || count == 0);
  return move(store, group, name, first, count, values, NULL);
}

pgb_status pgb_store_block_back(pgb_store *store, const char *group, const char *name, uint64_t first,
                                uint64_t count, double *values) {
  assert(values != NULL || count == 0);
  return count == 0 ? pgb_ok() : move(store, group, name, first, count, NULL, values);
}
