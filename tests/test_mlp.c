/* SPDX-License-Identifier: MIT */
/* Policies with a network: whole-episode gradients against an independent reference in double, itself against
 * central differences of log pi; sums that are split; the same bits within a family of instruction sets. */
#include "kernels.h"
#include "policy/vec.h"

enum { LAYERS = 9, WIDTH = 128, ROWS = 3, SOME = 100 };

typedef struct problem {
  const char *env, *policy;
  size_t hidden[LAYERS]; /* 0 ends them */
  bool relu;
  double sd; /* of actions whose sigma is not learnt */
} problem;

#define CARTPOLE "env: {name: cartpole, horizon: 40}\n"
#define LQR                                                                                                  \
  "gamma: 0.97\nenv: {name: lqr, horizon: 150, A: [[.9, .1, 0], [0, .8, .1], [.05, 0, .7]], "                \
  "B: [[.1, 0], [.5, .1], [0, .3]], Q: [[1, .1, 0], [.1, .5, 0], [0, 0, .2]], R: [[.2, .05], [.05, .3]], "   \
  "W: [[.02, .01, 0], [.01, .05, 0], [0, 0, .03]]}\n"
#define GAUSSIAN                                                                                             \
  "env: {name: gaussian, dim: 3, curvature: .8, target: [.3, -1, 2], noise: .4, context: normal}\n"

static const problem problems[] = {
    {CARTPOLE, "{name: softmax-mlp, theta: 'random:.1'}", {64, 64}, false, 1},
    {CARTPOLE, "{name: softmax-mlp, hidden: 64x64, activation: relu, theta: 'random:.1'}", {64, 64}, true, 1},
    {CARTPOLE, "{name: softmax-mlp, hidden: 1, theta: 'random:.3'}", {1}, false, 1},
    {CARTPOLE, "{name: softmax-mlp, hidden: 3x65x7, theta: 'random:.3'}", {3, 65, 7}, false, 1},
    {CARTPOLE,
     "{name: softmax-mlp, hidden: 7x3x1, activation: relu, theta: 'random:.4'}",
     {7, 3, 1},
     true,
     1},
    {CARTPOLE, "{name: softmax-mlp, hidden: 16x100, theta: 'random:.2'}", {16, 100}, false, 1},
    {GAUSSIAN,
     "{name: gaussian-mlp, hidden: 5, learn_sigma: true, sigma: [.6, 1, .2], theta: 'random:.3'}",
     {5},
     false,
     1},
    {GAUSSIAN,
     "{name: gaussian-mlp, hidden: 32x17, activation: relu, theta: 'random:.3'}",
     {32, 17},
     true,
     1},
    {LQR,
     "{name: gaussian-mlp, hidden: 48x32, learn_sigma: true, sigma: [.3, .5], theta: 'random:.1'}",
     {48, 32},
     false,
     1},
    {LQR, "{name: gaussian-mlp, hidden: 65x3x16, sigma: .7, theta: 'random:.2'}", {65, 3, 16}, false, .7},
};
enum { PROBLEMS = sizeof problems / sizeof *problems };

typedef struct bench {
  pgb_study *study;
  const pgb_actor *a;
  kernel_run k;
  float *w[ROWS], *scratch, *out;
} bench;

static int bench_open(checks *c, bench *b, const problem *p, pgb_isa isa) {
  char text[2000];
  *b = (bench){.study = NULL};
  (void)snprintf(text, sizeof text, "%spolicy: %s\n", p->env, p->policy);
  b->study = kernel_study(c, text, isa);
  if (b->study == NULL)
    return 0;
  b->a = &b->study->cells[0].actor;
  const size_t rows = pgb_rollout_capacity(&b->a->space);
  int ok = kernel_open(c, b->a, rows, &b->k);
  for (uint32_t r = 0; r < ROWS && ok; r++) {
    b->w[r] = malloc(rows * PGB_LANES * sizeof(float));
    ok = b->w[r] != NULL;
    for (uint32_t at = 0; at < rows * PGB_LANES && ok; at++)
      b->w[r][at] = (float)kernel_noise(r, at);
  }
  b->scratch = kernel_scratch(&b->a->shape, ROWS);
  b->out = malloc(SOME * ROWS * b->a->shape.n_theta * sizeof(float));
  ok = ok && b->scratch != NULL && b->out != NULL;
  CHECK(c, ok);
  if (ok)
    kernel_roll(&b->k, isa, b->a, (pgb_address){.seed = 5, .stream = 3}, 7, 11, SOME);
  return ok;
}

static void bench_close(bench *b) {
  kernel_close(&b->k);
  for (size_t r = 0; r < ROWS; r++)
    free(b->w[r]);
  free(b->scratch);
  free(b->out);
  pgb_study_destroy(b->study);
}

/* Episodes [first, first + n) into their place. */
static void contract(bench *b, size_t first, size_t n, size_t n_w) {
  const float *rows[ROWS] = {b->w[0], b->w[1], b->w[2]};
  b->a->policy->contract(b->a->policy_params, b->a->theta, b->k.r, first, n, n_w, rows, b->scratch,
                         b->out + first * n_w * b->a->shape.n_theta);
}

/* One step: the network by its formula, and d log pi / d theta by the chain rule. */
static void ref_score(const bench *b, const problem *p, const double *obs, const double *act, double *psi) {
  const pgb_actor *a = b->a;
  const float *theta = a->theta;
  const bool discrete = a->space.n_choices != 0;
  const size_t n_out = discrete ? a->space.n_choices : a->space.n_act;
  double x[LAYERS + 1][WIDTH], d[WIDTH], below[WIDTH];
  size_t in[LAYERS], out[LAYERS], place[LAYERS], n = 0, at = 0;
  for (size_t k = 0; k < a->space.n_obs; k++)
    x[0][k] = obs[k];
  for (bool last = false; !last; n++) {
    last = p->hidden[n] == 0;
    in[n] = n == 0 ? a->space.n_obs : out[n - 1];
    out[n] = last ? n_out : p->hidden[n];
    place[n] = at;
    at += (in[n] + 1) * out[n];
    for (size_t u = 0; u < out[n]; u++) {
      double sum = (double)theta[place[n] + in[n] * out[n] + u];
      for (size_t k = 0; k < in[n]; k++)
        sum += (double)theta[place[n] + u * in[n] + k] * x[n][k];
      x[n + 1][u] = last ? sum : p->relu ? (sum > 0 ? sum : 0) : tanh(sum);
    }
  }
  double total = 0;
  for (size_t u = 0; u < n_out && discrete; u++)
    total += exp(x[n][u]);
  for (size_t u = 0; u < n_out; u++) {
    const bool learn = a->shape.n_theta > at;
    const double sd = learn ? exp((double)theta[at + u]) : p->sd;
    if (discrete)
      d[u] = (act[0] == (double)u ? 1 : 0) - exp(x[n][u]) / total;
    else
      d[u] = (act[u] - x[n][u]) / (sd * sd);
    if (!discrete && learn)
      psi[at + u] = d[u] * d[u] * sd * sd - 1;
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = 0; k < in[i]; k++)
      below[k] = 0;
    for (size_t u = 0; u < out[i]; u++) {
      psi[place[i] + in[i] * out[i] + u] = d[u];
      for (size_t k = 0; k < in[i]; k++) {
        psi[place[i] + u * in[i] + k] = d[u] * x[i][k];
        below[k] += d[u] * (double)theta[place[i] + u * in[i] + k];
      }
    }
    for (size_t k = 0; k < in[i]; k++)
      d[k] = below[k] * (p->relu ? x[i][k] > 0 : 1 - x[i][k] * x[i][k]);
  }
}

/* Observation and action of step t of episode e. */
static void view(const pgb_rollout *r, size_t e, size_t t, double *obs, double *act) {
  const size_t at = (size_t)r->origin[e] + t * PGB_LANES, row = at / PGB_LANES, lane = at % PGB_LANES;
  for (size_t k = 0; k < r->n_obs; k++)
    obs[k] = (double)r->obs[(row * r->n_obs + k) * PGB_LANES + lane];
  for (size_t k = 0; k < r->n_act; k++)
    act[k] = (double)r->act[(row * r->n_act + k) * PGB_LANES + lane];
}

/* The reference's scores of a few steps against central differences of log pi, every parameter. */
static void check_reference(checks *c, const bench *b, const problem *p, double *theta, double *psi) {
  double obs[8], act[8];
  size_t wrong = 0;
  const size_t d = b->a->shape.n_theta;
  for (size_t k = 0; k < d; k++)
    theta[k] = (double)b->a->theta[k];
  for (size_t e = 0; e < 3; e++) {
    view(b->k.r, e, (size_t)b->k.r->length[e] / 2, obs, act);
    ref_score(b, p, obs, act, psi);
    for (size_t k = 0; k < d; k++) {
      const double here = theta[k], h = 1e-6;
      theta[k] = here + h;
      const double up = b->a->policy->logp(b->a->policy_params, theta, obs, act);
      theta[k] = here - h;
      const double want = (up - b->a->policy->logp(b->a->policy_params, theta, obs, act)) / (2 * h);
      theta[k] = here;
      wrong += !check_close(psi[k], want, 1e-6, 1e-7);
    }
  }
  CHECK(c, wrong == 0);
}

/* Whole-episode gradients of every weight row against the reference. */
static void check_gradients(checks *c, const bench *b, const problem *p, double *sum, double *psi) {
  const pgb_rollout *r = b->k.r;
  const size_t d = b->a->shape.n_theta;
  double obs[8], act[8], *scale = sum + ROWS * d;
  size_t wrong = 0;
  for (size_t e = 0; e < r->n_episodes; e += 7) {
    memset(sum, 0, 2 * ROWS * d * sizeof *sum);
    for (size_t t = 0; t < (size_t)r->length[e]; t++) {
      view(r, e, t, obs, act);
      ref_score(b, p, obs, act, psi);
      for (size_t w = 0; w < ROWS; w++) {
        const double x = (double)b->w[w][(size_t)r->origin[e] + t * PGB_LANES];
        for (size_t k = 0; k < d; k++) {
          sum[w * d + k] += x * psi[k];
          scale[w * d + k] += fabs(x * psi[k]) + fabs(x);
        }
      }
    }
    for (size_t k = 0; k < ROWS * d; k++) {
      const double got = (double)b->out[e * ROWS * d + k];
      const bool near = check_close(got, sum[k], 0, 4e-6 * scale[k]);
      if (!near && wrong++ == 0)
        fprintf(stderr, "%s: episode %zu row %zu %s: %.9g against %.9g (scale %.3g)\n", p->policy, e, k / d,
                b->study->cells[0].label[k % d], got, sum[k], scale[k]);
    }
  }
  CHECK(c, wrong == 0);
}

/* The same sums, bit by bit, episode by episode, and of one row alone. */
static void check_pieces(checks *c, bench *b) {
  const size_t n = b->k.r->n_episodes, d = b->a->shape.n_theta, size = n * ROWS * d;
  float *all = malloc(size * sizeof *all);
  CHECK(c, all != NULL);
  if (all == NULL)
    return;
  memcpy(all, b->out, size * sizeof *all);
  memset(b->out, 0xff, size * sizeof *all);
  for (size_t e = 0, step = 1; e < n; e += step, step = step % 5 + 1)
    contract(b, e, e + step < n ? step : n - e, ROWS);
  CHECK(c, memcmp(all, b->out, size * sizeof *all) == 0);
  contract(b, 0, n, 1);
  size_t wrong = 0;
  for (size_t e = 0; e < n; e++)
    wrong += memcmp(all + e * ROWS * d, b->out + e * d, d * sizeof *all) != 0;
  CHECK(c, wrong == 0);
  free(all);
}

static uint64_t digest(const bench *b) {
  uint64_t hash = 0xcbf29ce484222325u;
  const unsigned char *byte = (const unsigned char *)b->out;
  for (size_t k = 0; k < b->k.r->n_episodes * ROWS * b->a->shape.n_theta * sizeof(float); k++)
    hash = (hash ^ byte[k]) * 0x100000001b3u;
  return hash;
}

/* Sums of n episodes in `out`, and raw ones like them. */
static uint64_t ones_digest(checks *c, bench *b, size_t n, const float *const *rows, unsigned halved) {
  const size_t d = b->a->shape.n_theta;
  memset(b->out, 0xff, SOME * ROWS * d * sizeof *b->out);
  b->a->policy->contract(b->a->policy_params, b->a->theta, b->k.r, 0, n, ROWS, rows, b->scratch, b->out);
  CHECK(c, kernel_raw_errors(b->a, b->k.r, n, ROWS, rows, b->out) == 0);
  for (size_t i = 0; i < n * ROWS * d; i++)
    if ((halved >> i / d % ROWS & 1) != 0)
      b->out[i] *= 0.5f;
  return digest(b);
}

/* Any set of the rows written out as ones, or NULL for them: the sums, raw or not, that rows of two give,
 * which are scaled like any other row, halved, which is exact. */
static void check_ones(checks *c, bench *b) {
  const size_t at = pgb_rollout_capacity(&b->a->space) * PGB_LANES, n = 16;
  float *ones = malloc(2 * at * sizeof *ones), *twos = ones + at;
  CHECK(c, ones != NULL);
  for (size_t k = 0; k < at && ones != NULL; k++) {
    ones[k] = 1;
    twos[k] = 2;
  }
  for (unsigned set = 1; set < 1u << ROWS && ones != NULL; set++) {
    const float *rows[3][ROWS];
    for (size_t w = 0; w < ROWS; w++) {
      const bool in = (set >> w & 1) != 0;
      rows[0][w] = in ? twos : b->w[w];
      rows[1][w] = in ? ones : b->w[w];
      rows[2][w] = in ? NULL : b->w[w];
    }
    const uint64_t want = ones_digest(c, b, n, rows[0], set);
    CHECK(c, ones_digest(c, b, n, rows[1], 0) == want && ones_digest(c, b, n, rows[2], 0) == want);
  }
  free(ones);
}

/* Steps of episodes are kept, and no others; a rollout that keeps less holds the same episodes. Leaves that
 * one. */
static void check_kept(checks *c, bench *b, pgb_isa isa) {
  const pgb_rollout *r = b->k.r;
  const size_t n = r->n_episodes;
  size_t steps = 0;
  double *ret = malloc(n * sizeof *ret);
  CHECK(c, ret != NULL);
  if (ret == NULL)
    return;
  for (size_t e = 0; e < n; e++) {
    steps += (size_t)r->length[e];
    ret[e] = r->ret[e];
  }
  CHECK(c, r->kept_steps == steps && steps <= r->kept_room);
  CHECK_OK(c, pgb_rollout_keep(b->k.r, 1000));
  kernel_roll(&b->k, isa, b->a, (pgb_address){.seed = 5, .stream = 3}, 7, 11, SOME);
  CHECK(c, r->n_episodes <= PGB_LANES && r->n_episodes <= n && r->kept_steps <= r->kept_room);
  for (size_t e = 0; e < r->n_episodes; e++)
    CHECK(c, r->ret[e] == ret[e]);
  free(ret);
}

/* Sets with fused multiply-add, and those without it, each give the same bits. */
static void test_gradients(checks *c) {
  for (size_t i = 0; i < PROBLEMS; i++) {
    uint64_t family[2] = {0, 0};
    for (int isa = 0; isa < PGB_ISA_COUNT; isa++) {
      bench b = {.study = NULL};
      if (!pgb_isa_supported((pgb_isa)isa))
        continue;
      if (bench_open(c, &b, &problems[i], (pgb_isa)isa)) {
        const size_t d = b.a->shape.n_theta;
        double *room = malloc((2 * ROWS + 2) * d * sizeof *room);
        CHECK(c, room != NULL);
        memset(b.out, 0xff, SOME * ROWS * d * sizeof *b.out);
        contract(&b, 0, b.k.r->n_episodes, ROWS);
        if (room != NULL) {
          check_reference(c, &b, &problems[i], room, room + d);
          check_gradients(c, &b, &problems[i], room, room + 2 * ROWS * d);
        }
        free(room);
        check_pieces(c, &b);
        check_ones(c, &b);
        contract(&b, 0, b.k.r->n_episodes, ROWS);
        uint64_t *hash = &family[isa >= PGB_ISA_AVX2];
        CHECK(c, *hash == 0 || *hash == digest(&b));
        *hash = digest(&b);
        check_kept(c, &b, (pgb_isa)isa);
      }
      bench_close(&b);
    }
  }
}

/* The least instruction set's, which rounds most often. */
static void test_tanh(checks *c) {
  double worst = 0;
  size_t beyond = 0;
  for (float x = 1e-6f; x < 12; x *= 1.00001f) {
    float y[16], z[16];
    for (size_t k = 0; k < 16; k++)
      z[k] = k % 2 == 0 ? x : -x;
    for (size_t k = 0; k < 16; k += VEC)
      vec_store(y + k, vec_tanh(vec_load(z + k)));
    const double want = tanh((double)x);
    const float near = (float)want;
    const double ulp = (double)nextafterf(near, 2) - (double)near;
    worst = fmax(worst, fabs((double)y[0] - want) / ulp);
    beyond += y[0] > 1 || y[15] != -y[0];
  }
  printf("tanh: %.3f ulp\n", worst);
  CHECK(c, worst < 6.5 && beyond == 0);
}

/* Largest entry of |W W' - gain^2 I| or, of a tall one, |W' W - gain^2 I|. */
static double off_orthogonal(const double *w, size_t out, size_t in, double gain) {
  const size_t few = out < in ? out : in, many = out < in ? in : out;
  double worst = 0;
  for (size_t i = 0; i < few; i++)
    for (size_t j = 0; j < few; j++) {
      double sum = i == j ? -gain * gain : 0;
      for (size_t k = 0; k < many; k++)
        sum += out < in ? w[i * in + k] * w[j * in + k] : w[k * in + i] * w[k * in + j];
      worst = fmax(worst, fabs(sum));
    }
  return worst;
}

static pgb_study *study_of(checks *c, const char *seed, const char *policy) {
  char text[400];
  (void)snprintf(text, sizeof text, "seed: %s\nenv: cartpole\npolicy: %s\n", seed, policy);
  return kernel_study(c, text, kernel_isa());
}

static void test_start(checks *c) {
  static const size_t in[4] = {4, 65, 33, 128}, out[4] = {65, 33, 128, 2};
  pgb_study *a = study_of(c, "7", "{name: softmax-mlp, hidden: 65x33x128}");
  pgb_study *again = study_of(c, "7", "{name: softmax-mlp, hidden: 65x33x128, activation: relu}");
  pgb_study *other = study_of(c, "8", "{name: softmax-mlp, hidden: 65x33x128}");
  pgb_study *zero = study_of(c, "7", "{name: softmax-mlp, hidden: 65x33x128, theta: zero}");
  pgb_study *near = study_of(c, "7", "{name: softmax-mlp, hidden: 65x33x128, theta: 'random:1e-6'}");
  if (a != NULL && again != NULL && other != NULL && zero != NULL && near != NULL) {
    const pgb_cell *cell = &a->cells[0];
    const size_t n = cell->actor.shape.n_theta;
    size_t at = 0;
    double far = 0, moved = 0;
    for (size_t i = 0; i < 4; i++) {
      const double gain = i < 3 ? sqrt(2) : 0.01;
      CHECK(c, off_orthogonal(cell->theta + at, out[i], in[i], gain) < 4e-7 * gain * gain);
      at += in[i] * out[i];
      for (size_t k = 0; k < out[i]; k++)
        CHECK(c, cell->theta[at + k] == 0);
      at += out[i];
    }
    CHECK(c, at == n && memcmp(cell->theta, again->cells[0].theta, n * sizeof(double)) == 0);
    for (size_t k = 0; k < n; k++) {
      CHECK(c, zero->cells[0].theta[k] == 0);
      far = fmax(far, fabs(cell->theta[k] - other->cells[0].theta[k]));
      moved = fmax(moved, fabs(cell->theta[k] - near->cells[0].theta[k]));
    }
    CHECK(c, far > 0.1 && moved > 1e-6 && moved < 1e-5);
    CHECK(c, strcmp(cell->label[3], "W1[0,3]") == 0 && strcmp(cell->label[4 * 65 + 3], "b1[3]") == 0);
    CHECK(c, strcmp(cell->label[n - 1], "b4[1]") == 0 && strcmp(cell->label[n - 3], "W4[1,127]") == 0);
  }
  pgb_study_destroy(a);
  pgb_study_destroy(again);
  pgb_study_destroy(other);
  pgb_study_destroy(zero);
  pgb_study_destroy(near);
}

/* Hidden weights have the variance of orthogonal ones, in any direction: 2 / width. */
static void test_start_is_uniform(checks *c) {
  double square = 0, cross = 0;
  size_t n = 0;
  for (int seed = 1; seed <= 40; seed++) {
    char text[16];
    (void)snprintf(text, sizeof text, "%d", seed);
    pgb_study *s = study_of(c, text, "{name: softmax-mlp, hidden: 8x8}");
    if (s == NULL)
      return;
    const double *w = s->cells[0].theta + 8 * 5;
    for (size_t k = 0; k < 64; k++, n++) {
      square += w[k] * w[k];
      cross += w[k] * w[(k + 9) % 64];
    }
    pgb_study_destroy(s);
  }
  CHECK_NEAR(c, square / (double)n, 0.25, 1e-6, 0);
  CHECK_NEAR(c, cross / (double)n, 0, 0, 6 * 0.25 / sqrt((double)n));
}

static void test_refused(checks *c) {
  static const char *const cases[][3] = {
      {"cartpole", "softmax-mlp, hidden: 0", "hidden: '0' has a layer without units"},
      {"cartpole", "softmax-mlp, hidden: 64x0x3", "without units"},
      {"cartpole", "softmax-mlp, hidden: abc", "is not a list of layer sizes"},
      {"cartpole", "softmax-mlp, hidden: 64x", "ends with an x"},
      {"cartpole", "softmax-mlp, hidden: x64", "is not a list"},
      {"cartpole", "softmax-mlp, hidden: 64x64y", "is not a list"},
      {"cartpole", "softmax-mlp, hidden: -64", "is not a list"},
      {"cartpole", "softmax-mlp, hidden: 1025", "too wide"},
      {"cartpole", "softmax-mlp, hidden: 99999999999999999999999", "too wide"},
      {"cartpole", "softmax-mlp, hidden: 1x1x1x1x1x1x1x1x1", "too many layers"},
      {"cartpole", "softmax-mlp, hidden: [64, 64]", "hidden: a list stands here"},
      {"cartpole", "softmax-mlp, activation: foo", "unknown activation 'foo'"},
      {"cartpole", "softmax-mlp, theta: [1, 2]", "2 values for the 4610 parameters"},
      {"cartpole", "gaussian-mlp", "the actions are discrete"},
      {"lqr", "softmax-mlp", "the actions are continuous"},
      {"bandit", "softmax-mlp", "the observations are discrete"},
      {"lqr", "gaussian-mlp, sigma: [1, 2]", "sigma: has 2 values for 1 action"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[300];
    pgb_study *study = NULL;
    (void)snprintf(text, sizeof text, "env: %s\npolicy: {name: %s}\n", cases[i][0], cases[i][1]);
    const pgb_request request = {.study = "test", .text = text, .isa = PGB_ISA_NONE};
    CHECK_REFUSED(c, pgb_study_resolve(&request, &study), PGB_USAGE, cases[i][2]);
    pgb_study_destroy(study);
  }
}

int main(void) {
  checks c = {0, 0};
  test_refused(&c);
  test_start(&c);
  test_start_is_uniform(&c);
  test_tanh(&c);
  test_gradients(&c);
  return check_end(&c, "mlp");
}
