/* SPDX-License-Identifier: MIT */
/* Single datasets and texts of any HDF5 file, for parameters that a user names. */
#include "io/probe.h"
#include "io/store.h"
#include "io/store_hdf5.h"

#include <hdf5.h>

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_NUMBERS = 1 << 28 }; /* of a vector: more parameters than any policy here has */

/* Ids below 0 are those that were never opened. */
static void drop(hid_t id) {
  if (id >= 0)
    (void)H5Idec_ref(id);
}

static pgb_status not_read(const char *path, const char *dataset) {
  char why[PGB_HDF5_REASON];
  pgb_hdf5_why(why);
  return pgb_fail(PGB_USAGE, "%s: dataset %s cannot be read: %s; see what the file holds with h5dump -n %s",
                  path, dataset, why, path);
}

/* What is read of a dataset; one of numbers and texts. */
typedef struct reading {
  const char *path, *dataset;
  pgb_arena *arena;
  bool vector; /* no other shape will do */
  double **numbers;
  const char ***texts;
  size_t *n;
} reading;

static pgb_status read_numbers(hid_t set, hid_t type, size_t n, const reading *r) {
  const H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
  void *values = NULL;
  if (kind != H5T_FLOAT && kind != H5T_INTEGER)
    return pgb_fail(PGB_USAGE, "%s: dataset %s is not %s of numbers; name one that is, such as theta",
                    r->path, r->dataset, r->vector ? "a vector" : "an array");
  PGB_TRY(pgb_arena_alloc(r->arena, n, sizeof(double), &values));
  if (n > 0 && H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
    return not_read(r->path, r->dataset);
  *r->numbers = values;
  *r->n = n;
  return pgb_ok();
}

/* HDF5 allots the texts; copies of them go to the arena. */
static pgb_status read_strings(hid_t set, hid_t type, size_t n, const reading *r) {
  void *memory = NULL;
  if (type < 0 || H5Tis_variable_str(type) <= 0)
    return pgb_fail(PGB_USAGE, "%s: dataset %s is not of texts; name one that is", r->path, r->dataset);
  PGB_TRY(pgb_arena_alloc(r->arena, n, sizeof(char *), &memory));
  char **texts = memory;
  if (n > 0 && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) < 0)
    return not_read(r->path, r->dataset);
  pgb_status s = pgb_ok();
  for (size_t i = 0; i < n; i++) {
    char *copy = NULL;
    if (s.code == PGB_OK)
      s = pgb_arena_text(r->arena, texts[i] == NULL ? "" : texts[i], &copy);
    (void)H5free_memory(texts[i]);
    texts[i] = copy;
  }
  *r->texts = memory;
  *r->n = n;
  return s;
}

static pgb_status read_set(hid_t set, const reading *r) {
  const hid_t type = H5Dget_type(set), space = H5Dget_space(set);
  const int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
  const hssize_t n = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
  pgb_status s;
  if (n < 0 || (r->vector && rank != 1))
    s = pgb_fail(PGB_USAGE, "%s: dataset %s is not a vector of numbers; name one that is, such as theta",
                 r->path, r->dataset);
  else if (n > MOST_NUMBERS)
    s = pgb_fail(PGB_USAGE, "%s: dataset %s claims %lld numbers, more than any policy has; name another",
                 r->path, r->dataset, (long long)n);
  else if (r->texts != NULL)
    s = read_strings(set, type, (size_t)n, r);
  else
    s = read_numbers(set, type, (size_t)n, r);
  drop(space);
  drop(type);
  return s;
}

static pgb_status check_file(const char *path) {
  struct stat info;
  if (access(path, R_OK) != 0 || stat(path, &info) != 0)
    return pgb_fail(PGB_USAGE, "%s: cannot be read: %s; name an HDF5 file that exists", path,
                    strerror(errno));
  if (!S_ISREG(info.st_mode)) /* opening a pipe would wait for its other end */
    return pgb_fail(PGB_USAGE, "%s: is no regular file; name an HDF5 file", path);
  return pgb_ok();
}

static pgb_status read_found(const reading *r) {
  pgb_status s;
  H5E_BEGIN_TRY {
    const hid_t file = H5Fopen(r->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t set = file < 0 ? -1 : H5Dopen2(file, r->dataset, H5P_DEFAULT);
    s = set < 0 ? not_read(r->path, r->dataset) : read_set(set, r);
    drop(set);
    drop(file);
  }
  H5E_END_TRY;
  return s;
}

static void try_dataset(void *self) {
  (void)read_found(self).code;
}

static pgb_status read_dataset(reading *r) {
  assert(r->path != NULL && r->dataset != NULL && r->arena != NULL && r->n != NULL);
  *r->n = 0;
  PGB_TRY(check_file(r->path));
  PGB_TRY(pgb_probe(r->path, try_dataset, r));
  return read_found(r);
}

pgb_status pgb_store_read_vector(const char *path, const char *dataset, pgb_arena *arena, double **out,
                                 size_t *n) {
  *out = NULL;
  return read_dataset(&(reading){path, dataset, arena, .vector = true, .numbers = out, .n = n});
}

pgb_status pgb_store_read_numbers(const char *path, const char *dataset, pgb_arena *arena, double **out,
                                  size_t *n) {
  *out = NULL;
  return read_dataset(&(reading){path, dataset, arena, .numbers = out, .n = n});
}

pgb_status pgb_store_read_texts(const char *path, const char *dataset, pgb_arena *arena, const char ***out,
                                size_t *n) {
  *out = NULL;
  return read_dataset(&(reading){path, dataset, arena, .texts = out, .n = n});
}

typedef struct text_request {
  const char *path, *object, *name;
  pgb_arena *arena;
  const char **out;
} text_request;

static pgb_status find_attribute(const text_request *r) {
  char *found = NULL;
  char *copy = NULL;
  const hid_t file = H5Fopen(r->path, H5F_ACC_RDONLY, H5P_DEFAULT);
  pgb_status s = file < 0 ? not_read(r->path, r->object) : pgb_ok();
  const bool there = file >= 0 && H5Aexists_by_name(file, r->object, r->name, H5P_DEFAULT) > 0;
  const hid_t text = there ? H5Aopen_by_name(file, r->object, r->name, H5P_DEFAULT, H5P_DEFAULT) : -1;
  const hid_t type = text < 0 ? -1 : H5Aget_type(text);
  if (type >= 0 && H5Tis_variable_str(type) > 0 && H5Aread(text, type, &found) >= 0 && found != NULL) {
    s = pgb_arena_text(r->arena, found, &copy);
    (void)H5free_memory(found);
    if (s.code == PGB_OK)
      *r->out = copy;
  }
  drop(type);
  drop(text);
  drop(file);
  return s;
}

static pgb_status read_attribute(const text_request *r) {
  pgb_status s;
  H5E_BEGIN_TRY {
    s = find_attribute(r);
  }
  H5E_END_TRY;
  return s;
}

static void try_attribute(void *self) {
  (void)read_attribute(self).code;
}

pgb_status pgb_store_read_text(const char *path, const char *object, const char *name, pgb_arena *arena,
                               const char **out) {
  assert(path != NULL && object != NULL && name != NULL && arena != NULL && out != NULL);
  *out = "";
  PGB_TRY(check_file(path));
  text_request request = {path, object, name, arena, out};
  PGB_TRY(pgb_probe(path, try_attribute, &request));
  return read_attribute(&request);
}
