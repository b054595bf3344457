#!/usr/bin/env bash
# Packs the page's code for npm: the modules as they are served, and their types, which are made from the JSDoc here.
#
#   scripts/npm.sh [VERSION [FOLDER]]      writes chartd-VERSION.tgz and says where it is
#
# The version is the release's own, as of the image and the program: an argument, or what git says. The clone is not written to.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/tools.sh

version=${1:-$(git describe --tags 2>/dev/null || true)}
version=${version#v}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9] ]] || version=0.0.0
target=$(cd "${2:-.}" && pwd)
typescript_compiler >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r web/package.json web/tsconfig.json web/tsconfig.pack.json web/README.md web/static web/types "$work"
ln -s "$PWD/web/node_modules" "$work/node_modules"
cd "$work"
npm pkg set version="$version" --loglevel=error
file=$(npm pack --silent --pack-destination "$target" | tail -n 1)
echo "$target/$file"
