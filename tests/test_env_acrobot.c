/* SPDX-License-Identifier: MIT */
/* Acrobot against transitions recorded from Gymnasium 1.4.0 (tests/data), the start's range, and how episodes
 * end. Whole episodes against a reference in double: test_rollout.c. */
#include "recorded.h"
#include "reference_gym.h"

enum { ACTION = 4, NEXT, REWARD = 9, TERMINATED, SEEN, COLUMNS = 17 };

static void set_lane(pgb_batch *b, size_t i, const double *row) {
  double x[8] = {row[0], row[1], row[2], row[3]};
  ref_complete("acrobot", x);
  for (size_t k = 0; k < 8; k++)
    b->state[k * PGB_LANES + i] = (float)x[k];
  b->act[i] = (float)row[ACTION];
}

/* How much of an error in the state becomes one of the next state, row by row: the largest factor, by
 * differences of the reference. Angles count up to whole turns; what is clipped, counts for nothing. */
static double amplification(const double *row) {
  double worst = 1;
  for (size_t j = 0; j < 4; j++) {
    double up[8], down[8];
    memcpy(up, row, 4 * sizeof *up);
    memcpy(down, row, 4 * sizeof *down);
    up[j] += 1e-6;
    down[j] -= 1e-6;
    (void)ref_acrobot(up, row[ACTION]);
    (void)ref_acrobot(down, row[ACTION]);
    for (size_t k = 0; k < 4; k++)
      worst = fmax(worst, fabs(k < 2 ? remainder(up[k] - down[k], 2 * REF_PI) : up[k] - down[k]) / 2e-6);
  }
  return worst;
}

/* A step covers 0.2 s, in which a link may turn by 5 rad and more: where both spin it multiplies errors up to
 * a thousandfold. The state's rounding is one error of 2^-24 of its size and every stage adds a few; all are
 * taken to be multiplied as much. */
static double tolerance(const double *row) {
  const double size = fmax(fmax(fabs(row[0]), fabs(row[1])), fmax(fabs(row[2]), fabs(row[3])));
  return 5e-7 * fmax(1, size) * amplification(row);
}

static double error_of(const lab *l, size_t i, const double *row) {
  double worst = 0;
  for (size_t k = 0; k < 4; k++) {
    const double off = lab_state(l, k, i) - row[NEXT + k];
    worst = fmax(worst, fabs(k < 2 ? remainder(off, 2 * REF_PI) : off));
  }
  for (size_t k = 0; k < 6; k++)
    worst = fmax(worst, fabs(lab_obs(l, k, i) - row[SEEN + k]));
  return worst;
}

static void test_transitions(checks *c, lab *l) {
  static table t;
  read_csv(c, PGB_TEST_DATA "/acrobot.csv", COLUMNS, &t);
  CHECK(c, t.rows == 400);
  size_t wrong = 0, ended = 0, near = 0;
  double worst = 0, plain = 0, most = 0;
  for (size_t from = 0; from < t.rows; from += PGB_LANES) {
    for (size_t i = 0; i < PGB_LANES; i++)
      set_lane(l->b, i, t.cell[(from + i) % t.rows]);
    lab_step(l);
    for (size_t i = 0; i < PGB_LANES; i++) {
      const double *row = t.cell[(from + i) % t.rows];
      const double tip = -cos(row[NEXT]) - cos(row[NEXT] + row[NEXT + 1]), off = error_of(l, i, row);
      worst = fmax(worst, off / tolerance(row));
      most = fmax(most, amplification(row));
      plain = fmax(plain, off);
      ended += row[TERMINATED] != 0;
      near += fabs(tip - 1) < 3 * tolerance(row);
      wrong += l->b->end[i] != PGB_LIVE && l->b->end[i] != PGB_TERMINAL;
      wrong += (double)l->b->reward[i] != (l->b->end[i] == PGB_TERMINAL ? 0 : -1);
      if (fabs(tip - 1) >= 3 * tolerance(row))
        wrong += (l->b->end[i] == PGB_TERMINAL) != (row[TERMINATED] != 0) ||
                 (double)l->b->reward[i] != row[REWARD];
      for (size_t k = 0; k < 2; k++)
        wrong += fabs(lab_state(l, k, i)) > REF_PI + 1e-6;
    }
  }
  printf("%s: worst transition at %.2f of its tolerance (%.2g), errors multiplied up to %.0f, %zu terminal\n",
         pgb_isa_name(l->isa), worst, plain, most, ended);
  CHECK(c, wrong == 0 && worst <= 1);
  CHECK(c, ended >= 50 && near <= 4);
}

static void test_reset(checks *c, lab *l) {
  for (size_t k = 0; k < 4; k++)
    check_uniform(c, l, k, -0.1, 0.1);
  for (size_t i = 0; i < PGB_LANES; i++) {
    for (size_t k = 0; k < 4; k++)
      CHECK(c, lab_obs(l, k, i) == lab_state(l, 4 + k, i));
    for (size_t k = 0; k < 2; k++) {
      CHECK_NEAR(c, lab_obs(l, 2 * k, i), cos(lab_state(l, k, i)), 0, 1e-7);
      CHECK_NEAR(c, lab_obs(l, 2 * k + 1, i), sin(lab_state(l, k, i)), 0, 1e-7);
      CHECK(c, lab_obs(l, 4 + k, i) == lab_state(l, 2 + k, i));
    }
  }
}

/* Slow links near the line that the tip must cross: each side of it, but for what rounding may tip. */
static void test_line(checks *c, lab *l) {
  enum { ROUNDS = 2000 };
  size_t wrong = 0, near[2] = {0, 0};
  for (uint32_t round = 0; round < ROUNDS; round++) {
    double row[PGB_LANES][5];
    for (uint32_t i = 0; i < PGB_LANES; i++) {
      const uint32_t n = round * PGB_LANES + i;
      for (uint32_t k = 0; k < 4; k++)
        row[i][k] = (k < 2 ? REF_PI : 1) * kernel_noise(300 + k, n);
      row[i][ACTION] = n % 3;
      set_lane(l->b, i, row[i]);
    }
    lab_step(l);
    for (uint32_t i = 0; i < PGB_LANES; i++) {
      double x[8];
      memcpy(x, row[i], 4 * sizeof *x);
      const ref_step want = ref_acrobot(x, row[i][ACTION]);
      if (want.margin < 2e-5)
        continue;
      wrong += (l->b->end[i] == PGB_TERMINAL) != want.terminal || (double)l->b->reward[i] != want.reward;
      near[want.terminal] += want.margin < 1e-3;
    }
  }
  CHECK(c, wrong == 0);
  CHECK(c, near[0] >= 3 && near[1] >= 3);
}

/* Torque with the second link's speed always swings it up, with the first link's against it never. */
static void test_limit(checks *c, pgb_isa isa) {
  check_ends(
      c, isa,
      "env: acrobot\npolicy: {name: softmax-linear, theta: [0, 0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
      "0, 0, -30, 0, 0, 0, 0]}\n",
      500, PGB_TERMINAL, 20);
  check_ends(c, isa, "env: {name: acrobot, horizon: 20}\n", 20, PGB_TRUNCATED, 20);
  check_ends(c, isa,
             "env: acrobot\npolicy: {name: softmax-linear, theta: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
             "0, 0, 0, 0, 0, 50, 0]}\n",
             500, PGB_TRUNCATED, 500);
}

int main(void) {
  checks c = {0, 0};
  for (int i = 0; i < PGB_ISA_COUNT; i++) {
    lab l;
    if (lab_open(&c, "env: acrobot\n", (pgb_isa)i, &l)) {
      test_transitions(&c, &l);
      test_reset(&c, &l);
      test_line(&c, &l);
      test_limit(&c, l.isa);
    }
    lab_close(&l);
  }
  return check_end(&c, "env_acrobot");
}
