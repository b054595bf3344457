#!/usr/bin/env bash
# Takes the pictures of the README: the gallery of this machine and one chart of each kind, in light and in dark.
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
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || die "Chromium is missing"
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

# shoot NAME URL HEIGHT THEME: blink counts dark as 0 and light as 1.
shoot() {
	local flags=(--headless --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync
		--hide-scrollbars "--user-data-dir=$work/profile-$1-$4" "--window-size=1280,$3" --virtual-time-budget=6000)
	[ "$(id -u)" -ne 0 ] || flags+=(--no-sandbox)
	[ "$4" = dark ] && flags+=(--blink-settings=preferredColorScheme=0) || flags+=(--blink-settings=preferredColorScheme=1)
	"$browser" "${flags[@]}" "--screenshot=$to/$1-$4.png" "$2" >"$work/browser.log" 2>&1 || { cat "$work/browser.log" >&2; die "no picture $1-$4"; }
}
for theme in light dark; do
	shoot gallery http://localhost:18070/ "${GALLERY_HEIGHT:-1870}" "$theme"
	shoot kinds http://localhost:18071/ "${KINDS_HEIGHT:-1870}" "$theme"
done
ls -l "$to"/*.png
