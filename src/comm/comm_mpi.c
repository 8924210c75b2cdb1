/* SPDX-License-Identifier: MIT */
/* The ranks of an MPI launch. The only file that meets mpi.h. */
#include "comm/comm.h"

#include "comm/comm_common.h"
#include "core/mem.h"

#include <mpi.h>

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of one message: far below INT_MAX items, and a bound on the buffers that MPI makes inside. */
enum { LIMIT = 4 << 20 };
/* Bytes of a row whose parts go straight to rank 0, beyond latency's reach: half of what an allreduce moves,
 * and nothing to add up. */
enum { STRAIGHT = 256 << 10 };
/* Messages of a part that a rank has under way: the next ones get ready while one is on the wire. */
enum { UNDER_WAY = 4 };
enum { TAG_WORDS, TAG_PART };

struct pgb_comm {
  MPI_Comm all; /* a copy of the world, so that no message of a library that shares it is met */
  int rank, size, nodes;
  bool started;        /* MPI is ours to end */
  bool broken;         /* this rank may be out of step with the others: no more collectives */
  size_t limit;        /* bytes of one message */
  uint64_t *words;     /* [LIMIT / 8] where combine adds; pages are not touched before they are used */
  MPI_Request pending; /* of pgb_comm_max_begin, or MPI_REQUEST_NULL */
  double *most;        /* [PGB_COMM_MAX + size] */
  size_t n_most;
  MPI_Request sends[PGB_COMM_SENDS]; /* [n_sends] under way */
  int n_sends;
  char *hosts;
  char library[MPI_MAX_LIBRARY_VERSION_STRING];
};

/* A return code of MPI as a status. */
static pgb_status check(int code, const char *what) {
  char why[MPI_MAX_ERROR_STRING + 1] = "";
  int length = 0;
  if (code == MPI_SUCCESS)
    return pgb_ok();
  if (MPI_Error_string(code, why, &length) != MPI_SUCCESS)
    (void)snprintf(why, sizeof why, "error %d", code);
  return pgb_fail(PGB_RUNTIME, "MPI: %s failed: %s; check that all nodes of the job are up and run it again",
                  what, why);
}

/* Keeps the first failure. A rank on which one collective call failed makes the others all the same, to stay
 * in step. */
static void keep(pgb_status *first, pgb_status next) {
  if (first->code == PGB_OK)
    *first = next;
}

/* ---- Create and destroy ---- */

/* How many nodes there are, and a communicator of the first rank of each (MPI_COMM_NULL on the others). */
static pgb_status find_nodes(pgb_comm *comm, MPI_Comm *leaders) {
  MPI_Comm node = MPI_COMM_NULL;
  int place = 0;
  PGB_TRY(check(MPI_Comm_split_type(comm->all, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &node),
                "MPI_Comm_split_type"));
  pgb_status s = check(MPI_Comm_rank(node, &place), "MPI_Comm_rank");
  const pgb_status freed = check(MPI_Comm_free(&node), "MPI_Comm_free");
  PGB_TRY(s);
  PGB_TRY(freed);
  comm->nodes = place == 0;
  PGB_TRY(check(MPI_Allreduce(MPI_IN_PLACE, &comm->nodes, 1, MPI_INT, MPI_SUM, comm->all), "MPI_Allreduce"));
  return check(MPI_Comm_split(comm->all, place == 0 ? 0 : MPI_UNDEFINED, comm->rank, leaders),
               "MPI_Comm_split");
}

/* Names travel from one rank per node, so that rank 0 holds nodes names and not ranks names. */
static pgb_status gather_hosts(pgb_comm *comm, MPI_Comm leaders) {
  char name[MPI_MAX_PROCESSOR_NAME + 1] = "";
  int length = 0;
  void *names = NULL;
  pgb_status s = check(MPI_Get_processor_name(name, &length), "MPI_Get_processor_name");
  if (s.code == PGB_OK && comm->rank == 0)
    s = pgb_alloc((size_t)comm->nodes, sizeof name, &names);
  s = pgb_comm_agree(comm, s);
  if (s.code == PGB_OK && leaders != MPI_COMM_NULL)
    s = check(MPI_Gather(name, (int)sizeof name, MPI_CHAR, names, (int)sizeof name, MPI_CHAR, 0, leaders),
              "MPI_Gather");
  if (s.code == PGB_OK && comm->rank == 0)
    s = pgb_comm_join_hosts(names, (size_t)comm->nodes, sizeof name, &comm->hosts);
  free(names);
  return s;
}

static pgb_status describe(pgb_comm *comm) {
  MPI_Comm leaders = MPI_COMM_NULL;
  int length = 0;
  PGB_TRY(check(MPI_Get_library_version(comm->library, &length), "MPI_Get_library_version"));
  comm->library[strcspn(comm->library, "\r\n")] =
      '\0'; /* MPICH tells its whole configuration after the first line */
  PGB_TRY(find_nodes(comm, &leaders));
  pgb_status s = gather_hosts(comm, leaders);
  if (leaders != MPI_COMM_NULL) {
    const pgb_status freed = check(MPI_Comm_free(&leaders), "MPI_Comm_free");
    if (s.code == PGB_OK)
      s = freed;
  }
  comm->broken = false;
  return pgb_comm_agree(comm, s);
}

/* The copy of the world returns errors instead of ending the program. */
static pgb_status join_world(pgb_comm *comm) {
  PGB_TRY(check(MPI_Comm_dup(MPI_COMM_WORLD, &comm->all), "MPI_Comm_dup"));
  PGB_TRY(check(MPI_Comm_set_errhandler(comm->all, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler"));
  PGB_TRY(check(MPI_Comm_rank(comm->all, &comm->rank), "MPI_Comm_rank"));
  return check(MPI_Comm_size(comm->all, &comm->size), "MPI_Comm_size");
}

/* All ranks get their memory, or all give up: one that left alone would keep the others waiting for ever. */
static pgb_status allocate(pgb_comm **out) {
  int size = 0;
  PGB_TRY(check(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size"));
  pgb_comm *comm = calloc(1, sizeof *comm);
  uint64_t *words = malloc(LIMIT);
  double *most = calloc(PGB_COMM_MAX + (size_t)size, sizeof *most);
  int fine = comm != NULL && words != NULL && most != NULL;
  pgb_status s =
      check(MPI_Allreduce(MPI_IN_PLACE, &fine, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD), "MPI_Allreduce");
  if (s.code == PGB_OK && !fine)
    s = pgb_fail(PGB_RUNTIME, "memory: a rank cannot even start; give the job more memory per rank");
  if (s.code != PGB_OK || comm == NULL) {
    free(words);
    free(most);
    free(comm);
    return s;
  }
  comm->all = MPI_COMM_NULL;
  comm->pending = MPI_REQUEST_NULL;
  comm->limit = LIMIT;
  comm->words = words;
  comm->most = most;
  *out = comm;
  return s;
}

pgb_status pgb_comm_create(int *argc, char ***argv, pgb_comm **out) {
  assert(out != NULL);
  int running = 0;
  *out = NULL;
  PGB_TRY(check(MPI_Initialized(&running), "MPI_Initialized"));
  if (!running)
    PGB_TRY(check(MPI_Init(argc, argv), "MPI_Init"));
  pgb_comm *comm = NULL;
  pgb_status s = allocate(&comm);
  if (comm == NULL)
    return s; /* MPI stays unended, so that the launcher ends the ranks that still wait */
  comm->started = !running;
  comm->broken = true; /* until all ranks have agreed that they are there */
  s = join_world(comm);
  if (s.code == PGB_OK)
    s = describe(comm);
  if (s.code == PGB_OK)
    *out = comm;
  else
    pgb_comm_destroy(comm);
  return s;
}

/* Begun in pgb_comm_max_begin, in another call than the one that ends it. */
static int wait_pending(pgb_comm *comm) {
  return MPI_Wait(&comm->pending, MPI_STATUS_IGNORE); /* NOLINT(clang-analyzer-optin.mpi.MPI-Checker) */
}

void pgb_comm_destroy(pgb_comm *comm) {
  if (comm == NULL)
    return;
  if (comm->pending != MPI_REQUEST_NULL && !comm->broken) /* begun on all ranks, so it ends on all */
    comm->broken = wait_pending(comm) != MPI_SUCCESS;
  const bool end = comm->started && !comm->broken;
  if (comm->all != MPI_COMM_NULL && !comm->broken)
    (void)MPI_Comm_free(&comm->all); /* nothing can be done about an MPI that fails while it ends */
  free(comm->hosts);
  free(comm->words);
  free(comm->most);
  free(comm);
  if (end)
    (void)MPI_Finalize();
}

bool pgb_comm_broken(const pgb_comm *comm) {
  return comm->broken;
}

_Noreturn void pgb_comm_abort(pgb_comm *comm, int code) {
  (void)MPI_Abort(comm == NULL || comm->all == MPI_COMM_NULL ? MPI_COMM_WORLD : comm->all, code);
  _Exit(code); /* where MPI_Abort comes back */
}

int pgb_comm_rank(const pgb_comm *comm) {
  return comm->rank;
}

int pgb_comm_size(const pgb_comm *comm) {
  return comm->size;
}

int pgb_comm_nodes(const pgb_comm *comm) {
  return comm->nodes;
}

const char *pgb_comm_hosts(const pgb_comm *comm) {
  return comm->hosts == NULL ? "" : comm->hosts;
}

const char *pgb_comm_library(const pgb_comm *comm) {
  return comm->library;
}

void pgb_comm_limit(pgb_comm *comm, size_t bytes) {
  assert(bytes >= 2 * sizeof(uint64_t) && bytes <= LIMIT);
  comm->limit = bytes;
}

/* ---- Messages ---- */

/* The bits of the doubles are copied to integers, added there, and copied back. Each word is zero on all
 * ranks but one, and x + 0 = x for integers whatever the order: nothing is rounded, -0.0 keeps its sign and
 * NaN its payload, which a sum of doubles would not. The last word of a message counts the words that are not
 * zero: where two ranks own one word, fewer are left after the sum than were put in. */
pgb_status pgb_comm_collect(pgb_comm *comm, const pgb_comm_words *mine, size_t n_mine, size_t n,
                            double *all) {
  assert(comm != NULL && (mine != NULL || n_mine == 0));
  const size_t most = comm->limit / sizeof(uint64_t) - 1;
  pgb_status s = pgb_ok();
  uint64_t lost = 0;
  if (comm->size == 1) {
    pgb_comm_put(mine, n_mine, all);
    return s;
  }
  for (size_t at = 0; at < n;) {
    const size_t k = n - at < most ? n - at : most;
    uint64_t *words = comm->words, left = 0;
    memset(words, 0, (k + 1) * sizeof *words);
    for (; n_mine > 0 && mine->at + mine->n <= at; n_mine--)
      mine++;
    for (size_t i = 0; i < n_mine && mine[i].at < at + k; i++) {
      const size_t from = mine[i].at > at ? mine[i].at : at, end = mine[i].at + mine[i].n;
      memcpy(words + (from - at), mine[i].words + (from - mine[i].at),
             ((end < at + k ? end : at + k) - from) * sizeof *words);
    }
    for (size_t i = 0; i < k; i++)
      words[k] += words[i] != 0;
    keep(&s, check(MPI_Allreduce(MPI_IN_PLACE, words, (int)(k + 1), MPI_UINT64_T, MPI_SUM, comm->all),
                   "MPI_Allreduce"));
    for (size_t i = 0; i < k; i++)
      left += words[i] != 0;
    lost += words[k] - left;
    if (all != NULL)
      memcpy(all + at, words, k * sizeof *words);
    at += k;
  }
  if (lost > 0)
    keep(&s,
         pgb_fail(PGB_RUNTIME, "combine: %llu words were written by more than one rank; report this as a bug",
                  (unsigned long long)lost));
  return s;
}

pgb_status pgb_comm_combine(pgb_comm *comm, double *slots, size_t n) {
  assert(slots != NULL || n == 0);
  return pgb_comm_collect(comm, &(pgb_comm_words){.at = 0, .n = n, .words = slots}, 1, n, slots);
}

/* ---- From rank to rank ---- */

static pgb_status fits(size_t n) {
  return n <= INT_MAX ? pgb_ok()
                      : pgb_fail(PGB_RUNTIME,
                                 "a block of %zu numbers is more than one message holds; run fewer ranks, or "
                                 "fewer estimators and baselines at a time",
                                 n);
}

pgb_status pgb_comm_send(pgb_comm *comm, int to, const double *words, size_t n) {
  assert(comm != NULL && comm->n_sends < PGB_COMM_SENDS);
  MPI_Request request = MPI_REQUEST_NULL; /* clang-tidy 14 does not survive an element of an array here */
  PGB_TRY(fits(n));
  const pgb_status s =
      check(MPI_Isend(words, (int)n, MPI_DOUBLE, to, TAG_WORDS, comm->all, &request), "MPI_Isend");
  /* NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker): pgb_comm_sent waits */
  comm->sends[comm->n_sends] = request;
  comm->n_sends += s.code == PGB_OK;
  comm->broken = comm->broken || s.code != PGB_OK; /* the other rank waits for it */
  return s;
}

pgb_status pgb_comm_receive(pgb_comm *comm, int from, double *words, size_t n) {
  assert(comm != NULL);
  PGB_TRY(fits(n));
  const pgb_status s =
      check(MPI_Recv(words, (int)n, MPI_DOUBLE, from, TAG_WORDS, comm->all, MPI_STATUS_IGNORE), "MPI_Recv");
  comm->broken = comm->broken || s.code != PGB_OK;
  return s;
}

pgb_status pgb_comm_sent(pgb_comm *comm) {
  const int n = comm->n_sends;
  comm->n_sends = 0;
  /* NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker): begun in pgb_comm_send */
  const pgb_status s = check(MPI_Waitall(n, comm->sends, MPI_STATUSES_IGNORE), "MPI_Waitall");
  comm->broken = comm->broken || s.code != PGB_OK;
  return s;
}

/* ---- Parts to rank 0 ---- */

/* Who owns each part, on all ranks: owner[n]. */
static pgb_status find_owners(pgb_comm *comm, const pgb_comm_words *mine, size_t n_mine, size_t n,
                              size_t each, int *owner) {
  int told[2 * PGB_COMM_PARTS] = {0}; /* how many own it, sum of their numbers */
  for (size_t i = 0; i < n_mine; i++) {
    assert(mine[i].n == each && mine[i].at % each == 0);
    told[2 * (mine[i].at / each)]++;
    told[2 * (mine[i].at / each) + 1] += comm->rank;
  }
  const pgb_status s =
      check(MPI_Allreduce(MPI_IN_PLACE, told, (int)(2 * n), MPI_INT, MPI_SUM, comm->all), "MPI_Allreduce");
  comm->broken = comm->broken || s.code != PGB_OK; /* whether the others send is not known */
  PGB_TRY(s);
  for (size_t i = 0; i < n; i++) {
    if (told[2 * i] != 1)
      return pgb_fail(PGB_RUNTIME,
                      "bring: part %zu is owned by %d ranks instead of one; report this as a bug", i,
                      told[2 * i]);
    owner[i] = told[2 * i + 1];
  }
  return s;
}

/* Messages of parts, the oldest waited for where more than UNDER_WAY would be. */
typedef struct flight {
  MPI_Request request[UNDER_WAY];
  size_t n;
  pgb_status s;
} flight;

static void land(flight *f, size_t slot) {
  MPI_Request request = f->request[slot];
  /* NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker): begun in fly */
  keep(&f->s, check(MPI_Wait(&request, MPI_STATUS_IGNORE), "MPI_Wait"));
  f->request[slot] = MPI_REQUEST_NULL;
}

/* A part of `each` words from its owner into `in`, or, where that is NULL, from `out` to rank 0. */
static void fly(pgb_comm *comm, flight *f, int owner, double *in, const double *out, size_t each) {
  const size_t most = comm->limit / sizeof(double);
  for (size_t at = 0; at < each && f->s.code == PGB_OK; at += most) {
    const int k = (int)(each - at < most ? each - at : most);
    MPI_Request request = MPI_REQUEST_NULL;
    land(f, f->n % UNDER_WAY);
    if (in != NULL)
      keep(&f->s,
           check(MPI_Irecv(in + at, k, MPI_DOUBLE, owner, TAG_PART, comm->all, &request), "MPI_Irecv"));
    else
      keep(&f->s, check(MPI_Isend(out + at, k, MPI_DOUBLE, 0, TAG_PART, comm->all, &request), "MPI_Isend"));
    f->request[f->n++ % UNDER_WAY] = request; /* NOLINT(clang-analyzer-optin.mpi.MPI-Checker): land waits */
  }
}

pgb_status pgb_comm_bring(pgb_comm *comm, const pgb_comm_words *mine, size_t n_mine, size_t n, size_t each,
                          double *all) {
  assert(comm != NULL && n <= PGB_COMM_PARTS && (all != NULL || n == 0 || comm->rank != 0));
  int owner[PGB_COMM_PARTS];
  flight f = {.s = pgb_ok()};
  const size_t short_row = comm->limit < STRAIGHT ? comm->limit : STRAIGHT;
  if (comm->size == 1 || n * each < short_row / sizeof(double))
    return pgb_comm_collect(comm, mine, n_mine, n * each, all);
  PGB_TRY(find_owners(comm, mine, n_mine, n, each, owner));
  for (int i = 0; i < UNDER_WAY; i++)
    f.request[i] = MPI_REQUEST_NULL;
  pgb_comm_put(mine, n_mine, all);
  for (size_t i = 0; i < n; i++) {
    if (comm->rank == 0 && owner[i] != 0)
      fly(comm, &f, owner[i], all + i * each, NULL, each);
    if (comm->rank != 0 && owner[i] == comm->rank)
      fly(comm, &f, owner[i], NULL, mine++->words, each);
  }
  for (size_t i = 0; i < UNDER_WAY; i++)
    land(&f, i);
  comm->broken = comm->broken || f.s.code != PGB_OK;
  return f.s;
}

pgb_status pgb_comm_agree(pgb_comm *comm, pgb_status mine) {
  assert(comm != NULL);
  int lowest = mine.code == PGB_OK ? comm->size : comm->rank;
  pgb_status s = check(MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, comm->all), "MPI_Allreduce");
  if (s.code != PGB_OK) {
    comm->broken = true; /* whether the others go on is not known */
    return s;
  }
  if (lowest == comm->size)
    return pgb_ok();
  int code = (int)mine.code;
  s = check(MPI_Bcast(&code, 1, MPI_INT, lowest, comm->all), "MPI_Bcast");
  keep(&s, check(MPI_Bcast(mine.text, PGB_TEXT, MPI_CHAR, lowest, comm->all), "MPI_Bcast"));
  mine.code = (pgb_code)code;
  return s.code == PGB_OK ? mine : s;
}

pgb_status pgb_comm_broadcast(pgb_comm *comm, void *bytes, size_t n) {
  assert(comm != NULL && (bytes != NULL || n == 0));
  pgb_status s = pgb_ok();
  for (size_t at = 0; at < n;) {
    const size_t k = n - at < comm->limit ? n - at : comm->limit;
    keep(&s, check(MPI_Bcast((char *)bytes + at, (int)k, MPI_BYTE, 0, comm->all), "MPI_Bcast"));
    at += k;
  }
  return s;
}

/* Rows of k doubles that lie n doubles apart, so that a part of every rank's row lands in its place in
 * all[size][n]. */
static pgb_status row_type(size_t k, size_t n, MPI_Datatype *out) {
  MPI_Datatype row = MPI_DATATYPE_NULL;
  PGB_TRY(check(MPI_Type_contiguous((int)k, MPI_DOUBLE, &row), "MPI_Type_contiguous"));
  pgb_status s =
      check(MPI_Type_create_resized(row, 0, (MPI_Aint)(n * sizeof(double)), out), "MPI_Type_create_resized");
  if (s.code == PGB_OK)
    s = check(MPI_Type_commit(out), "MPI_Type_commit");
  const pgb_status freed = check(MPI_Type_free(&row), "MPI_Type_free");
  return s.code == PGB_OK ? freed : s;
}

pgb_status pgb_comm_gather(pgb_comm *comm, const double *mine, size_t n, double *all) {
  assert(comm != NULL && (mine != NULL || n == 0) && (all != NULL || n == 0 || comm->rank != 0));
  const size_t share = comm->limit / sizeof(double) / (size_t)comm->size, most = share == 0 ? 1 : share;
  pgb_status s = pgb_ok();
  for (size_t at = 0; at < n;) {
    const size_t k = n - at < most ? n - at : most;
    MPI_Datatype row = MPI_DATATYPE_NULL;
    keep(&s, row_type(k, n, &row));
    keep(&s, check(MPI_Gather(mine + at, (int)k, MPI_DOUBLE, comm->rank == 0 ? all + at : NULL, 1, row, 0,
                              comm->all),
                   "MPI_Gather"));
    if (row != MPI_DATATYPE_NULL)
      keep(&s, check(MPI_Type_free(&row), "MPI_Type_free"));
    at += k;
  }
  return s;
}

pgb_status pgb_comm_max_begin(pgb_comm *comm, const double *values, size_t n) {
  assert(comm != NULL && values != NULL && comm->pending == MPI_REQUEST_NULL);
  assert(n <= PGB_COMM_MAX + (size_t)comm->size);
  memcpy(comm->most, values, n * sizeof *values);
  comm->n_most = n;
  const pgb_status s =
      check(MPI_Iallreduce(MPI_IN_PLACE, comm->most, (int)n, MPI_DOUBLE, MPI_MAX, comm->all, &comm->pending),
            "MPI_Iallreduce");
  comm->broken = comm->broken || s.code != PGB_OK;
  return s; /* NOLINT(clang-analyzer-optin.mpi.MPI-Checker): wait_pending waits */
}

void pgb_comm_max_poll(pgb_comm *comm) {
  int done = 0;
  if (comm->pending != MPI_REQUEST_NULL)
    (void)MPI_Request_get_status(comm->pending, &done, MPI_STATUS_IGNORE); /* end tells a failure */
}

pgb_status pgb_comm_max_end(pgb_comm *comm, double *values) {
  assert(comm != NULL && values != NULL && comm->pending != MPI_REQUEST_NULL);
  const pgb_status s = check(wait_pending(comm), "MPI_Wait");
  comm->broken = comm->broken || s.code != PGB_OK;
  memcpy(values, comm->most, comm->n_most * sizeof *values);
  return s;
}

bool pgb_comm_max_pending(const pgb_comm *comm) {
  return comm->pending != MPI_REQUEST_NULL;
}

pgb_status pgb_comm_barrier(pgb_comm *comm) {
  assert(comm != NULL);
  return check(MPI_Barrier(comm->all), "MPI_Barrier");
}
