/* SPDX-License-Identifier: MIT */
#include "io/store_hdf5.h"

#include "io/store.h"

#include <hdf5.h>
#include <hdf5_hl.h>

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 17 }; /* numbers of one piece on disk: 1 MiB, what HDF5 keeps in memory per dataset */

struct pgb_hdf5 {
  hid_t driver, file, text, group; /* the file driver, the file, the string type, how groups are made */
  hid_t transfer;                  /* how texts are written                                            */
  hid_t open;                      /* the dataset that boxes go to, kept open between them, or -1     */
  char open_path[PGB_HDF5_PATH];
  bool printing; /* HDF5 prints its error stack by `print` when no call of ours runs */
  H5E_auto2_t print;
  void *print_data;
  char reason[PGB_HDF5_REASON];
};

void pgb_hdf5_begin(pgb_hdf5 *h5) {
  h5->printing = H5Eget_auto2(H5E_DEFAULT, &h5->print, &h5->print_data) >= 0;
  (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* at worst HDF5 prints */
}

void pgb_hdf5_end(pgb_hdf5 *h5) {
  if (h5->printing)
    (void)H5Eset_auto2(H5E_DEFAULT, h5->print, h5->print_data);
}

/* What the deepest HDF5 function said; of a system call's failure the system's words alone. */
static herr_t innermost(unsigned n, const H5E_error2_t *error, void *out) {
  static const char system[] = "error message = '";
  if (n > 0 || error->desc == NULL)
    return 0;
  const char *from = strstr(error->desc, system);
  from = from == NULL ? error->desc : from + sizeof system - 1;
  char *to = out;
  (void)snprintf(to, PGB_HDF5_REASON, "%s", from);
  to[strcspn(to, from == error->desc ? "\n" : "'\n")] = '\0';
  return 0;
}

void pgb_hdf5_why(char out[PGB_HDF5_REASON]) {
  (void)snprintf(out, PGB_HDF5_REASON, "HDF5 gives no reason");
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, out);
}

/* Keeps the reason of the first failure, at once: the next HDF5 call clears the stack. */
static bool ok(pgb_hdf5 *h5, bool fine) {
  if (!fine && h5->reason[0] == '\0')
    pgb_hdf5_why(h5->reason);
  return fine;
}

const char *pgb_hdf5_reason(const pgb_hdf5 *h5) {
  return h5 == NULL ? "no memory" : h5->reason;
}

/* Closes an id of any kind; negative ones are those that were never opened. */
static herr_t drop(hid_t id) {
  return id < 0 ? 0 : H5Idec_ref(id);
}

/* ---- The file driver: HDF5 writes through pgb_store_file, of whose failures it never hears ---- */

typedef struct driver_info {
  pgb_store_file *file;
} driver_info;

typedef struct driver_file {
  H5FD_t head; /* HDF5's part comes first */
  pgb_store_file *file;
  haddr_t end; /* of what HDF5 has allotted */
} driver_file;

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t most) {
  (void)name, (void)flags, (void)most;
  const driver_info *info = H5Pget_driver_info(access);
  driver_file *f = info == NULL ? NULL : calloc(1, sizeof *f);
  if (f == NULL)
    return NULL;
  f->file = info->file;
  return &f->head;
}

static herr_t driver_close(H5FD_t *f) {
  free(f);
  return 0;
}

static int driver_compare(const H5FD_t *a, const H5FD_t *b) {
  const uintptr_t x = (uintptr_t)((const driver_file *)a)->file,
                  y = (uintptr_t)((const driver_file *)b)->file;
  return (x > y) - (x < y);
}

static herr_t driver_query(const H5FD_t *f, unsigned long *flags) {
  (void)f;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t driver_get_end(const H5FD_t *f, H5FD_mem_t type) {
  (void)type;
  return ((const driver_file *)f)->end;
}

static herr_t driver_set_end(H5FD_t *f, H5FD_mem_t type, haddr_t end) {
  (void)type;
  ((driver_file *)f)->end = end;
  return 0;
}

static haddr_t driver_size(const H5FD_t *f, H5FD_mem_t type) {
  (void)type;
  return pgb_store_file_size(((const driver_file *)f)->file);
}

static herr_t driver_read(H5FD_t *f, H5FD_mem_t type, hid_t how, haddr_t at, size_t n, void *bytes) {
  (void)type, (void)how;
  pgb_store_file_read(((driver_file *)f)->file, at, bytes, n);
  return 0;
}

static herr_t driver_write(H5FD_t *f, H5FD_mem_t type, hid_t how, haddr_t at, size_t n, const void *bytes) {
  (void)type, (void)how;
  pgb_store_file_write(((driver_file *)f)->file, at, bytes, n);
  return 0;
}

static herr_t driver_truncate(H5FD_t *f, hid_t how, hbool_t closing) {
  (void)how, (void)closing;
  driver_file *mine = (driver_file *)f;
  if (mine->end != pgb_store_file_size(mine->file))
    pgb_store_file_resize(mine->file, mine->end);
  return 0;
}

static const H5FD_class_t driver_class = {
#ifdef H5FD_CLASS_VERSION /* from HDF5 1.14 on */
    .version = H5FD_CLASS_VERSION,
    .value = 511,
#endif
    .name = "pgb_store",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(driver_info),
    .open = driver_open,
    .close = driver_close,
    .cmp = driver_compare,
    .query = driver_query,
    .get_eoa = driver_get_end,
    .set_eoa = driver_set_end,
    .get_eof = driver_size,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/* ---- Opening and closing ---- */

/* Bytes of texts that are converted at a time. HDF5 would clear two buffers of 1 MiB for each list of them.
 */
enum { CONVERTED = 16 << 10 };

static bool open_file(pgb_hdf5 *h5, hid_t access, hid_t make, pgb_store_file *file) {
  const driver_info info = {.file = file};
  const unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
  return H5Pset_driver(access, h5->driver, &info) >= 0 &&
         H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
         H5Pset_link_creation_order(make, order) >= 0 && H5Pset_obj_track_times(make, 0) >= 0 &&
         H5Pset_link_creation_order(h5->group, order) >= 0 && H5Pset_obj_track_times(h5->group, 0) >= 0 &&
         H5Pset_buffer(h5->transfer, CONVERTED, NULL, NULL) >= 0 &&
         H5Tset_size(h5->text, H5T_VARIABLE) >= 0 && H5Tset_cset(h5->text, H5T_CSET_UTF8) >= 0 &&
         (h5->file = H5Fcreate(pgb_store_file_name(file), H5F_ACC_TRUNC, make, access)) >= 0;
}

bool pgb_hdf5_create(pgb_store_file *file, pgb_hdf5 **out) {
  pgb_hdf5 *h5 = calloc(1, sizeof *h5);
  *out = h5;
  if (h5 == NULL)
    return false;
  h5->file = h5->open = -1;
  pgb_hdf5_begin(h5);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS), make = H5Pcreate(H5P_FILE_CREATE);
  h5->driver = H5FDregister(&driver_class);
  h5->group = H5Pcreate(H5P_GROUP_CREATE);
  h5->text = H5Tcopy(H5T_C_S1);
  h5->transfer = H5Pcreate(H5P_DATASET_XFER);
  const bool fine = ok(h5, open_file(h5, access, make, file));
  (void)drop(access);
  (void)drop(make);
  pgb_hdf5_end(h5);
  return fine;
}

bool pgb_hdf5_close(pgb_hdf5 *h5, char reason[PGB_HDF5_REASON]) {
  if (h5 == NULL)
    return true;
  pgb_hdf5_begin(h5);
  bool fine = ok(h5, drop(h5->open) >= 0);
  if (h5->file >= 0) {
    fine = ok(h5, H5Fflush(h5->file, H5F_SCOPE_LOCAL) >= 0) && fine;
    fine = ok(h5, H5Fclose(h5->file) >= 0) && fine;
  }
  (void)drop(h5->text);
  (void)drop(h5->group);
  (void)drop(h5->transfer);
  if (h5->driver >= 0)
    (void)H5FDunregister(h5->driver);
  pgb_hdf5_end(h5);
  (void)snprintf(reason, PGB_HDF5_REASON, "%s", h5->reason);
  free(h5);
  return fine;
}

/* ---- Groups, attributes, datasets ---- */

bool pgb_hdf5_group(pgb_hdf5 *h5, const char *path) {
  const htri_t there = H5Lexists(h5->file, path, H5P_DEFAULT);
  if (there != 0)
    return ok(h5, there > 0);
  const hid_t group = H5Gcreate2(h5->file, path, H5P_DEFAULT, h5->group, H5P_DEFAULT);
  return ok(h5, group >= 0) && ok(h5, drop(group) >= 0);
}

/* Little-endian in the file on any machine, and of the machine's own kind in memory. */
static hid_t stored(const pgb_hdf5 *h5, pgb_hdf5_type type) {
  const hid_t types[] = {h5->text, H5T_IEEE_F64LE, H5T_STD_I64LE, H5T_STD_U64LE};
  return types[type];
}

static hid_t given(const pgb_hdf5 *h5, pgb_hdf5_type type) {
  const hid_t types[] = {h5->text, H5T_NATIVE_DOUBLE, H5T_NATIVE_INT64, H5T_NATIVE_UINT64};
  return types[type];
}

static bool put_attribute(pgb_hdf5 *h5, hid_t object, const char *name, pgb_hdf5_type type,
                          const void *value) {
  const htri_t there = H5Aexists(object, name);
  if (!ok(h5, there >= 0 && (there == 0 || H5Adelete(object, name) >= 0)))
    return false;
  const hid_t scalar = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(object, name, stored(h5, type), scalar, H5P_DEFAULT, H5P_DEFAULT);
  const bool fine = ok(h5, attribute >= 0 && H5Awrite(attribute, given(h5, type), value) >= 0);
  (void)drop(scalar);
  return ok(h5, drop(attribute) >= 0) && fine;
}

bool pgb_hdf5_attribute(pgb_hdf5 *h5, const char *object, const char *name, pgb_hdf5_type type,
                        const void *value) {
  const hid_t id = H5Oopen(h5->file, object, H5P_DEFAULT);
  const bool fine = ok(h5, id >= 0) && put_attribute(h5, id, name, type, value);
  return ok(h5, drop(id) >= 0) && fine;
}

int pgb_hdf5_shape(pgb_hdf5 *h5, const char *path, uint64_t length[PGB_HDF5_RANK]) {
  hsize_t n[H5S_MAX_RANK] = {0};
  const hid_t set = H5Dopen2(h5->file, path, H5P_DEFAULT), space = set < 0 ? -1 : H5Dget_space(set);
  const int rank = space < 0 ? -1 : H5Sget_simple_extent_dims(space, n, NULL);
  const bool fine = ok(h5, rank >= 0 && rank <= PGB_HDF5_RANK);
  for (int i = 0; fine && i < rank; i++)
    length[i] = n[i];
  (void)drop(space);
  (void)drop(set);
  return fine ? rank : -1;
}

bool pgb_hdf5_axis(pgb_hdf5 *h5, const char *path, uint64_t *length) {
  if (H5Lexists(h5->file, path, H5P_DEFAULT) <= 0)
    return false;
  uint64_t n[PGB_HDF5_RANK];
  const hid_t set = H5Dopen2(h5->file, path, H5P_DEFAULT);
  const bool fine = set >= 0 && H5DSis_scale(set) > 0 && pgb_hdf5_shape(h5, path, n) == 1;
  (void)drop(set);
  *length = fine ? n[0] : 0;
  return fine;
}

/* Whole trailing axes in one chunk, as many as fit; chunks that nobody writes take no place and read as NaN.
 */
static bool in_chunks(hid_t how, int rank, const hsize_t *length) {
  const double fill = (double)NAN;
  hsize_t chunk[PGB_HDF5_RANK], room = CHUNK;
  for (int i = rank - 1; i >= 0; i--) {
    chunk[i] = length[i] < room ? length[i] : room;
    room /= chunk[i];
  }
  return H5Pset_fill_value(how, H5T_NATIVE_DOUBLE, &fill) >= 0 && H5Pset_chunk(how, rank, chunk) >= 0;
}

/* No dimension labels beside the scales: h5netcdf 1.1 would show them as an attribute of each variable. */
static bool attach(const pgb_hdf5 *h5, hid_t set, const pgb_hdf5_dataset *d) {
  if (d->scale != NULL)
    return H5DSset_scale(set, d->scale) >= 0;
  bool fine = true;
  for (int i = 0; fine && i < d->rank; i++) {
    const hid_t axis = H5Dopen2(h5->file, d->axis[i], H5P_DEFAULT);
    fine = axis >= 0 && H5DSattach_scale(set, axis, (unsigned)i) >= 0;
    fine = drop(axis) >= 0 && fine;
  }
  return fine;
}

static bool fill(pgb_hdf5 *h5, hid_t set, const pgb_hdf5_dataset *d, bool empty) {
  if (!empty && d->values != NULL &&
      !ok(h5, H5Dwrite(set, given(h5, d->type), H5S_ALL, H5S_ALL, h5->transfer, d->values) >= 0))
    return false;
  return (d->unit == NULL || put_attribute(h5, set, "units", PGB_HDF5_TEXT, &d->unit)) &&
         put_attribute(h5, set, "long_name", PGB_HDF5_TEXT, &d->long_name) && ok(h5, attach(h5, set, d));
}

bool pgb_hdf5_put(pgb_hdf5 *h5, const pgb_hdf5_dataset *d) {
  hsize_t length[PGB_HDF5_RANK];
  bool empty = false;
  for (int i = 0; i < d->rank; i++) {
    length[i] = d->length[i];
    empty = empty || length[i] == 0;
  }
  const hid_t how = H5Pcreate(H5P_DATASET_CREATE);
  const hid_t space = d->rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(d->rank, length, NULL);
  bool fine = ok(h5, how >= 0 && space >= 0 && H5Pset_obj_track_times(how, 0) >= 0);
  if (fine && d->values == NULL && !empty && d->rank > 0)
    fine = ok(h5, in_chunks(how, d->rank, length));
  const hid_t set =
      fine ? H5Dcreate2(h5->file, d->path, stored(h5, d->type), space, H5P_DEFAULT, how, H5P_DEFAULT) : -1;
  fine = fine && ok(h5, set >= 0) && fill(h5, set, d, empty);
  fine = ok(h5, drop(set) >= 0) && fine;
  (void)drop(space);
  (void)drop(how);
  return fine;
}

bool pgb_hdf5_box(pgb_hdf5 *h5, const char *path, int rank, const uint64_t *start, const uint64_t *count,
                  const double *from, double *to) {
  hsize_t first[PGB_HDF5_RANK], n[PGB_HDF5_RANK];
  for (int i = 0; i < rank; i++) {
    first[i] = start[i];
    n[i] = count[i];
  }
  if (h5->open < 0 || strcmp(path, h5->open_path) != 0) {
    (void)drop(h5->open); /* a failed write is known to the file */
    h5->open = H5Dopen2(h5->file, path, H5P_DEFAULT);
    (void)snprintf(h5->open_path, sizeof h5->open_path, "%s", path);
    if (!ok(h5, h5->open >= 0))
      return false;
  }
  const hid_t there = H5Dget_space(h5->open),
              here = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, n, NULL);
  const bool chosen = there >= 0 && here >= 0 &&
                      (rank == 0 || H5Sselect_hyperslab(there, H5S_SELECT_SET, first, NULL, n, NULL) >= 0);
  const bool fine =
      chosen && (from != NULL ? H5Dwrite(h5->open, H5T_NATIVE_DOUBLE, here, there, H5P_DEFAULT, from)
                              : H5Dread(h5->open, H5T_NATIVE_DOUBLE, here, there, H5P_DEFAULT, to)) >= 0;
  (void)ok(h5, fine);
  (void)drop(here);
  (void)drop(there);
  return fine;
}

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

const char *pgb_store_library(void) {
  return "HDF5 " TEXT(H5_VERS_MAJOR) "." TEXT(H5_VERS_MINOR) "." TEXT(H5_VERS_RELEASE);
}
