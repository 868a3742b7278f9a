#!/usr/bin/env bash
# The front door: installs what is missing, builds, runs. `./do help` lists the commands.
set -euo pipefail
cd "$(dirname "$0")"
root=$PWD
cache=${XDG_CACHE_HOME:-$HOME/.cache}/weir
jobs=$(nproc)

# Debian 12 packages, by what needs them.
packages_build="gcc g++ clang cmake ninja-build pkg-config protobuf-compiler libprotobuf-dev python3 python3-protobuf
    libnghttp2-dev libzstd-dev zlib1g-dev libssl-dev libjansson-dev libsodium-dev libsqlite3-dev libpq-dev postgresql-server-dev-15
    libutf8proc-dev libcmocka-dev libcurl4-openssl-dev libmariadb-dev ca-certificates"
packages_duckdb="nodejs npm"
packages_postgresql="postgresql postgresql-client"
packages_mariadb="mariadb-server"
packages_test="python3-grpcio python3-jsonschema python3-venv libclang-rt-14-dev zstd openssl sqlite3 golang-go git
    make clang-16 mandoc zsh fish"
packages_check="clang-format clang-tidy"

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() { printf 'do: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        die "packages are missing and neither root nor sudo is at hand; install: $*"; fi
}

# A package counts as there when dpkg says so, or when the one program that it is wanted for is on the path.
have() {
    case $1 in
        nodejs) command -v node >/dev/null ;;
        npm) command -v npm >/dev/null ;;
        golang-go) command -v go >/dev/null ;;
        *) dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed' ;;
    esac
}

install() {
    local missing="" package
    for package in "$@"; do have "$package" || missing="$missing $package"; done
    [ -z "$missing" ] && return
    say "installing:$missing"
    command -v apt-get >/dev/null || die "this needs Debian 12's apt-get, or these packages by hand:$missing"
    as_root apt-get -qq update
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
}

build() { # PRESET [TARGET...]
    local preset=$1 log=$root/build/$1.log
    shift
    mkdir -p build
    say "building $preset"
    { cmake --preset "$preset" && cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}; } >"$log" 2>&1 ||
        { tail -n 60 "$log" >&2; die "the $preset build failed; the whole log is $log"; }
    grep -h '^-- WEIR' "$log" >&2 || true
}

install_build() {
    # shellcheck disable=SC2086
    install $packages_build $packages_duckdb
}

cmd_build() {
    install_build
    build "${1:-release}"
}

cmd_install() { # [PREFIX]
    local prefix=${1:-$HOME/.local}
    install_build
    build release
    cmake --install build/release --prefix "$prefix" >build/install.log || die "see build/install.log"
    say "installed in $prefix"
    case :$PATH: in
        *":$prefix/bin:"*) ;;
        *) say "put it on your path: export PATH=$prefix/bin:\$PATH" ;;
    esac
    say "for pkg-config: export PKG_CONFIG_PATH=$prefix/lib/pkgconfig; for CMake: export CMAKE_PREFIX_PATH=$prefix"
}

cmd_demo() {
    install_build
    case ${1:-files} in
        files) build release && exec tools/demo/files "$root/build/release/bin" "$cache" ;;
        postgresql)
            # shellcheck disable=SC2086
            install $packages_postgresql
            build release && exec tools/demo/postgresql "$root/build/release/bin" "$root" ;;
        *) die "demo knows 'files' and 'postgresql'" ;;
    esac
}

cmd_test() {
    install_build
    # shellcheck disable=SC2086
    install $packages_postgresql $packages_mariadb $packages_test
    build release
    build asan unit_tests
    build tsan unit_tests
    build_fault
    cmake --preset release -D WEIR_SANITIZED_TESTS=ON >/dev/null
    say "testing"
    (cd build/release && ctest --output-on-failure -j "$jobs" "$@")
}

cmd_check() {
    install_build
    # shellcheck disable=SC2086
    install $packages_check
    say "format"
    git ls-files '*.c' '*.h' '*.cc' | xargs clang-format --dry-run -Werror
    say "layers, style, rules, exports, points"
    python3 tools/check-layers
    python3 tools/check-style
    python3 tools/check-rules
    python3 tools/check-exports
    python3 tools/check-points
    build dev-clang
    say "static analysis"
    git ls-files 'src/*.c' 'connectors/*.c' 'examples/*.c' | xargs -P "$jobs" -n 4 clang-tidy -p build/dev-clang --quiet
    say "all clean"
}

cmd_bench() {
    install_build
    # shellcheck disable=SC2086
    install $packages_postgresql $packages_mariadb $packages_test
    build release
    exec bench/run "$root/build/release" "$@"
}

cmd_fuzz() { # [SECONDS [TARGET]]
    install_build
    # shellcheck disable=SC2086
    install $packages_test
    build fuzz
    local seconds=${1:-60} target name
    for target in build/fuzz/bin/fuzz.${2:-*}; do
        name=${target##*/fuzz.}
        say "fuzzing $name for $seconds s"
        mkdir -p "build/corpus/$name" "fuzz/corpus/$name"
        "$target" -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="build/corpus/$name-" \
            "build/corpus/$name" "fuzz/corpus/$name"
    done
}

cmd_model() { # --fold, or [--count N] [DESTINATION...]
    local count=20000 store
    if [ "${1:-}" = --fold ]; then
        install_build
        build release fold_proof
        build/release/tests/fold_proof --length 6 --all 6 --replay 5 --random 1000000
        exec build/release/tests/fold_proof --history 1 --length 6 --all 6 --replay 5 --random 1000000
    fi
    [ "${1:-}" != --count ] || { count=${2:?}; shift 2; }
    install_build
    # shellcheck disable=SC2086
    install $packages_postgresql $packages_mariadb $packages_test
    build release
    [ $# -gt 0 ] || set -- $(cd build/release/tests && ls model.* | sed 's/^model\.//')
    for store in "$@"; do
        say "$count random sequences on $store"
        "build/release/tests/model.$store" --count "$count"
    done
}

cmd_sim() { # [--seeds N] [--seed N] …
    install_build
    build release sim
    build/release/tests/sim "$@"
}

build_fault() {
    build fault crash_programs
}

cmd_crash() { # [RUNS [SEED]]
    install_build
    # shellcheck disable=SC2086
    install $packages_test
    build release
    build_fault
    say "every fault point"
    python3 -B tests/crash/matrix.py build/fault/bin --doubles 400 --table build/crash-matrix.csv
    say "the table is build/crash-matrix.csv"
    local store
    for store in sqlite duckdb; do
        say "${1:-200} runs on $store"
        python3 -B tests/crash/kill.py build/release/bin "$store" "${1:-200}" "${2:-$RANDOM}"
    done
}

cmd_help() {
    cat <<'TEXT'
./do demo               sync a real data set from files to DuckDB, twice, and show what landed
./do demo postgresql    sync a private PostgreSQL server to DuckDB
./do test               build and run every test (arguments go to ctest: ./do test -R engine)
./do install [PREFIX]   build and install the command, libweir and our connectors (to ~/.local)
./do build [PRESET]     build only: release (default), dev, dev-clang, asan, tsan, coverage, fuzz
./do check              format, layers, style, rules, static analysis
./do bench [NAME]       measure; prints CSV with ratios taken in one run
./do fuzz [SECONDS [T]] run the fuzz targets
./do model [--count N] [D]  random sequences of requests on destinations, compared with the model (20,000)
./do model --fold           the engine's folding against row-by-row application: all short sequences, 1,000,000 random
./do crash [RUNS [SEED]]    kill syncs at every fault point, then at random moments (200), compare the rows
./do sim [--seeds N]    simulate the engine by seed: faults, kills, interleavings (1,000 seeds)

Everything that is missing is installed from Debian's packages first (as root or through sudo).
TEXT
}

command=${1:-help}
[ $# -gt 0 ] && shift
case $command in
    demo | test | install | build | check | bench | fuzz | model | crash | sim | help) "cmd_$command" "$@" ;;
    -h | --help) cmd_help ;;
    *) cmd_help >&2; exit 2 ;;
esac
