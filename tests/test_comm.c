/* SPDX-License-Identifier: MIT */
/* The ranks: run with 1, 2, 3, 5 of them, and built without MPI. Every check is made on every rank. */
#include "check.h"
#include "comm/comm.h"
#include "comm/comm_common.h"

#include <stdint.h>
#include <stdlib.h>

enum { WORDS = 1000 };

/* Bit patterns that a sum of doubles would not keep: -0.0, quiet and signalling NaN with payload, denormals,
 * infinity. */
static uint64_t pattern(size_t i) {
  static const uint64_t hard[] = {0x8000000000000000u, 0x7FF8DEADBEEF1234u, 0x7FF4000000000001u,
                                  0xFFF8000000000001u, 0x0000000000000001u, 0x800FFFFFFFFFFFFFu,
                                  0x7FF0000000000000u, 0xFFFFFFFFFFFFFFFFu, 0x0000000000000000u,
                                  0x3FF0000000000000u};
  const size_t n = sizeof hard / sizeof *hard;
  return i < n ? hard[i] : (uint64_t)(i + 1) * 0x9E3779B97F4A7C15u;
}

/* Words are dealt so that with more ranks than `owners` some ranks own nothing. */
static void deal(pgb_comm *comm, double *slots, size_t n, int owners) {
  for (size_t i = 0; i < n; i++) {
    const uint64_t bits = (int)(i * 7 % (size_t)owners) == pgb_comm_rank(comm) ? pattern(i) : 0;
    memcpy(&slots[i], &bits, sizeof bits);
  }
}

static int same(const double *slots, size_t n) {
  int equal = 1;
  for (size_t i = 0; i < n; i++) {
    uint64_t bits = 0;
    memcpy(&bits, &slots[i], sizeof bits);
    equal = equal && bits == pattern(i);
  }
  return equal;
}

static void test_combine(checks *c, pgb_comm *comm) {
  static const size_t limits[] = {16, 24, 80, 7992, 8000, 8008, 1 << 20};
  double slots[WORDS + 1];
  const int size = pgb_comm_size(comm);
  for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
    pgb_comm_limit(comm, limits[l]);
    for (int owners = 1; owners <= size; owners += size == 1 ? 1 : size - 1) {
      deal(comm, slots, WORDS, owners);
      slots[WORDS] = 42;
      CHECK_OK(c, pgb_comm_combine(comm, slots, WORDS));
      CHECK(c, same(slots, WORDS) && slots[WORDS] == 42);
    }
  }
  CHECK_OK(c, pgb_comm_combine(comm, slots, 0));
  CHECK_OK(c, pgb_comm_combine(comm, NULL, 0));
  CHECK(c, same(slots, WORDS));
}

/* A word that two ranks own is told to all ranks, also when the patterns add up to zero. */
static void test_overlap(checks *c, pgb_comm *comm) {
  const int rank = pgb_comm_rank(comm), size = pgb_comm_size(comm);
  double slots[3] = {rank == 0 ? 1.0 : 0.0, rank == 0 || rank == size - 1 ? -0.0 : 0.0, 0.0};
  pgb_comm_limit(comm, 32);
  if (size == 1)
    CHECK_OK(c, pgb_comm_combine(comm, slots, 3));
  else
    CHECK_REFUSED(c, pgb_comm_combine(comm, slots, 3), PGB_RUNTIME, "more than one rank");
}

enum { PARTS = 9, EACH = 21 };

/* Part i of a row in `all`, of a rank where it is one of `owners`; rank 0 has its own in place already. */
static size_t own_parts(const pgb_comm *comm, double *all, int owners, pgb_comm_words *mine) {
  size_t n = 0;
  for (size_t i = 0; i < PARTS; i++) {
    if ((int)(i * 7 % (size_t)owners) != pgb_comm_rank(comm))
      continue;
    for (size_t k = i * EACH; k < (i + 1) * EACH; k++) {
      const uint64_t bits = pattern(k);
      memcpy(&all[k], &bits, sizeof bits);
    }
    mine[n++] = (pgb_comm_words){i * EACH, EACH, all + i * EACH};
  }
  return n;
}

/* Whole parts for rank 0, in one message or in many; what was there before does not matter. */
static void test_bring(checks *c, pgb_comm *comm) {
  static const size_t limits[] = {16, 24, 80, EACH * 8, EACH * 8 + 8, PARTS * EACH * 8, PARTS * EACH * 8 + 8};
  const int rank = pgb_comm_rank(comm), size = pgb_comm_size(comm);
  double all[PARTS * EACH + 1];
  pgb_comm_words mine[PARTS];
  for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
    pgb_comm_limit(comm, limits[l]);
    for (int owners = 1; owners <= size; owners++) {
      memset(all, 0xA5, sizeof all);
      all[PARTS * EACH] = 42;
      const size_t n = own_parts(comm, all, owners, mine);
      CHECK_OK(c, pgb_comm_bring(comm, mine, n, PARTS, EACH, rank == 0 ? all : NULL));
      CHECK(c, rank != 0 || (same(all, (size_t)PARTS * EACH) && all[PARTS * EACH] == 42));
    }
  }
  CHECK_OK(c, pgb_comm_bring(comm, NULL, 0, 0, EACH, NULL));
}

/* A part of two owners or of none is told to all ranks, before anything is sent. */
static void test_not_one_owner(checks *c, pgb_comm *comm) {
  const int rank = pgb_comm_rank(comm), size = pgb_comm_size(comm);
  double all[PARTS * EACH];
  pgb_comm_words mine[PARTS];
  if (size == 1)
    return;
  pgb_comm_limit(comm, 80);
  const size_t n = own_parts(comm, all, 1, mine);
  const pgb_comm_words more = {(PARTS - 1) * EACH, EACH, all};
  CHECK_REFUSED(
      c, pgb_comm_bring(comm, rank == 0 ? mine : &more, rank == 0 ? n : rank == size - 1, PARTS, EACH, all),
      PGB_RUNTIME, "owned by 2 ranks");
  CHECK_REFUSED(c, pgb_comm_bring(comm, mine, rank == 0 ? n - 1 : 0, PARTS, EACH, all), PGB_RUNTIME,
                "owned by 0 ranks");
  CHECK(c, !pgb_comm_broken(comm));
}

static void test_agree(checks *c, pgb_comm *comm) {
  const int rank = pgb_comm_rank(comm), size = pgb_comm_size(comm);
  CHECK_OK(c, pgb_comm_agree(comm, pgb_ok()));
  /* every set of failing ranks, each with its own code and text */
  for (unsigned set = 1; set < 1u << size; set++) {
    int lowest = 0;
    while (!(set >> lowest & 1))
      lowest++;
    pgb_status mine = pgb_ok();
    if (set >> rank & 1)
      mine = pgb_fail(rank % 2 == 0 ? PGB_USAGE : PGB_STOPPED, "rank %d: failed in set %u; do nothing", rank,
                      set);
    const pgb_status all = pgb_comm_agree(comm, mine);
    char text[64];
    (void)snprintf(text, sizeof text, "rank %d: failed in set %u; do nothing", lowest, set);
    CHECK(c, all.code == (lowest % 2 == 0 ? PGB_USAGE : PGB_STOPPED) && strcmp(all.text, text) == 0);
  }
  CHECK_OK(c, pgb_comm_agree(comm, pgb_ok()));
}

static void test_broadcast(checks *c, pgb_comm *comm) {
  static const size_t limits[] = {16, 17, 999, 1000, 4096};
  for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
    unsigned char bytes[1001];
    int equal = 1;
    for (size_t i = 0; i < sizeof bytes; i++)
      bytes[i] = pgb_comm_rank(comm) == 0 || i == 1000 ? (unsigned char)(i * 31) : 0;
    pgb_comm_limit(comm, limits[l]);
    CHECK_OK(c, pgb_comm_broadcast(comm, bytes, 1000));
    for (size_t i = 0; i < sizeof bytes; i++)
      equal = equal && bytes[i] == (unsigned char)(i * 31);
    CHECK(c, equal);
  }
  CHECK_OK(c, pgb_comm_broadcast(comm, NULL, 0));
}

static void test_gather(checks *c, pgb_comm *comm) {
  enum { N = 37 };
  static const size_t limits[] = {16, 160, 1480, 1 << 20};
  const int rank = pgb_comm_rank(comm), size = pgb_comm_size(comm);
  double mine[N];
  for (int i = 0; i < N; i++)
    mine[i] = rank * 1000 + i;
  for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
    double *all = rank == 0 ? calloc((size_t)size * N + 1, sizeof *all) : NULL;
    int equal = 1;
    pgb_comm_limit(comm, limits[l]);
    CHECK_OK(c, pgb_comm_gather(comm, mine, N, all));
    for (int i = 0; rank == 0 && i < size * N; i++)
      equal = equal && all[i] == (double)(i / N * 1000 + i % N);
    CHECK(c, equal && (rank != 0 || all[size * N] == 0.0));
    free(all);
  }
  CHECK_OK(c, pgb_comm_gather(comm, NULL, 0, NULL));
  CHECK_OK(c, pgb_comm_barrier(comm));
}

/* One agreement under way beside other messages; each rank's own greatest word reaches all. */
static void test_max(checks *c, pgb_comm *comm) {
  const int rank = pgb_comm_rank(comm), size = pgb_comm_size(comm);
  for (int turn = 0; turn < 50; turn++) {
    const double mine[3] = {rank, -rank, turn % size == rank ? 7 + turn : 0};
    double all[3] = {0};
    CHECK(c, !pgb_comm_max_pending(comm));
    CHECK_OK(c, pgb_comm_max_begin(comm, mine, 3));
    CHECK(c, pgb_comm_max_pending(comm));
    pgb_comm_max_poll(comm);
    if (turn % 3 == 0)
      CHECK_OK(c, pgb_comm_agree(comm, pgb_ok()));
    CHECK_OK(c, pgb_comm_max_end(comm, all));
    CHECK(c, all[0] == size - 1 && all[1] == 0 && all[2] == 7 + turn);
  }
  const double last = 1;
  CHECK_OK(c, pgb_comm_max_begin(comm, &last, 1)); /* left for destroy to end */
}

static void test_description(checks *c, pgb_comm *comm) {
  const int rank = pgb_comm_rank(comm), size = pgb_comm_size(comm);
  double *all = calloc((size_t)size, sizeof *all);
  const double mine = rank;
  CHECK(c, size >= 1 && rank >= 0 && rank < size);
  CHECK(c, !pgb_comm_broken(comm));
  CHECK(c, pgb_comm_nodes(comm) >= 1 && pgb_comm_nodes(comm) <= size);
  CHECK(c, strlen(pgb_comm_library(comm)) > 3 && strchr(pgb_comm_library(comm), '\n') == NULL);
  CHECK(c, rank == 0 ? strlen(pgb_comm_hosts(comm)) > 0 : strcmp(pgb_comm_hosts(comm), "") == 0);
  CHECK_OK(c, pgb_comm_gather(comm, &mine, 1, all));
  for (int i = 0; rank == 0 && i < size; i++)
    CHECK(c, all[i] == (double)i);
  free(all);
}

static void test_hosts(checks *c) {
  char names[5][8] = {"n10", "n2", "n10", "a", "n2"}, one[1][8] = {"solo"};
  char *text = NULL;
  CHECK_OK(c, pgb_comm_join_hosts(names[0], 5, 8, &text));
  CHECK(c, text != NULL && strcmp(text, "a,n10,n2") == 0);
  free(text);
  CHECK_OK(c, pgb_comm_join_hosts(one[0], 1, 8, &text));
  CHECK(c, text != NULL && strcmp(text, "solo") == 0);
  free(text);
}

int main(int argc, char **argv) {
  checks c = {0};
  pgb_comm *comm = NULL;
  const pgb_status s = pgb_comm_create(&argc, &argv, &comm);
  if (s.code != PGB_OK) {
    fprintf(stderr, "%s\n", s.text);
    return 1;
  }
  if (argc > 1 && strcmp(argv[1], "abort") == 0 && pgb_comm_rank(comm) == pgb_comm_size(comm) - 1)
    pgb_comm_abort(comm, 42); /* seen by hand: mpirun ... test_comm abort; echo $? */
  test_hosts(&c);
  test_description(&c, comm);
  test_combine(&c, comm);
  test_overlap(&c, comm);
  test_bring(&c, comm);
  test_not_one_owner(&c, comm);
  test_agree(&c, comm);
  test_broadcast(&c, comm);
  test_gather(&c, comm);
  test_max(&c, comm);
  const int size = pgb_comm_size(comm), rank = pgb_comm_rank(comm);
  const pgb_status all = pgb_comm_agree(
      comm, c.failed == 0 ? pgb_ok() : pgb_fail(PGB_RUNTIME, "rank %d: %d checks failed", rank, c.failed));
  if (rank == 0)
    printf("test_comm: %d ranks, %d nodes (%s), %s\n", size, pgb_comm_nodes(comm), pgb_comm_hosts(comm),
           pgb_comm_library(comm));
  pgb_comm_destroy(comm);
  pgb_comm_destroy(NULL);
  return rank == 0 ? check_end(&c, "test_comm") || all.code != PGB_OK : c.failed != 0;
}
