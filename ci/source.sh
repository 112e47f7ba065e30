#!/usr/bin/env bash
# Says where the built program is kept, and a digest of all that it is built from.
set -euo pipefail
cd "$(dirname "$0")/.."
digest=$(find Cargo.toml Cargo.lock core root project database approval lsp mcp-server cli -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
{
  echo "folder=${RUNNER_TOOL_CACHE:-${HOME}/.cache}/lockkeeper"
  echo "digest=${digest%% *}"
} >> "$GITHUB_OUTPUT"
