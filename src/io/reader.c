/* SPDX-License-Identifier: MIT */
#include "io/reader.h"

#include <hdf5.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_RANK = 8, MOST_TEXT = 1 << 24 }; /* bytes of a text: a study's own limit */

struct pgb_reader {
  hid_t file;
  H5E_auto2_t print; /* HDF5 prints its errors by this while no call of ours runs */
  void *print_data;
  char path[];
};

static void begin(pgb_reader *r) {
  (void)H5Eget_auto2(H5E_DEFAULT, &r->print, &r->print_data);
  (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* at worst HDF5 prints */
}

static void end(const pgb_reader *r) {
  (void)H5Eset_auto2(H5E_DEFAULT, r->print, r->print_data);
}

/* Closes an id of any kind; negative ones are those that were never opened. */
static void drop(hid_t id) {
  if (id >= 0)
    (void)H5Idec_ref(id); /* only read */
}

static pgb_status wrong(const pgb_reader *r, const char *object, const char *name, const char *why) {
  return pgb_fail(PGB_USAGE,
                  "%s: %s%s%s: %s; name a complete result file of pgbench, of the version that merges it",
                  r->path, object, name[0] != '\0' ? " " : "", name, why);
}

pgb_status pgb_reader_open(const char *path, pgb_reader **out) {
  assert(path != NULL && out != NULL);
  struct stat info;
  void *memory = NULL;
  const size_t length = strlen(path) + 1;
  *out = NULL;
  if (stat(path, &info) != 0 || access(path, R_OK) != 0)
    return pgb_fail(PGB_USAGE, "%s: cannot be read: %s; name a result file that is there", path,
                    strerror(errno));
  if (!S_ISREG(info.st_mode)) /* opening a pipe would wait for its other end */
    return pgb_fail(PGB_USAGE, "%s: is no regular file; name a result file of pgbench", path);
  PGB_TRY(pgb_alloc(1, sizeof(pgb_reader) + length, &memory));
  pgb_reader *r = memory;
  memcpy(r->path, path, length);
  begin(r);
  r->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  end(r);
  if (r->file < 0) {
    free(r);
    return pgb_fail(PGB_USAGE, "%s: is no HDF5 file, or damaged; name a result file of pgbench", path);
  }
  *out = r;
  return pgb_ok();
}

void pgb_reader_close(pgb_reader *r) {
  if (r == NULL)
    return;
  begin(r);
  (void)H5Fclose(r->file); /* only read */
  end(r);
  free(r);
}

/* H5Lexists wants every group on the way to be there. */
bool pgb_reader_has(const pgb_reader *r, const char *object) {
  pgb_reader quiet = {.file = r->file};
  bool there = true;
  char path[1024];
  const size_t length = strlen(object);
  begin(&quiet);
  for (size_t i = 1; i <= length && there; i++)
    if (object[i] == '/' || object[i] == '\0') {
      (void)snprintf(path, sizeof path, "%.*s", (int)i, object);
      there = i < sizeof path && H5Lexists(r->file, path, H5P_DEFAULT) > 0;
    }
  end(&quiet);
  return there;
}

/* ---- Attributes ---- */

static hid_t open_attribute(const pgb_reader *r, const char *object, const char *name) {
  return H5Aexists_by_name(r->file, object, name, H5P_DEFAULT) > 0
             ? H5Aopen_by_name(r->file, object, name, H5P_DEFAULT, H5P_DEFAULT)
             : -1;
}

static bool is_scalar(hid_t attribute, H5T_class_t kind) {
  const hid_t type = H5Aget_type(attribute);
  const hid_t space = H5Aget_space(attribute);
  const bool fine =
      type >= 0 && space >= 0 && H5Tget_class(type) == kind && H5Sget_simple_extent_npoints(space) == 1;
  drop(space);
  drop(type);
  return fine;
}

/* As the store writes texts: of variable length, UTF-8. */
static hid_t text_type(void) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  if (type >= 0 && H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
    return type;
  drop(type);
  return -1;
}

static pgb_status keep_text(const pgb_reader *r, const char *object, const char *name, const char *text,
                            pgb_arena *arena, const char **out) {
  char *copy = NULL;
  if (text == NULL || strnlen(text, MOST_TEXT) == MOST_TEXT)
    return wrong(r, object, name, "is no text of a size that pgbench writes");
  PGB_TRY(pgb_arena_text(arena, text, &copy));
  *out = copy;
  return pgb_ok();
}

pgb_status pgb_reader_text(pgb_reader *r, const char *object, const char *name, bool optional,
                           pgb_arena *arena, const char **out) {
  char *text = NULL;
  pgb_status s = pgb_ok();
  *out = NULL;
  begin(r);
  const hid_t attribute = open_attribute(r, object, name);
  const hid_t type = text_type();
  if (attribute < 0)
    s = optional ? s : wrong(r, object, name, "there is no such attribute");
  else if (!is_scalar(attribute, H5T_STRING) || H5Aread(attribute, type, &text) < 0)
    s = wrong(r, object, name, "is no text");
  else
    s = keep_text(r, object, name, text, arena, out);
  if (text != NULL)
    (void)H5free_memory(text);
  drop(type);
  drop(attribute);
  end(r);
  return s;
}

static pgb_status number(pgb_reader *r, const char *object, const char *name, H5T_class_t kind, hid_t type,
                         void *out) {
  begin(r);
  const hid_t attribute = open_attribute(r, object, name);
  const bool fine = attribute >= 0 && is_scalar(attribute, kind) && H5Aread(attribute, type, out) >= 0;
  drop(attribute);
  end(r);
  return fine ? pgb_ok() : wrong(r, object, name, "is no attribute with one number");
}

pgb_status pgb_reader_real(pgb_reader *r, const char *object, const char *name, double *out) {
  return number(r, object, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, out);
}

pgb_status pgb_reader_unsigned(pgb_reader *r, const char *object, const char *name, uint64_t *out) {
  return number(r, object, name, H5T_INTEGER, H5T_NATIVE_UINT64, out);
}

/* ---- Datasets ---- */

/* The rank of a dataset of this kind, its lengths; -1 where there is none. */
static int shape(hid_t set, H5T_class_t kind, uint64_t length[MOST_RANK]) {
  hsize_t n[H5S_MAX_RANK] = {0};
  const hid_t type = set < 0 ? -1 : H5Dget_type(set);
  const hid_t space = set < 0 ? -1 : H5Dget_space(set);
  int rank =
      type >= 0 && space >= 0 && H5Tget_class(type) == kind ? H5Sget_simple_extent_dims(space, n, NULL) : -1;
  rank = rank > MOST_RANK ? -1 : rank;
  for (int i = 0; i < rank; i++)
    length[i] = n[i];
  drop(space);
  drop(type);
  return rank;
}

static bool has_shape(hid_t set, H5T_class_t kind, int rank, const uint64_t *length) {
  uint64_t found[MOST_RANK] = {0};
  return shape(set, kind, found) == rank &&
         (rank == 0 || memcmp(found, length, (size_t)rank * sizeof *length) == 0);
}

static hid_t open_set(const pgb_reader *r, const char *path) {
  return pgb_reader_has(r, path) ? H5Dopen2(r->file, path, H5P_DEFAULT) : -1;
}

static pgb_status misshapen(const pgb_reader *r, const char *dataset) {
  return wrong(r, dataset, "", "is not there, not of the study's size, or damaged");
}

pgb_status pgb_reader_shape(pgb_reader *r, const char *dataset, int rank, const uint64_t *length) {
  begin(r);
  const hid_t set = open_set(r, dataset);
  const bool fine = has_shape(set, H5T_FLOAT, rank, length);
  drop(set);
  end(r);
  return fine ? pgb_ok() : misshapen(r, dataset);
}

pgb_status pgb_reader_numbers(pgb_reader *r, const char *dataset, int rank, const uint64_t *length,
                              double *out) {
  begin(r);
  const hid_t set = open_set(r, dataset);
  const bool fine = has_shape(set, H5T_FLOAT, rank, length) &&
                    H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0;
  drop(set);
  end(r);
  return fine ? pgb_ok() : misshapen(r, dataset);
}

/* The texts of a dataset belong to HDF5 until they are given back together. */
static pgb_status read_texts(pgb_reader *r, hid_t set, const char *dataset, size_t n, pgb_arena *arena,
                             const char **out) {
  void *room = NULL;
  PGB_TRY(pgb_alloc(n > 0 ? n : 1, sizeof(char *), &room));
  char **text = room;
  const hid_t type = text_type();
  const hid_t space = H5Dget_space(set);
  pgb_status s = pgb_ok();
  if (space < 0 || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0) {
    s = wrong(r, dataset, "", "holds no texts that can be read");
  } else {
    for (size_t i = 0; i < n && s.code == PGB_OK; i++)
      s = keep_text(r, dataset, "", text[i], arena, &out[i]);
    (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, text); /* at worst memory is lost */
  }
  drop(space);
  drop(type);
  free(room);
  return s;
}

pgb_status pgb_reader_texts(pgb_reader *r, const char *dataset, int rank, const uint64_t *length,
                            pgb_arena *arena, const char **out) {
  size_t n = 1;
  for (int i = 0; i < rank; i++)
    n *= (size_t)length[i];
  begin(r);
  const hid_t set = open_set(r, dataset);
  const pgb_status s = has_shape(set, H5T_STRING, rank, length)
                           ? read_texts(r, set, dataset, n, arena, out)
                           : wrong(r, dataset, "", "is not there, or not of the study's size");
  drop(set);
  end(r);
  return s;
}

pgb_status pgb_reader_box(pgb_reader *r, const char *dataset, int rank, const uint64_t *start,
                          const uint64_t *count, double *out) {
  assert(rank > 0 && rank <= MOST_RANK);
  hsize_t from[MOST_RANK];
  hsize_t n[MOST_RANK];
  for (int i = 0; i < rank; i++) {
    from[i] = start[i];
    n[i] = count[i];
  }
  begin(r);
  const hid_t set = open_set(r, dataset);
  const hid_t there = set < 0 ? -1 : H5Dget_space(set);
  const hid_t here = H5Screate_simple(rank, n, NULL);
  const bool fine = there >= 0 && here >= 0 &&
                    H5Sselect_hyperslab(there, H5S_SELECT_SET, from, NULL, n, NULL) >= 0 &&
                    H5Dread(set, H5T_NATIVE_DOUBLE, here, there, H5P_DEFAULT, out) >= 0;
  drop(here);
  drop(there);
  drop(set);
  end(r);
  return fine ? pgb_ok() : wrong(r, dataset, "", "a piece of it cannot be read");
}
