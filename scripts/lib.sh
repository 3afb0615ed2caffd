# What the scripts share: packages and builds. Sourced, not run; messages go to stderr.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

build_packages=(g++ cmake ninja-build libfmt-dev nlohmann-json3-dev libcli11-dev libboost-dev libboost-graph-dev liblua5.4-dev libsqlite3-dev zlib1g-dev)
test_packages=(libgtest-dev librapidcheck-dev)
window_packages=(qt6-base-dev qt6-svg-dev libimgui-dev libpng-dev pkg-config fonts-dejavu-core)
screen_packages=(xvfb xauth xdotool openbox libgl1-mesa-dri chromium)  # tests that need a screen or a browser; without, they are skipped
docs_packages=(parallel sqlite3)  # that commands on the pages use

say() { echo "$@" >&2; }

# Prints the head comment of a script: its help.
show_help() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$1"; }

# install_packages PACKAGE...: installs from Debian or Ubuntu what is missing; asks nothing.
install_packages() {
  command -v dpkg-query >/dev/null || return 0
  local missing=() p
  for p in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      say "These packages are missing, and installing them needs root without a password: ${missing[*]}"
      say "Install them with:  sudo apt-get install ${missing[*]}"
      exit 2
    fi
    as_root=(sudo -n)
  fi
  say "Installing with apt-get: ${missing[*]}"
  local install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}")
  if ! "${install[@]}" </dev/null >/dev/null 2>&1; then
    "${as_root[@]}" apt-get update -q </dev/null >&2
    "${install[@]}" </dev/null >&2
  fi
}

# build PRESET with_tests|without_tests TARGET...: configures when needed, then builds into build/PRESET.
build() {
  local preset="$1" tests="$2"
  shift 2
  local folder="$root/build/$preset"
  local want=OFF
  [ "$tests" = with_tests ] && want=ON
  if [ ! -f "$folder/build.ninja" ] || { [ $want = ON ] && ! grep -q '^MQLAB_TESTS:BOOL=ON' "$folder/CMakeCache.txt"; }; then
    say "Configuring $preset"
    (cd "$root" && cmake --preset "$preset" -DMQLAB_TESTS=$want >"$folder.configure.log" 2>&1) || {
      cat "$folder.configure.log" >&2
      exit 3
    }
  fi
  # ninja says nothing when there is nothing to do, and shows its progress line on a terminal when there is.
  if [ -t 2 ]; then
    ninja -C "$folder" "$@" >&2 || exit 3
  else
    local log
    log="$(mktemp)"
    ninja -C "$folder" "$@" >"$log" 2>&1 || {
      grep -E -A20 'FAILED|error' "$log" >&2 || cat "$log" >&2
      rm -f "$log"
      exit 3
    }
    rm -f "$log"
  fi
}
