/* SPDX-License-Identifier: MIT */
#include "comm/comm_common.h"

#include "core/mem.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) {
  return strcmp(a, b);
}

pgb_status pgb_comm_join_hosts(char *names, size_t n, size_t width, char **out) {
  void *memory = NULL;
  *out = NULL;
  qsort(names, n, width, compare);
  size_t length = 1;
  for (size_t i = 0; i < n; i++)
    length += strlen(names + i * width) + 1;
  PGB_TRY(pgb_alloc(length, 1, &memory));
  char *to = memory;
  for (size_t i = 0; i < n; i++) {
    const char *name = names + i * width;
    if (i > 0 && strcmp(name, name - width) == 0)
      continue;
    if (i > 0)
      *to++ = ',';
    to = stpcpy(to, name);
  }
  *out = memory;
  return pgb_ok();
}

void pgb_comm_put(const pgb_comm_words *mine, size_t n_mine, double *all) {
  for (size_t i = 0; i < n_mine && all != NULL; i++)
    if (mine[i].words != all + mine[i].at)
      memcpy(all + mine[i].at, mine[i].words, mine[i].n * sizeof *all);
}
