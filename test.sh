#!/usr/bin/env bash
# Everything that is checked before a change lands. On a Debian machine it installs what it needs: see scripts/tools.sh.
#
#   ./test.sh            what CI does: all but siege, race and long, in less than a quarter of an hour
#   ./test.sh lint       go.mod, golangci-lint, file lengths
#   ./test.sh page       chartd.js: type check and node's tests
#   ./test.sh fuzz       every FuzzXxx for a few seconds, as far as FUZZ_BUDGET reaches
#   ./test.sh unit       Go tests, but for those below
#   ./test.sh siege      attacks and failures, while somebody watches: nothing else runs meanwhile
#   ./test.sh browser    Go tests that drive Chromium
#   ./test.sh race       with the race detector what unit, browser and siege run without
#   ./test.sh long       what those leave out because it takes half a minute each: pages that are left open
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. scripts/tools.sh

FUZZ_BUDGET=${FUZZ_BUDGET:-60} # seconds for all fuzz targets together, their builds included
TIME_LIMIT=${TIME_LIMIT:-780}   # seconds after which `all` begins nothing that only looks for the unknown
MAX_LINES=400                  # a Go file longer than this draws a warning
TEST_TIMEOUT=${TEST_TIMEOUT:-8m}
linter_pid=
packages_pid= # a package manager is not killed half-way: it is waited for
work=$(mktemp -d)
trap '[ -z "$packages_pid" ] || wait "$packages_pid" || true; rm -rf "$work"; [ -z "$linter_pid" ] || kill -- "-$linter_pid" 2>/dev/null || true' EXIT

# stage NAME COMMAND… runs one step, says how long it took, and stops everything when it does not hold.
stage() {
	local name=$1 start=$SECONDS
	shift
	printf '\n== %s\n' "$name"
	if ! "$@"; then
		die "$name does not hold (after $((SECONDS - start)) s)"
	fi
	printf '== %s: holds, %d s\n' "$name" $((SECONDS - start))
}

# Modules of their own below this one, such as bench: `./...` does not reach them.
nested_modules() {
	git ls-files -co --exclude-standard '*/go.mod' | xargs -r -n1 dirname
}

# test_files prints this module's tests.
test_files() {
	local pattern
	pattern=$(nested_modules | sed 's#.*#^&/#')
	git ls-files -co --exclude-standard '*_test.go' | grep -vE "${pattern:-^$}"
}

module() {
	go mod tidy -diff && go mod verify && go build ./...
}

vet() {
	local m
	go vet ./... || return 1
	for m in $(nested_modules); do
		(cd "$m" && go mod tidy -diff && go vet ./...) || { echo "in $m"; return 1; }
	done
}

# Servers, a browser and node are installed while Go builds: that mostly waits for the network.
packages_start() {
	set -m
	(install servers browser node) >"$work/packages" 2>&1 </dev/null &
	packages_pid=$!
	set +m
}

packages() {
	local ok=true
	wait "$packages_pid" || ok=false
	packages_pid=
	cat "$work/packages"
	$ok
}

# The linter is built in the background from the start, so that other stages hide the minutes that takes.
linter_start() {
	set -m # a process group of its own, so that the trap ends the whole build
	golangci_lint >"$work/linter" 2>"$work/linter.log" </dev/null &
	linter_pid=$!
	set +m
}

lint() {
	wait "$linter_pid" || { cat "$work/linter.log" >&2; return 1; }
	local linter
	linter=$(cat "$work/linter")
	"$linter" config verify && "$linter" run ./... || return 1
	git ls-files -co --exclude-standard '*.go' | while read -r f; do
		[ -f "$f" ] || continue
		n=$(wc -l <"$f")
		[ "$n" -le "$MAX_LINES" ] || echo "warning: $f has $n lines; one idea a file, $MAX_LINES at most"
	done
}

page() {
	local tsc tests
	tsc=$(typescript_compiler) || return 1
	"$tsc" -p web || return 1
	echo "tsc: nothing to say"
	mapfile -t tests < <(git ls-files -co --exclude-standard web | grep -E '[._]test\.m?js$')
	[ "${#tests[@]}" -gt 0 ] || { echo "no test of the page found under web/"; return 1; }
	node --test --test-reporter=spec "${tests[@]}"
}

# fuzz finds each FuzzXxx by itself and runs one after the other for a few seconds until the budget is spent, each day from another one on:
# tests have run all known inputs already. A crash leaves its input under testdata/fuzz.
fuzz() {
	local targets each line dir name from i ran=0 log=$work/fuzz.log end=$((SECONDS + FUZZ_BUDGET))
	mapfile -t targets < <(test_files | xargs grep -oHE '^func Fuzz[A-Za-z0-9_]+\(f \*testing\.F\)' |
		sed -E 's#/[^/]+_test\.go:func # #; s#\(.*##' | sort -u)
	[ "${#targets[@]}" -gt 0 ] || { echo "no fuzz target found"; return 1; }
	each=$((FUZZ_BUDGET / ${#targets[@]}))
	[ "$each" -ge 2 ] || each=2
	from=$((10#$(date -u +%j) * 7 % ${#targets[@]}))
	echo "${#targets[@]} targets, $each s each, from number $from on"
	for i in "${!targets[@]}"; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "$FUZZ_BUDGET s are over: $((${#targets[@]} - ran)) targets were not run today; FUZZ_BUDGET=600 ./test.sh fuzz runs all"
			return 0
		fi
		ran=$((ran + 1))
		line=${targets[(from + i) % ${#targets[@]}]}
		read -r dir name <<<"$line"
		if timeout $((end - SECONDS + 20)) go test -run='^$' -fuzz="^$name\$" -fuzztime="${each}s" -fuzzminimizetime=2s -parallel=2 "./$dir" >"$log" 2>&1; then
			printf '%-40s %s\n' "$dir $name" "$(grep -oE 'execs: [0-9]+' "$log" | tail -n 1 | grep . || echo 'the known inputs only')"
		elif [ "$SECONDS" -ge $((end + 20)) ]; then
			printf '%-40s %s\n' "$dir $name" "was not built, or begun, in time"
		elif grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input written' "$log"; then
			# The fuzzer's own end of time fell into a run: no input failed.
			printf '%-40s %s\n' "$dir $name" "stopped by its deadline, no failing input"
		else
			cat "$log"
			return 1
		fi
	done
}

# summary keeps of `go test -v` one line a package, what was skipped and why, and all that a failed package said.
summary() {
	awk '
		/^=== (RUN|PAUSE|CONT|NAME)/ { said = ""; next }
		/^(ok|\?|FAIL)[ \t]+[^ \t]/ {
			printf "%s", $1 == "FAIL" ? buf : skips
			print; fflush(); buf = skips = said = ""; next
		}
		/^ *--- SKIP/ { skips = skips $0 "\n" said; said = ""; skipped++; next }
		/^ *--- PASS/ { said = ""; passed++; next }
		/^ *--- FAIL/ { said = ""; failed++ }
		/^ +/ { said = said $0 "\n" }
		{ buf = buf $0 "\n" }
		END {
			printf "%s", buf
			printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
		}'
}

go_test() {
	go test ${race--race} -count=1 -timeout "$TEST_TIMEOUT" -v "$@" 2>&1 | summary
}

# Packages whose tests drive Chromium.
browser_packages() {
	test_files | xargs grep -l 'chromedp/chromedp"' | xargs -n1 dirname | sort -u | sed 's#^#./#'
}

# Packages whose tests count allocations, which the race detector changes; and one
# whose tests compute, for six times as long with it: those of ticker, session and
# server draw with it under its eyes.
PLAIN='./test/ingest
./pkg/plotting'

SIEGE='./test/attack
./test/failure'

# units prints the packages whose tests need neither a browser nor to be alone: of those with a database's driver in them, all or none. To
# build drivers and brokers anew with the race detector takes longer than all tests.
units() {
	go list -test -f '{{if .ForTest}}{{.ForTest}} {{join .Deps " "}}{{end}}' ./... | awk -v want="$1" '
		{ drivers[$1] = drivers[$1] || / modernc.org\/sqlite /; seen[$1] = 1 }
		END { for (p in seen) if (drivers[p] == (want == "drivers")) print p }' |
		sed 's#^github.com/chartd/chartd#.#' | grep -vxF "$(browser_packages)
$SIEGE
$PLAIN" | sort
}

unit() {
	# shellcheck disable=SC2046
	go_test $(units light) && race= go_test $PLAIN $(units drivers)
}

# race_all runs with the race detector what unit, browser and siege run without.
race_all() {
	# shellcheck disable=SC2046,SC2086
	go_test ./pkg/plotting $(units drivers) && go_test -p 1 $(browser_packages) $SIEGE
}

# siege judges by the ticks that a bystander misses: of chartd as people run it, so without the race detector.
siege() {
	# shellcheck disable=SC2086
	race= go_test -p 1 $SIEGE
}

browser() {
	typescript_compiler >/dev/null || return 1 # and with it the frameworks and axe-core
	# shellcheck disable=SC2046
	race= go_test -p 1 $(browser_packages)
}

# long runs what takes half a minute a test: pages that are left open.
long() {
	CHARTD_LONG=1 go_test -run 'TestSoak|TestWallSurvives|TestPOSTToPixels' ./test/browser
}

install() {
	need_go
	go version
	local want=() a
	for a in "$@"; do
		case $a in
		race) have gcc || want+=(gcc libc6-dev) ;;
		browser)
			have chromium || have chromium-browser || have google-chrome || want+=(chromium)
			[ -d /usr/share/fonts/truetype/liberation ] || [ -d /usr/share/fonts/truetype/liberation2 ] || want+=(fonts-liberation)
			;;
		servers) # that test/sources starts
			have prometheus || want+=(prometheus)
			have prometheus-node-exporter || want+=(prometheus-node-exporter)
			have postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || want+=(postgresql)
			have pgbouncer || [ -x /usr/sbin/pgbouncer ] || want+=(pgbouncer)
			have mariadbd || [ -x /usr/sbin/mariadbd ] || want+=(mariadb-server)
			{ have mosquitto || [ -x /usr/sbin/mosquitto ]; } && have mosquitto_pub || want+=(mosquitto mosquitto-clients)
			have redis-server && have redis-cli || want+=(redis-server redis-tools)
			# Programs whose lines the sources exec and file read.
			have vmstat || want+=(procps)
			have ping || want+=(iputils-ping)
			have iostat || want+=(sysstat)
			have logrotate || [ -x /usr/sbin/logrotate ] || want+=(logrotate)
			;;
		node)
			have node || want+=(nodejs)
			have npm || want+=(npm)
			;;
		esac
	done
	[ "${#want[@]}" -eq 0 ] || apt_install "${want[@]}"
}

case ${1:-all} in
lint)
	stage install install
	linter_start
	stage module module
	stage lint lint
	;;
page)
	stage install install node
	stage page page
	;;
fuzz)
	stage install install
	stage fuzz fuzz
	;;
unit)
	stage install install race servers node
	stage unit unit
	;;
siege)
	stage install install race
	stage siege siege
	;;
browser)
	stage install install race browser node
	stage browser browser
	;;
race)
	stage install install race servers browser node
	stage race race_all
	;;
long)
	stage install install race browser node
	stage long long
	;;
all)
	stage compiler install race
	packages_start
	linter_start
	stage module module
	stage vet vet
	stage packages packages
	stage page page
	stage lint lint
	stage unit unit
	stage browser browser
	if [ $((SECONDS + FUZZ_BUDGET)) -lt "$TIME_LIMIT" ]; then
		stage fuzz fuzz
	else
		printf '\nfuzz: left out, after %d s; its known inputs were run by unit\n' "$SECONDS"
	fi
	printf '\ntest.sh: everything holds, %d s\n' "$SECONDS"
	;;
*)
	die "unknown stage \"$1\"; want all, lint, page, fuzz, unit, siege, browser, race or long"
	;;
esac
