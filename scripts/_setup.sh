# shellcheck shell=bash
#
# What every script needs: the project's root, and an environment that is
# exactly what requirements/*.txt say. Sourced, never run.
#
#     prepare .venv runtime dev     # the environment, and the locks it needs
#
# A second call with nothing changed costs a few milliseconds: the environment
# remembers in .venv/.conexxus/ which locks it holds.

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

# Settings of the caller that would bend the installation or the imports, or
# have each process compile anew what it imports.
unset CDPATH PYTHONHOME PYTHONPATH PYTHONSTARTUP VIRTUAL_ENV CONDA_PREFIX
unset PYTHONDONTWRITEBYTECODE
unset PIP_TARGET PIP_PREFIX PIP_USER PIP_ROOT PIP_REQUIRE_VIRTUALENV PIP_REQUIREMENT
unset UV_CONSTRAINT UV_BUILD_CONSTRAINT UV_OVERRIDE UV_EXCLUDE_NEWER UV_PYTHON UV_SYSTEM_PYTHON
unset UV_TARGET UV_PREFIX UV_PROJECT_ENVIRONMENT UV_NO_DEPS
export PIP_CONSTRAINT=/dev/null # also overrides a constraint in a pip.conf
export PIP_DISABLE_PIP_VERSION_CHECK=1
export UV_PYTHON_DOWNLOADS=never

# uv brings its own root certificates; a machine that has more says so here.
if [[ -z ${SSL_CERT_FILE:-} && -s /etc/ssl/certs/ca-certificates.crt ]]; then
    export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
fi

say() { printf '%s\n' "• $*" >&2; }

fail() {
    printf '%s\n' "✗ $*" >&2
    exit 1
}

wants_help() {
    local arg
    for arg in "$@"; do
        case $arg in
            -h | --help) return 0 ;;
            --) return 1 ;;
        esac
    done
    return 1
}

# The real interpreter behind $1 (pyenv's shims mislead uv), if it is
# Python 3.11 or later, and, where $2 is given, of exactly that version.
real_python() {
    "$1" -c '
import sys
wanted = sys.argv[1]
have = "%d.%d" % sys.version_info[:2]
if sys.version_info < (3, 11) or (wanted and wanted != have):
    sys.exit(1)
print(sys.executable)
' "${2:-}" 2>/dev/null
}

# Where pyenv may keep its versions: HOME can be a stranger's.
pyenv_roots() {
    printf '%s\n' "${PYENV_ROOT:-}" "${HOME:+$HOME/.pyenv}"
    if command -v getent >/dev/null; then
        printf '%s/.pyenv\n' "$(getent passwd "$(id -u)" | cut -d: -f6)"
    fi
}

# Print a Python of version $1 ("3.13"), or any that will do.
find_python() {
    local wanted=${1:-} version pyenv candidate
    if [[ -z $wanted ]] && command -v python3 >/dev/null; then
        real_python python3 && return
    fi
    for version in ${wanted:-3.13 3.12 3.11 3.14}; do
        while read -r pyenv; do
            [[ -n $pyenv ]] || continue
            for candidate in "$pyenv/versions/$version"*"/bin/python$version"; do
                [[ -x $candidate ]] && real_python "$candidate" "$version" && return
            done
        done < <(pyenv_roots)
        for candidate in "python$version" "/usr/local/bin/python$version" "/usr/bin/python$version"; do
            command -v "$candidate" >/dev/null && real_python "$candidate" "$version" && return
        done
    done
    return 1
}

# Debian splits venv from Python; say so, or, as root, put it right.
need_venv() {
    local python=$1 package
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    command -v apt-get >/dev/null || fail "$python has no venv module. Install Python with venv and ensurepip."
    [[ $(id -u) == 0 ]] || fail "$python cannot create environments. Run: sudo apt-get install $package"
    say "Installing $package …"
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >&2
}

# Run a command as root, if we are or may be without being asked; else fail.
as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    else
        command -v sudo >/dev/null && sudo -n "$@"
    fi
}

# Make sure of program $1, which Debian has in package $2. Where it can't be
# had, what needs it says so itself.
system_package() {
    local program=$1 package=$2
    command -v "$program" >/dev/null && return
    if command -v apt-get >/dev/null && as_root true 2>/dev/null; then
        say "Installing $package …"
        as_root apt-get update -qq >&2 || true
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "$package" >&2 || true
    fi
    command -v "$program" >/dev/null ||
        say "There is no $program, and it can't be installed from here: what needs it will fail. On Debian: apt-get install $package"
}

# Put program $2 of Debian's package $3 into environment $1, unless it is
# somewhere. The package as a whole would start a service.
program_of_package() {
    local venv=$1 program=$2 package=$3 folder
    command -v "$program" >/dev/null && return
    [[ -x $venv/bin/$program ]] && return
    if command -v apt-get >/dev/null; then
        say "Fetching $program …"
        folder=$(mktemp -d)
        as_root apt-get update -qq >&2 || true
        (
            cd "$folder"
            apt-get download -qq "$package" && dpkg-deb -x ./*.deb .
        ) >/dev/null 2>&1 && cp "$folder/usr/bin/$program" "$venv/bin/$program" || true
        rm -rf "$folder"
    fi
    [[ -x $venv/bin/$program ]] ||
        say "There is no $program, and it can't be fetched from here: what needs it will fail. On Debian: apt-get install $package"
}

# Create the environment $1 with Python $2, unless it is there and sound.
need_environment() {
    local venv=$1 wanted=${2:-} python have
    if have=$(real_python "$venv/bin/python" "$wanted"); then
        # A copied or moved environment runs, but its scripts point elsewhere.
        [[ $have == "$root/$venv/bin/"* && -x $venv/bin/pip ]] && return
    fi
    python=$(find_python "$wanted") || fail "Python ${wanted:-3.11 or later} is not installed on this machine."
    need_venv "$python"
    say "Creating $venv with $("$python" -V) …"
    "$python" -m venv --clear "$venv"
}

# The state that $venv must be in to hold lock $2, as one word.
fingerprint() {
    {
        printf '%s\n' "$root/$1"
        cat "requirements/$2.txt" requirements/setup.txt pyproject.toml src/conexxus_client/_version.py
    } | sha256sum | cut -d' ' -f1
}

holds() {
    local venv=$1 lock=$2
    [[ -f $venv/.conexxus/$lock && $(<"$venv/.conexxus/$lock") == $(fingerprint "$venv" "$lock") ]]
}

install_locks() {
    local venv=$1 lock files=()
    shift
    rm -rf "$venv/.conexxus"
    say "Installing into $venv: $* …"
    "$venv/bin/python" -m pip install --quiet --require-hashes --only-binary :all: -r requirements/setup.txt >&2
    for lock in "$@"; do
        [[ $lock == setup ]] || files+=("requirements/$lock.txt")
    done
    if ((${#files[@]})); then
        "$venv/bin/uv" pip sync --quiet --python "$venv/bin/python" --require-hashes \
            requirements/setup.txt "${files[@]}" >&2
        "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" \
            --no-deps --no-build-isolation --editable . >&2
    fi
    mkdir -p "$venv/.conexxus"
    for lock in "$@"; do
        fingerprint "$venv" "$lock" >"$venv/.conexxus/$lock"
    done
}

# Usage: prepare VENV[=VERSION] LOCK…
#
# Make VENV hold at least these locks. What it already holds stays, so that
# the demo does not throw out the tests' tools.
prepare() {
    local venv=${1%%=*} wanted='' lock missing=0 all
    [[ $1 == *=* ]] && wanted=${1#*=}
    shift

    local back=$PWD
    cd "$root"
    need_environment "$venv" "$wanted"
    # Two scripts at once must not install into one environment. (uv locks
    # .lock itself, so ours has another name.)
    exec 9>"$venv/.conexxus-lock"
    if command -v flock >/dev/null; then flock 9; fi
    for lock in "$@"; do
        holds "$venv" "$lock" || missing=1
    done
    if ((missing)); then
        all=$({ printf '%s\n' "$@"; ls "$venv/.conexxus" 2>/dev/null || true; } | sort -u)
        # shellcheck disable=SC2086 # a list of plain words
        install_locks "$venv" $all
    fi
    exec 9>&-
    cd "$back"
}
