# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# What speed.sh and compare.sh share; read by them, not run.

# number NAME VALUE: ends the script unless VALUE is a positive whole number.
number() {
  case $2 in
  '' | *[!0-9]* | 0)
    echo "$(basename "$0"): $1 $2: not a positive number; give for instance 9" >&2
    exit 2
    ;;
  esac
}

# built FILE...: ends the script unless all are there.
built() {
  for file in "$@"; do
    [ -x "$file" ] || {
      echo "$(basename "$0"): no $file; build first, with Google Benchmark (libbenchmark-dev) installed" >&2
      exit 2
    }
  done
}

# On one core, the last of those that this process may use, where taskset exists.
pin() {
  if command -v taskset >/dev/null 2>&1; then
    taskset -c "$(taskset -cp $$ | sed 's/.*[ ,-]//')" "$@"
  else
    "$@"
  fi
}

# Google Benchmark's JSON from stdin as lines "name real_time cpu_time key rate...", times in ns; failed ones are left out.
flat() {
  awk -F '"' '
    function flush() { if (name != "" && !failed) print name, real, cpu, rates; name = ""; rates = ""; failed = 0 }
    $2 == "name" { flush(); name = $4 }
    name == "" { next }
    { value = $3; gsub(/[:, ]/, "", value) }
    $2 == "error_occurred" { failed = 1 }
    $2 == "real_time" { real = value }
    $2 == "cpu_time" { cpu = value }
    $2 == "time_unit" { unit = $4 == "ms" ? 1e6 : $4 == "us" ? 1e3 : $4 == "s" ? 1e9 : 1; real *= unit; cpu *= unit }
    $2 ~ /^(items_per_second|words|flops)$/ { rates = rates " " $2 " " value }
    END { flush() }'
}

# Lines "name a b" from stdin, in rounds, to one line for each name in order of appearance:
# "name rounds median(a) median(b) median(b/a) low high sure": an interval for the median of the ratios from their order
# alone (Conover 1999, Practical Nonparametric Statistics, section 3.2), with the argument `single` at 95 %, with `together` such that
# all names' intervals hold at once at 95 % (Bonferroni). sure is 0 where the rounds are too few for that; the interval is
# then the whole range.
ratios() {
  awk -v together="$1" '
    function sorted(x, n, i, j, t) {
      for (i = 2; i <= n; i++)
        for (j = i; j > 1 && x[j] < x[j - 1]; j--) { t = x[j]; x[j] = x[j - 1]; x[j - 1] = t }
    }
    function median(x, n) { sorted(x, n); return n % 2 ? x[(n + 1) / 2] : (x[n / 2] + x[n / 2 + 1]) / 2 }
    function rank(n, level, k, chance, sum) {
      chance = 0.5 ^ n
      for (k = 0; k < n / 2; k++) {
        sum += chance
        if (2 * sum > level) break
        chance *= (n - k) / (k + 1)
      }
      return k
    }
    !($1 in count) { names[++n_names] = $1 }
    { i = ++count[$1]; a[$1, i] = $2; b[$1, i] = $3 }
    END {
      for (m = 1; m <= n_names; m++) {
        name = names[m]; n = count[name]
        for (i = 1; i <= n; i++) { x[i] = a[name, i]; y[i] = b[name, i]; r[i] = y[i] / x[i] }
        k = rank(n, 0.05 / (together == "together" ? n_names : 1))
        sure = k > 0
        if (!sure) k = 1
        middle = median(r, n)
        print name, n, median(x, n), median(y, n), middle, r[k], r[n + 1 - k], sure
      }
    }'
}
