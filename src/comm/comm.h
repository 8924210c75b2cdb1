/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_COMM_COMM_H
#define PGB_COMM_COMM_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ranks of a run. comm_mpi.c or comm_self.c implements this; CMake picks one (PGB_MPI). mpi.h is met
 * nowhere else. */
typedef struct pgb_comm pgb_comm;

/* Collective. Starts MPI unless the program has already; the world of this launch. */
pgb_status pgb_comm_create(int *argc, char ***argv, pgb_comm **out) PGB_MUST_CHECK;
void pgb_comm_destroy(pgb_comm *comm); /* Collective; accepts NULL. Ends MPI if create started it. */

/* Not collective. An agreement or a message from rank to rank failed here, so the other ranks may still wait
 * for this one: no further collective call; print the message whatever the rank, then pgb_comm_abort.
 * Destroying such a comm waits for nobody and leaves MPI unended, so that the launcher ends the job. Other
 * failures of MPI keep the ranks in step and are agreed on like any failure. */
bool pgb_comm_broken(const pgb_comm *comm);

/* Not collective: ends all ranks at once with this exit code, for a rank that cannot reach the next
 * agreement. cli only. */
void pgb_comm_abort(pgb_comm *comm, int code) __attribute__((noreturn));

int pgb_comm_rank(const pgb_comm *comm);
int pgb_comm_size(const pgb_comm *comm);
int pgb_comm_nodes(const pgb_comm *comm); /* distinct shared-memory domains                */
const char *
pgb_comm_hosts(const pgb_comm *comm); /* distinct host names, sorted, comma-separated; rank 0 only, else "" */
const char *pgb_comm_library(const pgb_comm *comm); /* "Open MPI v4.1.4 ..." or "none (built without MPI)" */

/* Collective. The order-free sum: words owned by exactly one rank, zero (+0.0) on all others, are combined so
 * that every rank holds all of them. Adding zeros to the bit pattern as integers is exact, hence the same
 * bits (of -0.0 and NaN too) for any number of ranks and any MPI algorithm. In place; splits long messages by
 * itself. n is the same on all ranks. A word that two ranks wrote is a bug of the caller: PGB_RUNTIME on
 * every rank. */
pgb_status pgb_comm_combine(pgb_comm *comm, double *slots, size_t n) PGB_MUST_CHECK;

/* Words that this rank owns, of a longer row of them. */
typedef struct pgb_comm_words {
  size_t at, n; /* words [at, at + n) of the row */
  const double *words;
} pgb_comm_words;

/* Collective. The same for a row of n words of which no rank but those that want it needs to hold all: `mine`
 * [n_mine] are those of this rank, ascending; all others are zero here. all [n], or NULL: receives the row;
 * `mine` may point into it. One rank alone leaves what is in none of `mine` as it is. */
pgb_status pgb_comm_collect(pgb_comm *comm, const pgb_comm_words *mine, size_t n_mine, size_t n,
                            double *all) PGB_MUST_CHECK;

/* Collective. The same for a row of n parts (n <= PGB_COMM_PARTS) of `each` words that rank 0 alone wants:
 * `mine` are whole parts. all [n][each] on rank 0, else NULL. Less than 256 KiB are collected; parts of
 * longer rows go from their owners straight to where rank 0 wants them, and then PGB_RUNTIME on every rank
 * tells of a part that nobody owns, too. An MPI that fails in the midst of it leaves the ranks out of step
 * (pgb_comm_broken). */
enum { PGB_COMM_PARTS = 256 };
pgb_status pgb_comm_bring(pgb_comm *comm, const pgb_comm_words *mine, size_t n_mine, size_t n, size_t each,
                          double *all) PGB_MUST_CHECK;

/* From one rank to another, n doubles as one message; PGB_RUNTIME on both beyond INT_MAX. send, not
 * collective: returns at once; the words stay as they are until pgb_comm_sent, which waits for all that was
 * sent since (at most PGB_COMM_SENDS). Messages from one rank arrive in the order in which they were sent. An
 * MPI that fails here leaves the ranks out of step (pgb_comm_broken). */
enum { PGB_COMM_SENDS = 32 };
pgb_status pgb_comm_send(pgb_comm *comm, int to, const double *words, size_t n) PGB_MUST_CHECK;
pgb_status pgb_comm_receive(pgb_comm *comm, int from, double *words, size_t n) PGB_MUST_CHECK;
pgb_status pgb_comm_sent(pgb_comm *comm) PGB_MUST_CHECK;

/* Collective. One status for all: PGB_OK if every rank is, else the failure of the lowest failing rank, on
 * every rank. */
pgb_status pgb_comm_agree(pgb_comm *comm, pgb_status mine) PGB_MUST_CHECK;

/* Collective. Rank 0's bytes to all. */
pgb_status pgb_comm_broadcast(pgb_comm *comm, void *bytes, size_t n) PGB_MUST_CHECK;

/* Collective. n doubles of each rank to rank 0: all [size][n] (rank 0 only, else ignored and may be NULL). */
pgb_status pgb_comm_gather(pgb_comm *comm, const double *mine, size_t n, double *all) PGB_MUST_CHECK;

/* Collective. Waits for all ranks (to tell waiting from reducing). */
pgb_status pgb_comm_barrier(pgb_comm *comm) PGB_MUST_CHECK;

/* An agreement that nobody waits for at once: the element-wise maximum over all ranks of n numbers, no NaN (n
 * <= PGB_COMM_MAX and one for each rank). begin, Collective: takes the values and returns at once; one at a
 * time. poll, not collective: lets it travel while this rank works. end, Collective: waits for it and gives
 * the maximum, the same on all ranks. A failure of end leaves the ranks out of step (pgb_comm_broken). */
enum { PGB_COMM_MAX = 8 };
pgb_status pgb_comm_max_begin(pgb_comm *comm, const double *values, size_t n) PGB_MUST_CHECK;
void pgb_comm_max_poll(pgb_comm *comm);
pgb_status pgb_comm_max_end(pgb_comm *comm, double *values) PGB_MUST_CHECK;
bool pgb_comm_max_pending(const pgb_comm *comm); /* begun and not ended */

/* For tests: messages of at most so many bytes (at least 16), the same on all ranks, so that few words
 * exercise the splitting. */
void pgb_comm_limit(pgb_comm *comm, size_t bytes);

#endif
