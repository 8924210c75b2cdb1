/* SPDX-License-Identifier: MIT */
/* Linked into pgbench_faulty alone (ld --wrap): makes one call of one function fail, or the process die in
 * it.
 *
 *   PGB_FAULT="RANK NAME COUNT fail|kill"    the COUNT-th call (from 1) of NAME on RANK
 *   PGB_DEAL=SEED                        deals the pieces of blocks to ranks in an order of its own, and as
 *                                        if some were faster than others
 *
 * NAME is a function below without its prefix, `file` for any that changes files, `memory` for any that
 * allocates. What a failed call of the product would leave behind, the failure here leaves too: ranks in
 * step, stores freed. */
#include "io/provenance.h"
#include "io/store.h"
#include "study/checkpoint.h"
#include "study/deal.h"
#include "study/measure.h"
#include "study/output.h"
#include "study/pilot.h"
#include "study/run.h"
#include "study/share.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Whether this call is the one. group: another name that it goes by, or NULL. */
static bool struck(const char *name, const char *group) {
  static char wanted[32], how[8];
  static long rank = -1, count;
  static bool read_already;
  if (!read_already) {
    const char *text = getenv("PGB_FAULT");
    const char *mine = getenv("OMPI_COMM_WORLD_RANK");
    read_already = true;
    if (text == NULL || sscanf(text, "%ld %31s %ld %7s", &rank, wanted, &count, how) != 4 ||
        rank != (mine == NULL ? 0 : strtol(mine, NULL, 10)))
      count = 0;
  }
  if (count <= 0 || (strcmp(name, wanted) != 0 && (group == NULL || strcmp(group, wanted) != 0)) ||
      --count > 0)
    return false;
  if (strcmp(how, "kill") == 0)
    (void)raise(SIGKILL);
  return true;
}

/* ---- Memory ---- */

#define WRAP_MEMORY(name, params, args)                                                                      \
  void *__real_##name params;                                                                                \
  void *__wrap_##name params;                                                                                \
  void *__wrap_##name params {                                                                               \
    return struck(#name, "memory") ? (errno = ENOMEM, (void *)NULL) : __real_##name args;                    \
  }
WRAP_MEMORY(malloc, (size_t n), (n))
WRAP_MEMORY(calloc, (size_t n, size_t size), (n, size))
WRAP_MEMORY(aligned_alloc, (size_t align, size_t n), (align, n))

/* ---- Files ---- */

#define WRAP_FILE(type, name, params, args, error)                                                           \
  type __real_##name params;                                                                                 \
  type __wrap_##name params;                                                                                 \
  type __wrap_##name params {                                                                                \
    return struck(#name, "file") ? (errno = (error), (type)-1) : __real_##name args;                         \
  }
WRAP_FILE(ssize_t, pwrite, (int fd, const void *bytes, size_t n, off_t at), (fd, bytes, n, at), ENOSPC)
WRAP_FILE(int, fsync, (int fd), (fd), EIO)
WRAP_FILE(int, rename, (const char *from, const char *to), (from, to), EIO)
WRAP_FILE(int, link, (const char *from, const char *to), (from, to), EIO)

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd) { /* fails, and the file is closed all the same, as Linux has it */
  const bool fails = struck("close", "file");
  const int done = __real_close(fd);
  return fails ? (errno = EIO, -1) : done;
}

/* ---- Phases ---- */

#define WRAP_PHASE(name, params, args)                                                                       \
  pgb_status __real_pgb_##name params;                                                                       \
  pgb_status __wrap_pgb_##name params;                                                                       \
  pgb_status __wrap_pgb_##name params {                                                                      \
    return struck(#name, NULL) ? pgb_fail(PGB_RUNTIME, #name ": failed: injected; do nothing")               \
                               : __real_pgb_##name args;                                                     \
  }
WRAP_PHASE(study_resolve, (const pgb_request *request, pgb_study **out), (request, out))
WRAP_PHASE(oracle_open, (const pgb_problem *problem, pgb_arena *arena, pgb_oracle **out),
           (problem, arena, out))
WRAP_PHASE(plan_begin,
           (const pgb_study *study, size_t cell, pgb_isa isa, pgb_arena *arena, pgb_plan *out,
            pgb_pilot **pilot),
           (study, cell, isa, arena, out, pilot))
WRAP_PHASE(plan_end,
           (const pgb_study *study, size_t cell, const pgb_pilot *pilot, pgb_arena *arena, pgb_plan *out),
           (study, cell, pilot, arena, out))
WRAP_PHASE(measure_create,
           (const pgb_cell *cell, const pgb_plan *plan, const pgb_study *study, pgb_isa isa,
            pgb_measure **out),
           (cell, plan, study, isa, out))
WRAP_PHASE(store_create, (const char *path, bool force, pgb_store **out), (path, force, out))
WRAP_PHASE(output_cell,
           (pgb_store * store, const pgb_study *study, size_t cell, const pgb_cell_result *result,
            double *const *gradients),
           (store, study, cell, result, gradients))
WRAP_PHASE(checkpoint_write,
           (const char *name, const pgb_checkpoint_head *head, const pgb_study *study,
            const pgb_snapshot *snapshot, pgb_store *store),
           (name, head, study, snapshot, store))
WRAP_PHASE(provenance_gather, (int argc, char *const *argv, pgb_arena *arena, pgb_provenance *out),
           (argc, argv, arena, out))

pgb_status __real_pgb_store_close(pgb_store *store);
pgb_status __wrap_pgb_store_close(pgb_store *store);
pgb_status __wrap_pgb_store_close(pgb_store *store) {
  if (!struck("store_close", NULL))
    return __real_pgb_store_close(store);
  pgb_store_discard(store);
  return pgb_fail(PGB_RUNTIME, "store_close: failed: injected; do nothing");
}

/* A message that fails here is sent all the same (comm/comm.h). */
#define WRAP_MESSAGE(name, params, args)                                                                     \
  pgb_status __real_pgb_##name params;                                                                       \
  pgb_status __wrap_pgb_##name params;                                                                       \
  pgb_status __wrap_pgb_##name params {                                                                      \
    const bool fails = struck(#name, NULL);                                                                  \
    const pgb_status s = __real_pgb_##name args;                                                             \
    return fails ? pgb_fail(PGB_RUNTIME, #name ": failed: injected; do nothing") : s;                        \
  }
WRAP_MESSAGE(comm_combine, (pgb_comm * comm, double *slots, size_t n), (comm, slots, n))
WRAP_MESSAGE(comm_collect,
             (pgb_comm * comm, const pgb_comm_words *mine, size_t n_mine, size_t n, double *all),
             (comm, mine, n_mine, n, all))
WRAP_MESSAGE(comm_bring,
             (pgb_comm * comm, const pgb_comm_words *mine, size_t n_mine, size_t n, size_t each, double *all),
             (comm, mine, n_mine, n, each, all))
WRAP_MESSAGE(comm_broadcast, (pgb_comm * comm, void *bytes, size_t n), (comm, bytes, n))
WRAP_MESSAGE(comm_barrier, (pgb_comm * comm), (comm))
WRAP_MESSAGE(comm_gather, (pgb_comm * comm, const double *mine, size_t n, double *all), (comm, mine, n, all))

/* One from rank to rank is lost, and the other waits for it. */
static bool lost;

bool __real_pgb_comm_broken(const pgb_comm *comm);
bool __wrap_pgb_comm_broken(const pgb_comm *comm);
bool __wrap_pgb_comm_broken(const pgb_comm *comm) {
  return lost || __real_pgb_comm_broken(comm);
}

#define WRAP_LOST(name, params, args)                                                                        \
  pgb_status __real_pgb_##name params;                                                                       \
  pgb_status __wrap_pgb_##name params;                                                                       \
  pgb_status __wrap_pgb_##name params {                                                                      \
    const bool fails = struck(#name, NULL);                                                                  \
    lost = lost || fails;                                                                                    \
    return fails ? pgb_fail(PGB_RUNTIME, #name ": failed: injected; do nothing") : __real_pgb_##name args;   \
  }
WRAP_LOST(comm_send, (pgb_comm * comm, int to, const double *words, size_t n), (comm, to, words, n))
WRAP_LOST(comm_receive, (pgb_comm * comm, int from, double *words, size_t n), (comm, from, words, n))
WRAP_LOST(comm_sent, (pgb_comm * comm), (comm))

/* ---- Blocks ---- */

int __real_pgb_share_rank(int place, int ranks);
int __wrap_pgb_share_rank(int place, int ranks);
int __wrap_pgb_share_rank(int place, int ranks) {
  const char *seed = getenv("PGB_DEAL");
  if (seed == NULL)
    return __real_pgb_share_rank(place, ranks);
  return (int)((strtoull(seed, NULL, 10) + (unsigned)(ranks - place)) %
               (unsigned)ranks); /* its own inverse */
}

/* Speeds that change from round to round; seed 0 leaves them alone. */
void __real_pgb_deal_out(pgb_deal *deal, size_t unit, double lead, const double *cost, double *dealt);
void __wrap_pgb_deal_out(pgb_deal *deal, size_t unit, double lead, const double *cost, double *dealt);
void __wrap_pgb_deal_out(pgb_deal *deal, size_t unit, double lead, const double *cost, double *dealt) {
  enum { MOST = 64 };
  double other[MOST];
  const char *seed = getenv("PGB_DEAL");
  const unsigned from = seed == NULL ? 0 : (unsigned)strtoul(seed, NULL, 10);
  if (from > 0 && deal->ranks <= MOST) {
    for (int p = 0; p < deal->ranks; p++)
      other[p] = 1 + (from * (unsigned)(p + 1) + (unsigned)deal->first) % 5;
    cost = other;
  }
  __real_pgb_deal_out(deal, unit, lead, cost, dealt);
}

/* Dies in the middle of a round; it cannot fail. */
void __real_pgb_measure_pieces(pgb_measure *measure, size_t cell, size_t batch, uint64_t first, uint64_t end,
                               pgb_piece_fn *next, void *self, pgb_phase_times *times);
void __wrap_pgb_measure_pieces(pgb_measure *measure, size_t cell, size_t batch, uint64_t first, uint64_t end,
                               pgb_piece_fn *next, void *self, pgb_phase_times *times);
void __wrap_pgb_measure_pieces(pgb_measure *measure, size_t cell, size_t batch, uint64_t first, uint64_t end,
                               pgb_piece_fn *next, void *self, pgb_phase_times *times) {
  (void)struck("measure_pieces", NULL);
  __real_pgb_measure_pieces(measure, cell, batch, first, end, next, self, times);
}
