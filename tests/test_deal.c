/* SPDX-License-Identifier: MIT */
/* How pieces are dealt to ranks of different speed. */
#include "check.h"
#include "study/deal.h"

#include <stdlib.h>

enum { PLACES = 7, STRIDE = 1000 };

typedef struct table {
  size_t begin[PLACES + 1];
  double cost[PLACES], dealt[PLACES];
  pgb_deal deal;
} table;

/* Deals n pieces from `first` on; they must all be dealt, in whole units. */
static void deal(checks *c, table *t, size_t first, size_t n, size_t unit, double lead) {
  double before = 0, after = 0;
  t->deal = (pgb_deal){.first = first, .n = n, .ranks = PLACES, .begin = t->begin};
  for (int p = 0; p < PLACES; p++)
    before += t->dealt[p];
  pgb_deal_out(&t->deal, unit, lead, t->cost, t->dealt);
  CHECK(c, t->begin[0] == first && t->begin[PLACES] == first + n);
  for (int p = 0; p < PLACES; p++) {
    CHECK(c, t->begin[p] <= t->begin[p + 1] && (t->begin[p + 1] - first) % unit == 0);
    after += t->dealt[p];
  }
  CHECK(c, after == before + (double)n);
}

static void set_costs(table *t, const double cost[PLACES]) {
  for (int p = 0; p < PLACES; p++)
    t->cost[p] = cost[p];
}

/* Seconds that a place has worked for when all is dealt. */
static double busy(const table *t, int place) {
  return t->cost[place] * t->dealt[place];
}

/* Evenly while speeds are unknown, if only one is, or where no lead is allowed. */
static void test_even(checks *c) {
  const double known[PLACES] = {1, 1, 1, 1, 1, 1, 2}, partly[PLACES] = {1, 1, 1, 0, 1, 1, 2};
  table even = {.cost = {0}};
  for (int how = 0; how < 3; how++) {
    table t = {.cost = {0}};
    if (how > 0)
      set_costs(&t, how == 1 ? partly : known);
    deal(c, &t, 3, 7 * 12 + 8, 4, how == 2 ? 0 : 0.25);
    even = how == 0 ? t : even;
    for (int p = 0; p < PLACES; p++)
      CHECK(c, t.dealt[p] == even.dealt[p] && (t.dealt[p] == 12 || t.dealt[p] == 16));
  }
}

/* All end together, those that are slower having less, and what was dealt unevenly before is made up for. */
static void test_speeds(checks *c) {
  const double cost[PLACES] = {1.1, 1, 1, 0.95, 1.2, 1, 1.05};
  table t = {.cost = {0}};
  deal(c, &t, 0, 7000, 1, 0.25); /* evenly: nothing is known */
  set_costs(&t, cost);
  deal(c, &t, 7000, 70000, 1, 0.25);
  for (int p = 1; p < PLACES; p++)
    CHECK_NEAR(c, busy(&t, p), busy(&t, 0), 2.0 / 11000, 0);
  CHECK(c, t.dealt[4] < t.dealt[0] && t.dealt[0] < t.dealt[3]);
}

/* A place that is much faster than the others has its lead, and they share the rest by their speed. */
static void test_outlier(checks *c) {
  const double cost[PLACES] = {0.1, 1, 1, 1, 1, 1, 2};
  table t = {.cost = {0}};
  set_costs(&t, cost);
  deal(c, &t, 0, 7000, 1, 0.25);
  CHECK_NEAR(c, t.dealt[0], 1250, 1e-3, 0);
  for (int p = 2; p < PLACES; p++)
    CHECK_NEAR(c, busy(&t, p), busy(&t, 1), 2.0 / 500, 0);
}

/* Where places get few pieces, differences that are noise must not give one of them one more than all the
 * others have. */
static void test_noise(checks *c) {
  enum { RANKS = 1024, EACH = 4 };
  static size_t begin[RANKS + 1];
  static double cost[RANKS], dealt[RANKS];
  pgb_deal d = {.n = (size_t)RANKS * EACH, .ranks = RANKS, .begin = begin};
  for (int p = 0; p < RANKS; p++)
    cost[p] = 1 + 1e-3 * (p * 37 % 29);
  pgb_deal_out(&d, 1, 0.25, cost, dealt);
  for (int p = 0; p < RANKS; p++)
    CHECK(c, begin[p + 1] - begin[p] == EACH);
}

/* No place gets beyond the lead, nor owns more blocks than it has room for, however speeds change and rounds
 * go. */
static void test_lead(checks *c) {
  enum { EACH = 8 };
  for (size_t blocks = PLACES; blocks <= 256; blocks += 31)
    for (int seed = 0; seed < 50; seed++) {
      const double lead = pgb_deal_lead(blocks, STRIDE, PLACES);
      const size_t room = pgb_deal_owned(blocks, STRIDE, PLACES);
      size_t own[PLACES] = {0};
      table t = {.cost = {0}};
      srand((unsigned)seed);
      for (size_t at = 0; at < blocks;) {
        const size_t share = PLACES * (size_t)(1 + rand() % 4);
        const size_t end = blocks - at < share ? blocks : at + share;
        deal(c, &t, at * EACH, (end - at) * EACH, end == blocks ? 1 : EACH, lead);
        for (int p = 0; p < PLACES; p++) {
          const double even = (double)(end * EACH) / PLACES;
          CHECK(c, t.dealt[p] <= (1 + lead) * even + EACH);
          for (size_t i = t.begin[p]; i < t.begin[p + 1]; i++)
            own[p] += i % EACH == 0;
        }
        for (int p = 0; p < PLACES; p++)
          t.cost[p] = 1 + (double)(rand() % 100) * (seed % 2 == 0 ? 1 : 0.001);
        at = end;
      }
      for (int p = 0; p < PLACES; p++)
        CHECK(c, own[p] <= room && room <= blocks);
    }
}

/* A quarter more, unless that takes more than 64 MiB: 6 more of 16 blocks, 2 more of 1. */
static void test_room(checks *c) {
  enum { MIB = (1 << 20) / sizeof(double) };
  CHECK(c, pgb_deal_owned(256, STRIDE, 1) == 256 && pgb_deal_lead(256, STRIDE, 1) == 0);
  CHECK(c, pgb_deal_lead(256, STRIDE, 2) == 0.25 && pgb_deal_owned(256, STRIDE, 2) == 162);
  CHECK(c, pgb_deal_lead(32, 10 * MIB, 2) == 0.25 && pgb_deal_owned(32, 10 * MIB, 2) == 22);
  CHECK(c, pgb_deal_lead(32, 11 * MIB, 2) == 0 && pgb_deal_owned(32, 11 * MIB, 2) == 16);
  CHECK(c, pgb_deal_lead(32, 32 * MIB, 40) == 0.25 && pgb_deal_owned(32, 32 * MIB, 40) == 3);
  CHECK(c, pgb_deal_lead(32, 65 * MIB, 128) == 0 && pgb_deal_owned(32, 65 * MIB, 128) == 1);
  CHECK(c, pgb_deal_owned(1, STRIDE, 3) == 1);
}

int main(void) {
  checks c = {0};
  test_even(&c);
  test_speeds(&c);
  test_outlier(&c);
  test_noise(&c);
  test_lead(&c);
  test_room(&c);
  return check_end(&c, "test_deal");
}
