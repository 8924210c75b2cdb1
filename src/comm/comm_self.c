/* SPDX-License-Identifier: MIT */
/* One rank, built without MPI. */
#include "comm/comm.h"

#include "comm/comm_common.h"
#include "core/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST = 256 };

struct pgb_comm {
  char *hosts;
  bool pending;
  double most[PGB_COMM_MAX + 1];
  size_t n_most;
};

pgb_status pgb_comm_create(int *argc, char ***argv, pgb_comm **out) {
  (void)argc, (void)argv;
  assert(out != NULL);
  char name[HOST] = "";
  void *memory = NULL;
  *out = NULL;
  if (gethostname(name, sizeof name - 1) != 0)
    name[0] = '\0'; /* a label in the file, not worth a failed run */
  PGB_TRY(pgb_alloc(1, sizeof(pgb_comm), &memory));
  pgb_comm *comm = memory;
  const pgb_status s = pgb_comm_join_hosts(name, 1, sizeof name, &comm->hosts);
  if (s.code != PGB_OK)
    free(comm);
  else
    *out = comm;
  return s;
}

void pgb_comm_destroy(pgb_comm *comm) {
  if (comm == NULL)
    return;
  free(comm->hosts);
  free(comm);
}

bool pgb_comm_broken(const pgb_comm *comm) {
  (void)comm;
  return false;
}

_Noreturn void pgb_comm_abort(pgb_comm *comm, int code) {
  (void)comm;
  _Exit(code);
}

int pgb_comm_rank(const pgb_comm *comm) {
  (void)comm;
  return 0;
}

int pgb_comm_size(const pgb_comm *comm) {
  (void)comm;
  return 1;
}

int pgb_comm_nodes(const pgb_comm *comm) {
  (void)comm;
  return 1;
}

const char *pgb_comm_hosts(const pgb_comm *comm) {
  return comm->hosts;
}

const char *pgb_comm_library(const pgb_comm *comm) {
  (void)comm;
  return "none (built without MPI)";
}

pgb_status pgb_comm_combine(pgb_comm *comm, double *slots, size_t n) {
  (void)comm;
  assert(slots != NULL || n == 0);
  return pgb_ok();
}

pgb_status pgb_comm_collect(pgb_comm *comm, const pgb_comm_words *mine, size_t n_mine, size_t n,
                            double *all) {
  (void)comm, (void)n;
  pgb_comm_put(mine, n_mine, all);
  return pgb_ok();
}

pgb_status pgb_comm_bring(pgb_comm *comm, const pgb_comm_words *mine, size_t n_mine, size_t n, size_t each,
                          double *all) {
  return pgb_comm_collect(comm, mine, n_mine, n * each, all);
}

/* There is no other rank. */
static pgb_status nobody(void) {
  return pgb_fail(PGB_RUNTIME, "a message to another rank, and there is none; report this as a bug");
}

pgb_status pgb_comm_send(pgb_comm *comm, int to, const double *words, size_t n) {
  (void)comm, (void)to, (void)words, (void)n;
  return nobody();
}

pgb_status pgb_comm_receive(pgb_comm *comm, int from, double *words, size_t n) {
  (void)comm, (void)from, (void)words, (void)n;
  return nobody();
}

pgb_status pgb_comm_sent(pgb_comm *comm) {
  (void)comm;
  return pgb_ok();
}

pgb_status pgb_comm_agree(pgb_comm *comm, pgb_status mine) {
  (void)comm;
  return mine;
}

pgb_status pgb_comm_broadcast(pgb_comm *comm, void *bytes, size_t n) {
  (void)comm;
  assert(bytes != NULL || n == 0);
  return pgb_ok();
}

pgb_status pgb_comm_gather(pgb_comm *comm, const double *mine, size_t n, double *all) {
  (void)comm;
  assert((mine != NULL && all != NULL) || n == 0);
  if (n > 0)
    memmove(all, mine, n * sizeof *mine);
  return pgb_ok();
}

pgb_status pgb_comm_max_begin(pgb_comm *comm, const double *values, size_t n) {
  assert(n <= PGB_COMM_MAX + 1 && !comm->pending);
  memcpy(comm->most, values, n * sizeof *values);
  comm->n_most = n;
  comm->pending = true;
  return pgb_ok();
}

void pgb_comm_max_poll(pgb_comm *comm) {
  (void)comm;
}

pgb_status pgb_comm_max_end(pgb_comm *comm, double *values) {
  assert(comm->pending);
  memcpy(values, comm->most, comm->n_most * sizeof *values);
  comm->pending = false;
  return pgb_ok();
}

bool pgb_comm_max_pending(const pgb_comm *comm) {
  return comm->pending;
}

pgb_status pgb_comm_barrier(pgb_comm *comm) {
  (void)comm;
  return pgb_ok();
}

void pgb_comm_limit(pgb_comm *comm, size_t bytes) {
  (void)comm, (void)bytes;
}
