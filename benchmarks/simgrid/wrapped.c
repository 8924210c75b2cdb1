/* SPDX-License-Identifier: MIT */
/* What the linker puts in the way of a few calls (-Wl,--wrap). All ranks are contexts of one thread, which
 * change places only inside of simulated calls: plain variables are safe. */
#include "sim.h"

#include "study/result.h"

#include <mpi.h>
#include <simgrid/actor.h>
#include <simgrid/barrier.h>
#include <simgrid/cond.h>
#include <simgrid/mutex.h>

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* FULL: bytes of the largest message between two ranks. */
enum { WORDS = 1 << 19, MOST = 8 + 4096, SIMULATED = 2, FULL = 1 << 26, AWAITED = 8 };

/* A meeting of all ranks. A rank is never more than one meeting ahead of another, so two of them take turns.
 */
typedef struct meeting {
  int entered, left;
  uint64_t *words;
  double most[MOST];
} meeting;

/* Words on their way to a rank. */
typedef struct letter {
  struct letter *next;
  int to;
  double words[];
} letter;

/* A letter that is waited for. */
typedef struct awaited {
  MPI_Request request;
  double *words;
  int n, from;
} awaited;

/* Of one rank. */
typedef struct place {
  size_t sums, agreements; /* calls so far */
  int count, row;          /* words of the last sum, and how many such sums there were in a row */
  double took;             /* simulated seconds of the last sum that was simulated              */
  double *out;             /* of the agreement under way                                        */
  int n_out;
  letter *letters; /* sent by this rank and not received, the oldest first */
  awaited awaited[AWAITED];
} place;

static struct {
  int ranks;
  meeting sum[2], agreement[2];
  place *places;
  uint64_t *from, *to; /* of a sum at its full size: shared by all ranks, never looked at */
  MPI_Op nothing;      /* done with it: SMPI leaves its buffers untouched then, and they cost no memory */
  sg_mutex_t mutex;
  sg_cond_t all_here;
  sg_bar_t barrier;
  double agreement_seconds;
} all;

double sim_figures_took;

int __real_MPI_Allreduce(const void *in, void *out, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm);
int __wrap_MPI_Allreduce(const void *in, void *out, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm);
int __wrap_MPI_Iallreduce(const void *in, void *out, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                          MPI_Request *request);
int __real_MPI_Irecv(void *words, int n, MPI_Datatype type, int from, int tag, MPI_Comm comm,
                     MPI_Request *request);
int __wrap_MPI_Irecv(void *words, int n, MPI_Datatype type, int from, int tag, MPI_Comm comm,
                     MPI_Request *request);
int __real_MPI_Wait(MPI_Request *request, MPI_Status *status);
int __wrap_MPI_Wait(MPI_Request *request, MPI_Status *status);
int __wrap_MPI_Request_get_status(MPI_Request request, int *flag, MPI_Status *status);
void __real_pgb_result_measured(const pgb_study *study, size_t cell, size_t batch, const pgb_plan *plan,
                                const double *blocks, size_t n_blocks, pgb_cell_result *result);
void __wrap_pgb_result_measured(const pgb_study *study, size_t cell, size_t batch, const pgb_plan *plan,
                                const double *blocks, size_t n_blocks, pgb_cell_result *result);
size_t __real_pgb_block_count(uint64_t replicates, size_t doubles);
size_t __wrap_pgb_block_count(uint64_t replicates, size_t doubles);
size_t __real_pgb_piece_count(uint64_t replicates, size_t doubles);
size_t __wrap_pgb_piece_count(uint64_t replicates, size_t doubles);
void __real_pgb_piece_range(uint64_t replicates, size_t doubles, size_t piece, uint64_t *first,
                            uint64_t *end);
void __wrap_pgb_piece_range(uint64_t replicates, size_t doubles, size_t piece, uint64_t *first,
                            uint64_t *end);
int __real_MPI_Isend(const void *words, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                     MPI_Request *request);
int __wrap_MPI_Isend(const void *words, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                     MPI_Request *request);
int __real_MPI_Recv(void *words, int n, MPI_Datatype type, int from, int tag, MPI_Comm comm,
                    MPI_Status *status);
int __wrap_MPI_Recv(void *words, int n, MPI_Datatype type, int from, int tag, MPI_Comm comm,
                    MPI_Status *status);
void __real_pgb_block_range(uint64_t replicates, size_t doubles, size_t block, uint64_t *first,
                            uint64_t *end);
void __wrap_pgb_block_range(uint64_t replicates, size_t doubles, size_t block, uint64_t *first,
                            uint64_t *end);

static place *here(void) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return &all.places[rank];
}

int sim_wrap_open(int ranks) {
  if (all.places != NULL)
    return 1;
  all.ranks = ranks;
  all.places = calloc((size_t)ranks, sizeof *all.places);
  all.from = SMPI_SHARED_MALLOC(FULL);
  all.to = SMPI_SHARED_MALLOC(FULL);
  for (int i = 0; i < 2; i++)
    all.sum[i].words = calloc(WORDS, sizeof *all.sum[i].words);
  all.mutex = sg_mutex_init();
  all.all_here = sg_cond_init();
  all.barrier = sg_barrier_init((unsigned)ranks);
  return all.places != NULL && all.from != NULL && all.to != NULL && all.sum[0].words != NULL &&
         all.sum[1].words != NULL;
}

/* Bytes of so many doubles, were all parameters there; room for them is in all.from. */
static int full_bytes(int n) {
  return (int)fmin(n * sim.thin * sizeof(double), FULL);
}

/* ---- The sum of pgb_comm_combine ---- */

/* Time alone. Of equal sums in a row the first ones are simulated and each later one takes as long as the
 * last of these: a million parameters are hundreds of messages of the same size. */
static int let_pass(place *p, int n, MPI_Datatype type, MPI_Comm comm) {
  const double words = n * sim.thin;
  const int full = words < WORDS ? (int)words : WORDS;
  p->row = p->count == n ? p->row + 1 : 0;
  p->count = n;
  const double here = words * sim.word_seconds;
  if (all.ranks > 1)
    sg_barrier_wait(all.barrier);
  sim_pass(here + (all.ranks > 1 && p->row >= SIMULATED ? p->took : 0));
  if (all.ranks == 1 || p->row >= SIMULATED)
    return MPI_SUCCESS;
  const double start = MPI_Wtime();
  const int code = __real_MPI_Allreduce(all.from, all.to, full, type, all.nothing, comm);
  p->took = MPI_Wtime() - start;
  return code;
}

/* The words themselves are summed in one place for all ranks, which saves each its buffers. */
int __wrap_MPI_Allreduce(const void *in, void *out, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  if (type != MPI_UINT64_T || op != MPI_SUM || in != MPI_IN_PLACE)
    return __real_MPI_Allreduce(in, out, n, type, op, comm);
  place *p = here();
  meeting *m = &all.sum[p->sums++ % 2];
  uint64_t *words = out;
  if (m->entered++ == 0)
    memset(m->words, 0, (size_t)n * sizeof *words);
  for (int i = 0; i < n; i++)
    m->words[i] += words[i];
  const int code = let_pass(p, n, type, comm);
  memcpy(words, m->words, (size_t)n * sizeof *words);
  if (++m->left == all.ranks)
    m->entered = m->left = 0;
  return code;
}

/* ---- The agreement of pgb_comm_max_begin ---- */

/* SMPI would let every rank send to every other one, which no MPI does. Here: the values are there once all
 * ranks have begun, and whoever waits for them pays a whole small allreduce then, for MPI gets on with one
 * only while it is called. */
int __wrap_MPI_Iallreduce(const void *in, void *out, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                          MPI_Request *request) {
  place *p = here();
  meeting *m = &all.agreement[p->agreements++ % 2];
  const double *values = out;
  if (in != MPI_IN_PLACE || n > MOST || type != MPI_DOUBLE || op != MPI_MAX || comm == MPI_COMM_NULL)
    return MPI_ERR_ARG;
  for (int i = 0; i < n; i++)
    m->most[i] = m->entered == 0 ? values[i] : fmax(m->most[i], values[i]);
  p->out = out;
  p->n_out = n;
  *request = (MPI_Request)m;
  if (++m->entered == all.ranks) {
    sg_mutex_lock(all.mutex);
    sg_cond_notify_all(all.all_here);
    sg_mutex_unlock(all.mutex);
  }
  return MPI_SUCCESS;
}

static bool is_ours(MPI_Request request) {
  return request == (MPI_Request)&all.agreement[0] || request == (MPI_Request)&all.agreement[1];
}

int __wrap_MPI_Request_get_status(MPI_Request request, int *flag, MPI_Status *status) {
  (void)status;
  *flag = 0;
  return is_ours(request) ? MPI_SUCCESS : MPI_ERR_REQUEST;
}

static int wait_agreement(MPI_Request *request) {
  meeting *m = (meeting *)*request;
  place *p = here();
  if (m->entered < all.ranks) {
    sg_mutex_lock(all.mutex);
    while (m->entered < all.ranks)
      sg_cond_wait(all.all_here, all.mutex);
    sg_mutex_unlock(all.mutex);
  }
  memcpy(p->out, m->most, (size_t)p->n_out * sizeof *p->out);
  if (++m->left == all.ranks)
    m->entered = m->left = 0;
  *request = MPI_REQUEST_NULL;
  sim_pass(all.agreement_seconds);
  return MPI_SUCCESS;
}

static void nothing(void *in, void *out, int *n, MPI_Datatype *type) {
  (void)in;
  (void)out;
  (void)n;
  (void)type;
}

void sim_wrap_measure(void) {
  double *said = all.agreement[0].most; /* four numbers, and one of each rank */
  if (all.nothing == MPI_OP_NULL)
    MPI_Op_create(nothing, 1, &all.nothing);
  for (int i = 0; i < 2; i++) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double start = MPI_Wtime();
    __real_MPI_Allreduce(MPI_IN_PLACE, said, 4 + all.ranks, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    all.agreement_seconds = fmax(i == 0 ? 0 : all.agreement_seconds, MPI_Wtime() - start);
  }
}

/* ---- From rank to rank: the words of a block, at the size of all of its parameters ---- */

int __wrap_MPI_Isend(const void *words, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm,
                     MPI_Request *request) {
  letter **end = &here()->letters;
  letter *new = malloc(sizeof *new + (size_t)n * sizeof *new->words);
  if (type != MPI_DOUBLE || new == NULL)
    return MPI_ERR_ARG;
  *new = (letter){.to = to};
  memcpy(new->words, words, (size_t)n * sizeof *new->words);
  while (*end != NULL)
    end = &(*end)->next;
  *end = new;
  return __real_MPI_Isend(all.from, full_bytes(n), MPI_BYTE, to, tag, comm, request);
}

/* The oldest letter from a rank to this one. */
static int open_letter(double *words, int n, int from) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  letter **at = &all.places[from].letters;
  while (*at != NULL && (*at)->to != rank)
    at = &(*at)->next;
  if (*at == NULL)
    return MPI_ERR_OTHER;
  letter *old = *at;
  memcpy(words, old->words, (size_t)n * sizeof *old->words);
  *at = old->next;
  free(old);
  return MPI_SUCCESS;
}

int __wrap_MPI_Recv(void *words, int n, MPI_Datatype type, int from, int tag, MPI_Comm comm,
                    MPI_Status *status) {
  if (type != MPI_DOUBLE)
    return MPI_ERR_ARG;
  const int code = __real_MPI_Recv(all.to, full_bytes(n), MPI_BYTE, from, tag, comm, status);
  return code != MPI_SUCCESS ? code : open_letter(words, n, from);
}

int __wrap_MPI_Irecv(void *words, int n, MPI_Datatype type, int from, int tag, MPI_Comm comm,
                     MPI_Request *request) {
  awaited *a = here()->awaited;
  const awaited *end = a + AWAITED;
  while (a < end && a->words != NULL)
    a++;
  if (type != MPI_DOUBLE || a == end)
    return MPI_ERR_ARG;
  const int code = __real_MPI_Irecv(all.to, full_bytes(n), MPI_BYTE, from, tag, comm, request);
  if (code == MPI_SUCCESS)
    *a = (awaited){.request = *request, .words = words, .n = n, .from = from};
  return code;
}

/* Letters come in the order in which they are waited for. */
static int wait_letter(MPI_Request *request, MPI_Status *status) {
  awaited *a = here()->awaited;
  const awaited *end = a + AWAITED;
  while (a < end && (a->words == NULL || a->request != *request))
    a++;
  const int code = __real_MPI_Wait(request, status);
  if (code != MPI_SUCCESS || a == end)
    return code;
  double *words = a->words;
  a->words = NULL;
  return open_letter(words, a->n, a->from);
}

int __wrap_MPI_Wait(MPI_Request *request, MPI_Status *status) {
  return is_ours(*request) ? wait_agreement(request) : wait_letter(request, status);
}

/* ---- Work of rank 0, and blocks ---- */

void __wrap_pgb_result_measured(const pgb_study *study, size_t cell, size_t batch, const pgb_plan *plan,
                                const double *blocks, size_t n_blocks, pgb_cell_result *result) {
  const double start = sim_host_seconds();
  __real_pgb_result_measured(study, cell, batch, plan, blocks, n_blocks, result);
  sim_figures_took = sim_host_seconds() - start;
  sim_pass(sim.figure_seconds);
}

size_t __wrap_pgb_block_count(uint64_t replicates, size_t doubles) {
  return __real_pgb_block_count(replicates, doubles * (size_t)sim.thin);
}

void __wrap_pgb_block_range(uint64_t replicates, size_t doubles, size_t block, uint64_t *first,
                            uint64_t *end) {
  __real_pgb_block_range(replicates, doubles * (size_t)sim.thin, block, first, end);
}

size_t __wrap_pgb_piece_count(uint64_t replicates, size_t doubles) {
  return __real_pgb_piece_count(replicates, doubles * (size_t)sim.thin);
}

void __wrap_pgb_piece_range(uint64_t replicates, size_t doubles, size_t piece, uint64_t *first,
                            uint64_t *end) {
  __real_pgb_piece_range(replicates, doubles * (size_t)sim.thin, piece, first, end);
}
