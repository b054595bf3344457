#!/usr/bin/env bash
# Takes the pictures of the README, in light and in dark: the gallery of this machine, one chart of each kind, a chart under a hand, the wall.
#
#   scripts/pictures.sh [DIRECTORY]
#
# It serves for two and a half minutes first, so that the charts are full. Look at the pictures before you keep them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/tools.sh
to=$(realpath "${1:-docs}")
need_go
have curl || apt_install curl
have chromium || apt_install chromium
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

go build -o "$work/chartd" ./cmd/chartd
# serve NAME ADDRESS [FLAG…]
serve() {
	"$work/chartd" serve --listen "$2" "${@:3}" >"$work/$1.log" 2>&1 &
	pids+=($!)
	for _ in $(seq 100); do
		curl -fs -m 1 "http://$2/readyz" >/dev/null && return
		sleep 0.1
	done
	cat "$work/$1.log" >&2
	die "chartd did not start"
}
serve gallery localhost:18070
serve kinds localhost:18071 --config configs/examples/kinds.yaml
sleep "${WAIT:-150}"

CHARTD_GALLERY=http://localhost:18070/ CHARTD_KINDS=http://localhost:18071/ go test ./docs -count=1 -run TestPictures -pictures "$to"
ls -l "$to"/*.png
