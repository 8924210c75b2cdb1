/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

/* Whether this rank's text is the first rank's. Collective. */
static pgb_status same_everywhere(const char *text, pgb_comm *comm) {
  uint64_t length = strlen(text);
  const uint64_t mine = length;
  void *first = NULL;
  PGB_TRY(pgb_comm_broadcast(comm, &length, sizeof length));
  pgb_status s = pgb_comm_agree(comm, pgb_alloc((size_t)length + 1, 1, &first));
  if (s.code == PGB_OK) {
    if (pgb_comm_rank(comm) == 0)
      memcpy(first, text, (size_t)length);
    s = pgb_comm_broadcast(comm, first, (size_t)length);
  }
  if (s.code == PGB_OK)
    s = pgb_comm_agree(comm, mine == length && memcmp(first, text, (size_t)length) == 0
                                 ? pgb_ok()
                                 : pgb_fail(PGB_USAGE,
                                            "--plugin: rank %d has %.150s where rank 0 has another "
                                            "file; put the same files under the same path on every node",
                                            pgb_comm_rank(comm), text));
  free(first);
  return s;
}

pgb_status pgb_plugins_open(pgb_arguments *a, pgb_comm *comm, pgb_plugins **out) {
  *out = NULL;
  if (a->n_plugin == 0)
    return pgb_ok();
  pgb_status s = pgb_plugins_load(a->n_plugin, a->plugin, out);
  if (s.code == PGB_USAGE)
    s = pgb_fail(PGB_USAGE, "--plugin %.480s", s.text);
  s = pgb_comm_agree(comm, s);
  if (s.code == PGB_OK)
    s = same_everywhere(pgb_plugins_text(*out), comm);
  a->plugins = *out;
  a->request.extra = pgb_plugins_classes(*out, &a->request.n_extra);
  return s;
}
