#!/usr/bin/env bash
# Checks what is new since the base of a pull request: annotations on standard output, the comment and SARIF into files.
# Ends well whatever is found: the exit code is an output, so that the comment is written before the job fails.
set -euo pipefail

since=${SINCE:-}
if [ -z "$since" ] && [ -n "${BASE_REF:-}" ]; then
  since="origin/$BASE_REF"
  git rev-parse --verify --quiet "$since^{commit}" > /dev/null || git fetch --quiet origin "+refs/heads/$BASE_REF:refs/remotes/origin/$BASE_REF"
fi

arguments=()
# A revision that begins with a dash is one, and no option.
if [ -n "$since" ]; then arguments+=("--since=$since"); fi
# The words of an input: split at spaces, and nothing in them is expanded.
read -r -a more <<< "${ARGUMENTS:-}"

code=0
lockkeeper check "${arguments[@]}" "${more[@]}" --format github || code=$?
# What could not be checked at all has no report: the message is on standard error.
if [ "$code" -ne 2 ] && [ "$code" -ne 3 ]; then
  if [ -n "${COMMENT:-}" ]; then lockkeeper check "${arguments[@]}" "${more[@]}" --format markdown > "$COMMENT" || true; fi
  if [ -n "${SARIF:-}" ]; then lockkeeper check "${arguments[@]}" "${more[@]}" --format sarif > "$SARIF" || true; fi
fi
echo "exit-code=$code" >> "${GITHUB_OUTPUT:-/dev/stdout}"
