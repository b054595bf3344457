# shellcheck shell=bash
# Sourced by test.sh and image.sh: what they need on a machine that has only Go, git and apt.
# Nothing here touches the clone; what is built lands in $TOOLS.

GOLANGCI_VERSION=2.15.0

home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
export HOME=$home
TOOLS=${CHARTD_TOOLS:-${XDG_CACHE_HOME:-$home/.cache}/chartd-tools}

die() {
	printf '\n%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# apt_install PACKAGE… installs Debian packages, as root or through sudo, without a question asked.
apt_install() {
	local as=()
	if [ "$(id -u)" -ne 0 ]; then
		if have sudo && sudo -n true 2>/dev/null; then
			as=(sudo -n)
		else
			die "this needs the Debian packages: $*; install them, or run as root or with sudo"
		fi
	fi
	have apt-get || die "this needs $*, and there is no apt-get here to install it"
	local log=$TOOLS/apt.log
	mkdir -p "$TOOLS"
	echo "installing $*"
	without_services "${as[@]}"
	# Lists may be missing or old: try with what is there, then update once.
	if ! "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >"$log" 2>&1; then
		"${as[@]}" apt-get update -q >>"$log" 2>&1 || true
		"${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >>"$log" 2>&1 ||
			{ with_services "${as[@]}"; tail -n 20 "$log" >&2; die "apt-get install $* did not work; see $log"; }
	fi
	with_services "${as[@]}"
	# Nor is it to be there after the next start of the machine.
	local p
	for p in "$@"; do
		! have systemctl || "${as[@]}" systemctl disable -q "$p.service" >>"$log" 2>&1 || true
	done
}

# A server that comes with a package is for tests, which start their own: it is not to run beside them. Debian asks this file.
POLICY=/usr/sbin/policy-rc.d

without_services() {
	[ -e "$POLICY" ] && return
	printf '#!/bin/sh\n# chartd: servers are installed for tests\nexit 101\n' | "$@" tee "$POLICY" >/dev/null
	"$@" chmod 755 "$POLICY"
}

with_services() {
	! grep -qs '^# chartd:' "$POLICY" || "$@" rm -f "$POLICY"
}

need_go() {
	have go || PATH=$PATH:/usr/local/go/bin
	have go || die "Go is missing: install the version that go.mod names"
}

# golangci_lint prints where the pinned golangci-lint is, and builds it when it is nowhere. The build takes minutes, once a machine.
golangci_lint() {
	local bin=$TOOLS/golangci-lint-v$GOLANGCI_VERSION/golangci-lint found
	if [ ! -x "$bin" ]; then
		found=$(command -v golangci-lint || echo "$(go env GOPATH)/bin/golangci-lint")
		if [ -x "$found" ] && "$found" version 2>/dev/null | grep -q "version v\?$GOLANGCI_VERSION "; then
			bin=$found
		else
			# Outside the module, so that its go.mod is neither asked nor changed; a newer Go than the linter's is fine.
			(cd / && GOFLAGS='' GOBIN=$(dirname "$bin") go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$GOLANGCI_VERSION") ||
				return 1
		fi
	fi
	echo "$bin"
}

# typescript_compiler prints where the tsc that web/package-lock.json names is, and installs it when it is not there.
typescript_compiler() {
	local tsc=web/node_modules/.bin/tsc
	if [ ! -x "$tsc" ] || [ web/package-lock.json -nt web/node_modules/.package-lock.json ]; then
		npm ci --prefix web --no-audit --no-fund --loglevel=error >&2 || return 1
	fi
	echo "$tsc"
}
