#!/usr/bin/env bash
# Prints what the changelog says of a version: ci/changelog.sh 0.1.0
set -euo pipefail
version=${1:?name a version}
section=$(awk -v wanted="## $version" '$0 == wanted { inside = 1; next } /^## / { inside = 0 } inside' "$(dirname "$0")/../CHANGELOG.md")
if [ -z "${section//[[:space:]]/}" ]; then
  echo "CHANGELOG.md has no section \`## $version\`, or nothing in it" >&2
  exit 1
fi
echo "$section"
