/* SPDX-License-Identifier: MIT */
/* Passes through a perceptron, compiled once per instruction set. Rows of matrices are steps, columns units,
 * so that one layout serves all three products: forward h W', backward d W, and the gradient d' h. */
#include "policy/gemm.h"
#include "policy/mlp.h"
#include "policy/vec.h"

#include <assert.h>
#include <string.h>

enum {
  LINE = PGB_GEMM_COLUMNS,
  STEPS = PGB_MLP_STEPS,
  MANY = VEC == 16 ? 9 : 4, /* lines that are summed together */
  BOTH = VEC == 16 ? 9 : 2, /* of two rows of weights         */
  PART = 12 /* rows of a product between requests */,
  FAR = 3 << 20 /* bytes */
};

/* x [rows][columns of ld] through the activation, in place. */
static void activate(bool relu, float *x, size_t rows, size_t columns, size_t ld) {
  for (size_t i = 0; i < rows; i++) {
    float *row = x + i * ld;
    if (relu)
      for (size_t j = 0; j < columns; j += VEC)
        vec_store(row + j, vec_max(vec_zero(), vec_load(row + j)));
    else
      for (size_t j = 0; j < columns; j += VEC)
        vec_store(row + j, vec_tanh(vec_load(row + j)));
  }
}

/* d *= f'(.) of one line of units with activations h. */
static inline void derive_relu(const float *h, float *d) {
  PGB_LANE_LOOP
  for (size_t k = 0; k < LINE; k++)
    d[k] = h[k] > 0.0f ? d[k] : 0.0f;
}

/* d *= f'(.) of units with activations kept[i] + at: [rows][columns] of ldd. */
static void derive(bool relu, const float *const *kept, size_t at, float *d, size_t ldd, size_t rows,
                   size_t columns) {
  const vec one = vec_all(1.0f);
  for (size_t i = 0; i < rows; i++, d += ldd) {
    const float *h = kept[i] + at;
    if (relu)
      for (size_t j = 0; j < columns; j += LINE)
        derive_relu(h + j, d + j);
    else
      for (size_t j = 0; j < columns; j += VEC) {
        const vec y = vec_load(h + j);
        vec_store(d + j, vec_mul(vec_load(d + j), vec_sub(one, vec_mul(y, y))));
      }
  }
}

/* Lanes that go through the net together, so that their activations stay in the first-level cache from layer
 * to layer: whole tiles of rows. */
enum { FEW = 24 };

/* y [out][lanes] = b + W h for n lanes: few outputs, so each is a product of two rows, summed in sixteen
 * parts. */
static void outputs(const pgb_mlp_layer *l, const float *packed, const float *h, size_t ldh,
                    const uint8_t *lane, size_t n, float *y) {
  for (size_t u = 0; u < l->out; u++) {
    const float *row = packed + l->back + u * l->in_p;
    const float start = packed[l->start + u];
    float *to = y + u * PGB_LANES;
    for (size_t i = 0; i < n; i++) {
      vec part[LINE / VEC];
      for (size_t v = 0; v < LINE / VEC; v++)
        part[v] = vec_zero();
      for (size_t j = 0; j < l->in_p; j += LINE)
        for (size_t v = 0; v < LINE / VEC; v++)
          part[v] = vec_fma(vec_load(row + j + v * VEC), vec_load(h + i * ldh + j + v * VEC), part[v]);
      to[lane[i]] = start + vec_sum(part);
    }
  }
}

/* The observations of n lanes as rows [n][ld] of n_x. */
static void observe(const pgb_mlp *net, const float *obs, const uint8_t *lane, size_t n, float *x,
                    size_t ld) {
  const size_t full = net->layer[0].in / LINE * LINE;
  for (size_t i = 0; i < n; i++) {
    float *row = x + i * ld;
    for (size_t k = full; k < net->n_x; k += VEC)
      vec_store(row + k, vec_zero());
    for (size_t k = 0; k < net->layer[0].in; k++)
      row[k] = obs[k * PGB_LANES + lane[i]];
  }
}

void PGB_KERNEL(pgb_mlp_forward)(const pgb_mlp *net, const float *theta, const float *obs, uint64_t busy,
                                 float *y, float *kept) {
  const float *packed = theta + pgb_mlp_packed_at(net);
  const size_t ld = net->n_kept;
  const size_t last = net->n_layers - 1;
  uint8_t lane[PGB_LANES];
  size_t n = 0;
  if (busy != ~(uint64_t)0)
    memset(y, 0, net->n_out * PGB_LANES * sizeof *y);
  for (; busy != 0; busy &= busy - 1)
    lane[n++] = (uint8_t)__builtin_ctzll(busy);
  for (size_t from = 0; from < n; from += FEW) {
    const size_t few = n - from < FEW ? n - from : FEW;
    float *h = kept + from * ld + net->n_x;
    observe(net, obs, lane + from, few, h - net->n_x, ld);
    for (size_t i = 0; i < last; i++) {
      const pgb_mlp_layer *l = &net->layer[i];
      const pgb_gemm job = {.rows = few,
                            .columns = l->out_p,
                            .depth = l->in,
                            .a = i == 0 ? h - net->n_x : h + net->layer[i - 1].at,
                            .a_row = ld,
                            .a_step = 1,
                            .b = packed + l->forward,
                            .ldb = l->out_p,
                            .c = h + l->at,
                            .ldc = ld,
                            .start = packed + l->start};
      PGB_KERNEL(pgb_gemm_run)(&job);
      activate(net->relu, h + l->at, few, l->out_p, ld);
    }
    outputs(&net->layer[last], packed, h + net->layer[last - 1].at, ld, lane + from, few, y);
  }
}

/* Some steps of episode `episode` of the range, from its step t0 on: rows [row, row + n) of the work's
 * arrays. */
typedef struct segment {
  size_t episode, t0, n, row;
} segment;

typedef struct work {
  const pgb_mlp *net;
  const float *packed;
  const pgb_rollout *r;
  size_t n_w;
  const float *const *weight;
  float *out;
  bool far;      /* the rollout's activations do not fit the cache                                */
  float *d;      /* [STEPS][n_row] deltas of unit scores: of every hidden layer, then of the output */
  float *scaled; /* [STEPS][n_row] times a weight                                                 */
  bool in_raw;   /* out is [count][n_w][n_raw], not [count][n_w][n_theta]                          */
  float *raw;    /* [n_raw] if it is not: an episode's                                            */
  const float *kept[STEPS]; /* each step's observation and hidden activations, where they are */
  segment segments[STEPS];
  size_t n_segments, rows;
  size_t ahead_episode, ahead_step; /* what comes STEPS steps after what is contracted            */
  size_t ahead_due, ahead_share;    /* steps of it to ask for with this segment, and at a time    */
} work;

/* A step's deltas of the outputs, and where the rollout keeps what led to them, as row `row`. */
static void gather(work *w, size_t at, size_t row) {
  const pgb_mlp *net = w->net;
  const pgb_rollout *r = w->r;
  const size_t t = at / PGB_LANES;
  const size_t lane = at % PGB_LANES;
  const float *delta = r->delta + t * r->n_delta * PGB_LANES + lane;
  float *top = w->d + row * net->n_row + net->n_top;
  for (size_t k = net->n_top; k < net->n_row; k += VEC) /* with padding */
    vec_store(w->d + row * net->n_row + k, vec_zero());
  for (size_t k = 0; k < r->n_delta; k++)
    top[k] = delta[k * PGB_LANES];
  w->kept[row] = r->kept + pgb_kept_at(r, at);
}

/* Asks for the activations of the n steps that follow, which are too many to be in cache, while others are
 * worked on. */
static void look_ahead(work *w, size_t n) {
  const pgb_rollout *r = w->r;
  if (!w->far)
    return;
  for (; n > 0 && w->ahead_episode < r->n_episodes; n--) {
    const size_t at = (size_t)r->origin[w->ahead_episode] + w->ahead_step * PGB_LANES;
    const float *kept = r->kept + pgb_kept_at(r, at);
    for (size_t k = 0; k < w->net->n_kept; k += LINE)
      __builtin_prefetch(kept + k, 0, 2);
    if (++w->ahead_step == (size_t)r->length[w->ahead_episode]) {
      w->ahead_step = 0;
      w->ahead_episode++;
    }
  }
}

/* Deltas of the hidden layers, from the last to the first. */
static void propagate(const work *w) {
  const pgb_mlp *net = w->net;
  for (size_t i = net->n_layers - 1; i > 0; i--) {
    const pgb_mlp_layer *l = &net->layer[i];
    const pgb_mlp_layer *below = &net->layer[i - 1];
    const pgb_gemm job = {.rows = w->rows,
                          .columns = l->in_p,
                          .depth = l->out,
                          .a = w->d + l->at,
                          .a_row = net->n_row,
                          .a_step = 1,
                          .b = w->packed + l->back,
                          .ldb = l->in_p,
                          .c = w->d + below->at,
                          .ldc = net->n_row};
    PGB_KERNEL(pgb_gemm_run)(&job);
    derive(net->relu, w->kept, net->n_x + below->at, w->d + below->at, net->n_row, w->rows, l->in_p);
  }
}

/* Columns [j, j + lines * LINE) of n steps; lines, and but for the last columns which sums there are, are
 * constants where it is called. */
static inline __attribute__((always_inline)) void sum_lines(const work *w, const segment *s,
                                                            const float *weight, float *plain, float *times,
                                                            size_t j, size_t lines) {
  const size_t ld = w->net->n_row;
  const float *from = w->d + s->row * ld + j;
  float *to = w->scaled + j;
  vec sum[2][MANY * LINE / VEC];
  for (size_t v = 0; v < lines * LINE / VEC; v++) {
    sum[0][v] = plain == NULL || s->t0 == 0 ? vec_zero() : vec_load(plain + j + v * VEC);
    sum[1][v] = times == NULL || s->t0 == 0 ? vec_zero() : vec_load(times + j + v * VEC);
  }
  for (size_t t = 0; t < s->n; t++, from += ld, to += ld) {
    const vec x = times != NULL ? vec_all(weight[t]) : vec_zero();
    for (size_t v = 0; v < lines * LINE / VEC; v++) {
      const vec d = vec_load(from + v * VEC);
      if (plain != NULL)
        sum[0][v] = vec_add(sum[0][v], d);
      if (times != NULL) {
        const vec y = vec_mul(x, d);
        vec_store(to + v * VEC, y);
        sum[1][v] = vec_add(sum[1][v], y);
      }
    }
  }
  for (size_t v = 0; v < lines * LINE / VEC; v++) {
    if (plain != NULL)
      vec_store(plain + j + v * VEC, sum[0][v]);
    if (times != NULL)
      vec_store(times + j + v * VEC, sum[1][v]);
  }
}

/* Sums over a segment's steps, and those before it in its episode, [n_row]: plain, of d, and times, of the
 * row's weights * d, which are left in w->scaled; either may be NULL, the row with times. */
static void sum_rows(const work *w, const segment *s, const float *row, float *plain, float *times) {
  const size_t ld = w->net->n_row;
  float weight[STEPS] = {0}; /* next to each other */
  const size_t many = plain != NULL && times != NULL ? BOTH : MANY;
  size_t j = 0;
  for (size_t t = 0; t < s->n && row != NULL; t++)
    weight[t] = row[(size_t)w->r->origin[s->episode] + (s->t0 + t) * PGB_LANES];
  for (; j + many * LINE <= ld; j += many * LINE)
    if (times == NULL)
      sum_lines(w, s, weight, plain, NULL, j, MANY);
    else if (plain == NULL)
      sum_lines(w, s, weight, NULL, times, j, MANY);
    else
      sum_lines(w, s, weight, plain, times, j, BOTH);
  for (; j < ld; j += LINE)
    sum_lines(w, s, weight, plain, times, j, 1);
}

/* Runs a product of many rows in parts, and asks for what follows between them. */
static void run_in_parts(work *w, pgb_gemm job) {
  for (size_t left = job.rows; left > 0; left -= job.rows) {
    const size_t due = w->ahead_due < w->ahead_share ? w->ahead_due : w->ahead_share;
    look_ahead(w, due);
    w->ahead_due -= due;
    job.rows = !w->far || left < PART ? left : PART;
    PGB_KERNEL(pgb_gemm_run)(&job);
    if (job.a != NULL)
      job.a += job.rows * job.a_row;
    else
      job.of_at += job.rows * job.a_row;
    job.start = job.start == job.c ? job.c + job.rows * job.ldc : job.start;
    job.c += job.rows * job.ldc;
  }
}

/* Parameters [from, end) of an episode's row of sums, from or to its raw sums. */
static void move(const pgb_mlp *net, size_t from, size_t end, float *raw, float *out, bool back) {
  for (size_t i = from; i < end; i++)
    if (back)
      raw[net->place[i]] = out[i];
    else
      out[i] = raw[net->place[i]];
}

/* All that is not summed in place. */
static void move_row(const pgb_mlp *net, float *raw, float *out, bool back) {
  for (size_t i = 0; i < net->n_layers; i++) {
    const pgb_mlp_layer *l = &net->layer[i];
    move(net, pgb_mlp_is_same(l) ? l->bias : l->weight, l->bias + l->out, raw, out, back);
  }
  move(net, net->n_theta - net->n_tail, net->n_theta, raw, out, back);
}

/* One layer's part of a row of raw sums: over the segment's steps of scaled delta times what the layer saw;
 * added to what earlier segments of the episode left there, in the same order as in one go. */
static void layer_gradient(work *w, const segment *s, size_t i, const float *scaled, float *to) {
  const pgb_mlp *net = w->net;
  const pgb_mlp_layer *l = &net->layer[i];
  const float *d = scaled + l->at;
  run_in_parts(w, (pgb_gemm){.rows = l->turned ? l->in : l->out,
                             .columns = l->turned ? l->out_p : l->in_p,
                             .depth = s->n,
                             .a = l->turned ? NULL : d,
                             .a_row = 1,
                             .a_step = net->n_row,
                             .b = l->turned ? d : NULL,
                             .ldb = net->n_row,
                             .of_step = w->kept + s->row,
                             .of_at = i == 0 ? 0 : net->n_x + net->layer[i - 1].at,
                             .c = to,
                             .ldc = l->turned ? l->out_p : l->in_p,
                             .start = s->t0 > 0 ? to : NULL});
}

static void segment_gradients(work *w, const segment *s, size_t first) {
  const pgb_mlp *net = w->net;
  float *waiting = NULL; /* sums of a row of ones, taken with those of the next; the last row goes first */
  for (size_t k = w->n_w; k-- > 0;) {
    const size_t at = (s->episode - first) * w->n_w + k;
    float *raw = w->in_raw ? w->out + at * net->n_raw : w->raw;
    float *out = w->out + at * net->n_theta;
    const bool ones = w->weight[k] == NULL;
    if (s->t0 > 0 && !w->in_raw)
      move_row(net, raw, out, true);
    if (ones && w->in_raw && waiting == NULL)
      waiting = raw + net->raw_row;
    else if (ones)
      sum_rows(w, s, NULL, raw + net->raw_row, NULL);
    else {
      sum_rows(w, s, w->weight[k], waiting, raw + net->raw_row);
      waiting = NULL;
    }
    for (size_t i = 0; i < net->n_layers; i++) {
      const pgb_mlp_layer *l = &net->layer[i];
      layer_gradient(w, s, i, ones ? w->d + s->row * net->n_row : w->scaled,
                     !w->in_raw && pgb_mlp_is_same(l) ? out + l->weight : raw + l->raw);
    }
    if (!w->in_raw)
      move_row(net, raw, out, false);
  }
  if (waiting != NULL)
    sum_rows(w, s, NULL, waiting, NULL);
}

/* What has been gathered. */
static void flush(work *w, size_t first) {
  size_t parts = 0;
  if (w->rows == 0)
    return;
  for (size_t i = 0; i < w->net->n_layers; i++)
    parts += ((w->net->layer[i].turned ? w->net->layer[i].in : w->net->layer[i].out) + PART - 1) / PART;
  assert(parts > 0);
  propagate(w);
  for (size_t i = 0; i < w->n_segments; i++) {
    w->ahead_due = w->segments[i].n;
    w->ahead_share = (w->ahead_due + parts - 1) / parts;
    segment_gradients(w, &w->segments[i], first);
  }
  w->n_segments = 0;
  w->rows = 0;
}

static void lay_out(work *w, float *scratch) {
  const pgb_mlp *net = w->net;
  w->d = scratch;
  w->scaled = w->d + STEPS * net->n_row;
  w->raw = w->scaled + STEPS * net->n_row;
}

static void contract(const pgb_mlp *net, const float *theta, const pgb_rollout *rollout, size_t first,
                     size_t count, size_t n_w, const float *const *weight, bool in_raw, float *scratch,
                     float *out) {
  work w = {.net = net,
            .packed = theta + pgb_mlp_packed_at(net),
            .r = rollout,
            .n_w = n_w,
            .weight = weight,
            .out = out,
            .in_raw = in_raw,
            .far = rollout->kept_steps * net->n_kept * sizeof(float) > FAR,
            .ahead_episode = first};
  assert(first + count <= rollout->n_episodes && rollout->n_delta == net->n_out + net->n_tail);
  lay_out(&w, scratch);
  look_ahead(&w, STEPS);
  for (size_t e = first; e < first + count; e++) {
    const size_t length = (size_t)rollout->length[e];
    if (length > STEPS - w.rows && length <= STEPS) /* episodes are divided only where they must be */
      flush(&w, first);
    for (size_t t = 0; t < length;) {
      const size_t n = length - t < STEPS - w.rows ? length - t : STEPS - w.rows;
      w.segments[w.n_segments++] = (segment){.episode = e, .t0 = t, .n = n, .row = w.rows};
      for (size_t k = 0; k < n; k++)
        gather(&w, (size_t)rollout->origin[e] + (t + k) * PGB_LANES, w.rows + k);
      w.rows += n;
      t += n;
      if (w.rows == STEPS)
        flush(&w, first);
    }
  }
  flush(&w, first);
}

void PGB_KERNEL(pgb_mlp_contract)(const pgb_mlp *net, const float *theta, const pgb_rollout *rollout,
                                  size_t first, size_t count, size_t n_w, const float *const *weight,
                                  float *scratch, float *out) {
  contract(net, theta, rollout, first, count, n_w, weight, false, scratch, out);
}

void PGB_KERNEL(pgb_mlp_contract_raw)(const pgb_mlp *net, const float *theta, const pgb_rollout *rollout,
                                      size_t first, size_t count, size_t n_w, const float *const *weight,
                                      float *scratch, float *out) {
  contract(net, theta, rollout, first, count, n_w, weight, true, scratch, out);
}
