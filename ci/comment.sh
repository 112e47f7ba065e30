#!/usr/bin/env bash
# Writes the comment on a pull request once, and brings it up to date afterwards: it is found by its first line.
set -euo pipefail

[ -s "$COMMENT" ] || { echo "there is no report to comment"; exit 0; }
marker='<!-- lockkeeper-check -->'
comments="repos/$REPOSITORY/issues/$NUMBER/comments"
# Only a comment that begins with the marker: a person may quote it.
id=$(gh api --paginate "$comments" --jq ".[] | select(.body | startswith(\"$marker\")) | .id" | head -n 1)
if [ -n "$id" ]; then
  gh api --method PATCH "repos/$REPOSITORY/issues/comments/$id" --field "body=@$COMMENT" --silent
  echo "comment $id is up to date"
else
  gh api --method POST "$comments" --field "body=@$COMMENT" --silent
  echo "comment written"
fi
