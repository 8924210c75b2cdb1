/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#include <string.h>

/* FNV-1a of names and origins (which hold the checksums); where the files lie is each node's own matter. */
static uint64_t digest(const pgb_plugins *plugins) {
  uint64_t hash = 0xcbf29ce484222325u;
  size_t n = 0;
  const pgb_env_extra *extra = pgb_plugins_classes(plugins, &n);
  for (size_t i = 0; i < n; i++) {
    const char *const texts[] = {extra[i].class_->name, extra[i].origin};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
      for (size_t at = 0; at <= strlen(texts[k]); at++)
        hash = (hash ^ (unsigned char)texts[k][at]) * 0x100000001b3u;
  }
  return hash;
}

static pgb_status same_everywhere(const pgb_plugins *plugins, pgb_comm *comm) {
  const uint64_t mine = digest(plugins);
  uint64_t first = mine;
  PGB_TRY(pgb_comm_agree(comm, pgb_comm_broadcast(comm, &first, sizeof first)));
  return pgb_comm_agree(comm, first == mine
                                  ? pgb_ok()
                                  : pgb_fail(PGB_USAGE,
                                             "--plugin: rank %d loaded other bytes than rank 0: %.150s; "
                                             "put the same files on every node",
                                             pgb_comm_rank(comm), pgb_plugins_text(plugins)));
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
    s = same_everywhere(*out, comm);
  a->plugins = *out;
  a->request.extra = pgb_plugins_classes(*out, &a->request.n_extra);
  return s;
}
