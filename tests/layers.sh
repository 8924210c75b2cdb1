#!/bin/sh
# SPDX-License-Identifier: MIT
# The house rules that a compiler does not check: sh tests/layers.sh BUILD_FOLDER
#   - a layer includes only itself and the layers that its line of BUILD_FOLDER/layers.txt names;
#   - mpi.h is met in src/comm/comm_mpi.c alone, hdf5.h in store_hdf5.c, store_read.c and reader.c of src/io;
#   - no static library of a layer holds writable data, but the one flag that a signal handler sets;
#   - every file says its licence in its first lines.
# Sizes (files over 500 lines, functions over 60) are warnings.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$1
cd "$root"
failed=0

wrong() {
  echo "$1"
  failed=1
}

[ -s "$build/layers.txt" ] || {
  echo "no layers.txt in $build; configure the build first"
  exit 1
}

# The layer of a path is its folder under src; envs/ belongs to the layer env. pgb_build.h is written by the build.
includes=$(grep -HoE '^ *# *include *"[^"]*"' src/*/*.c src/*/*.h envs/*.c envs/*.h |
  sed 's/: *# *include */ /; s/"//g')
checked=$(echo "$includes" | wc -l)
[ "$checked" -gt 100 ] || wrong "only $checked #include lines found; the search is broken"
strays=$(echo "$includes" | awk -v list="$build/layers.txt" '
  BEGIN {
    while ((getline line < list) > 0) {
      layer = line; sub(/:.*/, "", layer)
      uses = line; sub(/^[^:]*: */, "", uses)
      known[layer] = 1
      allowed[layer, layer] = 1
      n = split(uses, use, ";")
      for (i = 1; i <= n; i++) allowed[layer, use[i]] = 1
    }
  }
  {
    split($1, path, "/")
    layer = path[1] == "envs" ? "env" : path[2]
    split($2, target, "/")
    to = target[1] == "envs" ? "env" : target[1]
    if (!(layer in known)) print $1 ": layer " layer " is not in layers.txt; declare it with pgb_layer"
    else if ($2 == "pgb_build.h") next
    else if ($2 !~ /\//) print $1 ": #include \"" $2 "\" names no layer; write \"layer/file.h\""
    else if (!((layer, to) in allowed)) print $1 ": includes \"" $2 "\", but " layer " does not use " to
  }' | sort -u)
[ -z "$strays" ] || wrong "$strays"

mpi=$(grep -rlE '^ *# *include *[<"]mpi\.h[>"]' src envs | grep -vx 'src/comm/comm_mpi\.c' || true)
[ -z "$mpi" ] || wrong "mpi.h belongs to src/comm/comm_mpi.c alone, not to: $mpi"
hdf5=$(grep -rlE '^ *# *include *[<"]hdf5(_hl)?\.h[>"]' src envs || true)
outside=$(echo "$hdf5" | grep -vE '^src/io/(store_hdf5|store_read|reader)\.c$' || true)
[ -z "$outside" ] || wrong "hdf5.h belongs to store_hdf5.c, store_read.c and reader.c of src/io alone, not to: $outside"

# Data, zeroed data, thread-local and common symbols are writable state; .data.rel.ro holds constants that the loader
# relocates, which nm shows as d as well, so the sections decide.
if ! command -v nm >/dev/null 2>&1 || ! command -v objdump >/dev/null 2>&1; then
  echo "note: binutils are not installed, writable data not looked for"
elif [ ! -f "$build/libpgb_core.a" ]; then
  echo "note: no library in $build yet, writable data not looked for"
elif nm "$build/libpgb_core.a" 2>/dev/null | grep -q '__asan_\|__gcov_'; then
  echo "note: an instrumented build, writable data not looked for"
else
  for library in "$build"/libpgb_*.a; do
    state=$(objdump -t "$library" 2>/dev/null |
      awk '/[ \t](\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ && $0 !~ /\.data\.rel\.ro/ && $0 ~ / O / && $NF != "caught" {print $NF}')
    [ -z "$state" ] || wrong "$(basename "$library"): writable static data: $(echo "$state" | tr '\n' ' ')"
  done
fi

bare=$(find CMakeLists.txt src envs tests benchmarks jobs analysis .ci -type f \( -name '*.[ch]' -o -name '*.cc' \
  -o -name '*.def' -o -name '*.sh' -o -name '*.py' -o -name '*.cmake' -o -name '*.yaml' -o -name CMakeLists.txt \
  -o -path '.ci/run' \) -not -path '*/__pycache__/*' | sort |
  while read -r file; do
    head -n 2 "$file" | grep -q 'SPDX-License-Identifier: MIT' || echo "$file"
  done)
[ -z "$bare" ] || wrong "no SPDX line at the head of: $bare"

for file in src/*/*.c src/*/*.h envs/*.c envs/*.h tests/*.c tests/*.h; do
  lines=$(wc -l <"$file")
  [ "$lines" -le 500 ] || echo "warning: $file has $lines lines (500 at the most)"
  # A function begins with a line that ends in { and stands at the left margin, and ends with }.
  awk -v file="$file" '/^[a-z].*\) \{$/ || /^ +[^ ].*\) \{$/ && open == 0 && before ~ /^[a-z].*,$/ {open = NR; name = $0}
    {before = $0}
    /^\}/ {if (open && NR - open + 1 > 60) {sub(/\(.*/, "", name); print "warning: " file ":" open ": " name " has " NR - open + 1 " lines (60 at the most)"} open = 0}' "$file"
done

[ "$failed" -eq 0 ] && echo "layers: $checked #include lines keep to layers.txt"
exit "$failed"
