/* SPDX-License-Identifier: MIT */
/* The reader of result files: bytes of any kind are refused with a message or give a vector. */
#include "fuzz.h"
#include "io/store.h"

#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[] = "/tmp/pgbench-fuzz-XXXXXX"; /* HDF5 opens only what has a path */
  const int fd = mkstemp(path);
  PROMISE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
  pgb_arena *arena = NULL;
  double *values = NULL;
  size_t n = 0;
  PROMISE(pgb_arena_create(&arena).code == PGB_OK);
  const pgb_status s = pgb_store_read_vector(path, "theta", arena, &values, &n);
  (void)close(fd);
  (void)unlink(path);
  if (s.code != PGB_OK)
    promise_refusal(s);
  pgb_arena_destroy(arena);
  return 0;
}
