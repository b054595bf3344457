#!/usr/bin/env bash
# Builds the Dockerfile as it stands and proves the image, on a machine without a container engine and without a registry.
#
#   scripts/image.sh [VERSION]
#
# Debian's buildah builds it (chroot isolation, vfs storage) over base images that are made here, from this machine's own Go and
# a static busybox, under the very names that the Dockerfile's FROM lines use. Then the image runs as its own user and is asked
# over HTTP, by its own health check, with its built-in configuration and with a mounted one, and is stopped as an engine stops it.
# Needs root (chroot isolation mounts /proc). Leaves nothing behind; with KEEP=archive.tar it also saves the image for `docker load`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/tools.sh

version=${1:-$(git describe --tags --always --dirty 2>/dev/null || echo dev)}
[ "$(id -u)" -eq 0 ] || die "run it as root: buildah's chroot isolation mounts /proc"
need_go
have buildah || apt_install buildah
have curl || apt_install curl
[ -x /bin/busybox ] && busybox=/bin/busybox || busybox=$(command -v busybox || true)
if [ -z "$busybox" ] || ldd "$busybox" >/dev/null 2>&1; then
	apt_install busybox-static
	busybox=$(command -v busybox)
fi
[ -f /etc/ssl/certs/ca-certificates.crt ] || apt_install ca-certificates

work=$(mktemp -d)
log=$work/log
export CONTAINERS_STORAGE_CONF=$work/storage.conf BUILDAH_ISOLATION=chroot
printf '[storage]\ndriver = "vfs"\ngraphroot = "%s/graph"\nrunroot = "%s/run"\n' "$work" "$work" >"$CONTAINERS_STORAGE_CONF"
container=
pid=
cleanup() {
	status=$?
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	[ -z "$container" ] || buildah rm "$container" >/dev/null 2>&1 || true
	[ "$status" -eq 0 ] || tail -n 40 "$log" "$work"/*.out >&2 2>/dev/null || true
	buildah rm --all >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT

say() { printf '%-46s %s\n' "$1" "${2:-ok}"; }

# base NAME makes the image that the Dockerfile calls NAME: busybox as its shell, this machine's Go, and the certificates.
base() {
	local root=$work/base c
	mkdir -p "$root"/{bin,etc/ssl/certs,usr/local,tmp,root}
	chmod 1777 "$root/tmp"
	cp "$busybox" "$root/bin/busybox"
	for tool in sh mkdir cat ls; do ln -sf busybox "$root/bin/$tool"; done
	cp -a "$(go env GOROOT)" "$root/usr/local/go"
	rm -rf "$root"/usr/local/go/{test,api,doc}
	cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	c=$(buildah from --pull-never scratch)
	buildah copy -q "$c" "$root" / >/dev/null
	buildah config --env PATH=/usr/local/go/bin:/bin --env GOPATH=/go --env GOTOOLCHAIN=local "$c"
	buildah commit -q "$c" "$1" >/dev/null
	buildah rm "$c" >/dev/null
	rm -rf "$root"
}

# Every FROM that is neither scratch nor an earlier stage, with its ARG filled in.
go_version=$(sed -n 's/^ARG GO_VERSION=//p' Dockerfile)
from=$(sed -n 's/^FROM \([^ ]*\) AS build$/\1/p' Dockerfile | sed "s/\${GO_VERSION}/$go_version/")
case $from in
golang:"$go_version"-*) ;;
*) die "the Dockerfile's first FROM is \"$from\"; this script makes golang:$go_version-*" ;;
esac
case $(go env GOVERSION) in
go"$go_version" | go"$go_version".*) ;;
*) die "this machine has $(go env GOVERSION); the Dockerfile wants $go_version" ;;
esac
start=$SECONDS
base "docker.io/library/$from"
say "base image $from" "$((SECONDS - start)) s"

# The modules of this machine's cache serve as a proxy, so that the build fetches nothing; go.sum vouches for them.
go mod download
start=$SECONDS
buildah build --pull-never --format docker --layers=false --quiet \
	--build-arg "VERSION=$version" --build-arg GOPROXY=file:///modules \
	--volume "$(go env GOMODCACHE)/cache/download:/modules:ro" \
	--tag "chartd:$version" . >"$log" 2>&1 || die "the Dockerfile does not build"
say "Dockerfile builds" "$((SECONDS - start)) s"

config() { buildah inspect --type image --format "{{$1}}" "chartd:$version"; }
user=$(config .Docker.Config.User)
[[ $user =~ ^[1-9][0-9]*(:[1-9][0-9]*)?$ ]] || die "the image's user is \"$user\"; want a number that is not root's"
say "runs as" "$user"
entrypoint=$(config 'index .Docker.Config.Entrypoint 0')
test_kind=$(config 'index .Docker.Config.Healthcheck.Test 0')
[ "$test_kind" = CMD ] || die "the health check is $test_kind; the exec form CMD needs no shell"
healthcheck=("$(config 'index .Docker.Config.Healthcheck.Test 1')" "$(config 'index .Docker.Config.Healthcheck.Test 2')")
cmd=$(config 'index .Docker.Config.Cmd 0')
say "entry point, command, health check" "$entrypoint, $cmd, ${healthcheck[*]}"

container=$(buildah from --pull-never "chartd:$version")
root=$(buildah mount "$container")
say "size" "$(du -sb "$root" | awk '{printf "%.1f MiB", $1/1048576}') in $(find "$root" -type f | wc -l) files"
ldd "$root/chartd" >/dev/null 2>&1 && die "chartd is not static"
[ ! -e "$root/bin/sh" ] || die "the image has a shell"
buildah run "$container" -- "$entrypoint" version >"$work/version.out" 2>&1 || die "chartd version does not run"
grep -qF "$version" "$work/version.out" || die "chartd version says \"$(cat "$work/version.out")\"; want $version in it"
say "version" "$(head -n 1 "$work/version.out")"

# free_port prints a port that nobody listens on.
free_port() {
	local port
	for port in $(seq 18080 18180); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
	die "no free port between 18080 and 18180"
}

# serve NAME [RUN-FLAG…] runs the image as an engine would: its user, its entry point, its command.
serve() {
	out=$work/$1.out
	shift
	port=$(free_port)
	buildah run --env "CHARTD_LISTEN=127.0.0.1:$port" "$@" "$container" -- "$entrypoint" "$cmd" >"$out" 2>&1 &
	runner=$!
	for _ in $(seq 100); do
		curl -fs -m 2 "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && break
		kill -0 "$runner" 2>/dev/null || die "the container ended: $(cat "$out")"
		sleep 0.1
	done
	curl -fsS -m 2 "http://127.0.0.1:$port/healthz" >/dev/null || die "no answer from /healthz"
	pid=$(descendants "$runner" | while read -r p; do
		case $(readlink "/proc/$p/exe") in *"$entrypoint") echo "$p" ;; esac
	done)
	[ -n "$pid" ] || die "no process of $entrypoint below buildah"
	[ "$(awk '/^Uid:/{print $2}' "/proc/$pid/status")" = "${user%%:*}" ] || die "chartd does not run as $user"
}

descendants() {
	local p
	for p in $(pgrep -P "$1" || true); do
		echo "$p"
		descendants "$p"
	done
}

# stop ends it as an engine does, and wants status 0 inside 10 s.
stop() {
	local begin=$SECONDS
	kill -TERM "$pid"
	wait "$runner" || die "SIGTERM ended it with status $?"
	pid=
	[ $((SECONDS - begin)) -le 10 ] || die "it took $((SECONDS - begin)) s to stop"
}

serve built-in
say "/healthz and /readyz"
buildah run --env "CHARTD_LISTEN=127.0.0.1:$port" "$container" -- "${healthcheck[@]}" >"$work/health.out" 2>&1 || die "the health check fails on a healthy chartd"
say "health check on a healthy chartd"
charts=$(curl -fsS "http://127.0.0.1:$port/api/v1/charts")
grep -q '"cpu"' <<<"$charts" || die "the built-in configuration has no chart cpu: $charts"
curl -fsS "http://127.0.0.1:$port/charts/cpu.svg" | grep -q '<svg' || die "no picture of the chart cpu"
say "built-in charts"
stop
say "SIGTERM" "status 0"
if buildah run --env "CHARTD_LISTEN=127.0.0.1:$port" "$container" -- "${healthcheck[@]}" >"$work/health.out" 2>&1; then
	die "the health check passes with nobody there"
fi
say "health check with nobody there" "fails, as it should"

mkdir -p "$work/etc"
cat >"$work/etc/chartd.yaml" <<'YAML'
charts:
  mounted:
    title: From a mounted file
    kind: line
    series:
      - {metric: temp}
YAML
chmod -R a+rX "$work/etc"
chmod 711 "$work"
serve mounted --volume "$work/etc:/etc/chartd:ro"
charts=$(curl -fsS "http://127.0.0.1:$port/api/v1/charts")
grep -q '"mounted"' <<<"$charts" || die "the mounted configuration is not used: $charts"
say "configuration by mount"
stop

cp "$work/etc/chartd.yaml" "$work/etc/other.yaml"
sed -i 's/mounted:/named:/' "$work/etc/other.yaml"
chmod a+r "$work/etc/other.yaml"
serve named --volume "$work/etc:/config:ro" --env CHARTD_CONFIG=/config/other.yaml
charts=$(curl -fsS "http://127.0.0.1:$port/api/v1/charts")
grep -q '"named"' <<<"$charts" || die "CHARTD_CONFIG is not used: $charts"
say "configuration by environment"
stop

if [ -n "${KEEP:-}" ]; then
	buildah push -q "chartd:$version" "docker-archive:$KEEP:chartd:$version" >>"$log" 2>&1
	say "saved" "$KEEP"
fi
echo "image.sh: the image holds"
