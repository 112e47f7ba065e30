//! The job for the CI that a project has.

use lockkeeper_project::Project;

use super::hook::{text, with_line_break};
use super::proposal::Proposal;

const GITLAB: &str = ".gitlab-ci.yml";

/// Lockkeeper is built from its repository, whose address a variable of the CI holds: no registry has it yet.
const GITHUB_JOB: &str = "\
# The variable LOCKKEEPER_GIT holds the address of Lockkeeper's repository: Settings, Secrets and variables, Actions, Variables.
name: lockkeeper
on: [pull_request]
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: { fetch-depth: 0 }
      - name: Install Lockkeeper
        run: cargo install --locked --git \"$LOCKKEEPER_GIT\" lockkeeper
        env:
          LOCKKEEPER_GIT: ${{ vars.LOCKKEEPER_GIT }}
      - name: Check the migrations of this pull request
        run: lockkeeper check --since \"origin/$BASE\" --format github
        env:
          BASE: ${{ github.base_ref }}
";

const GITLAB_JOB: &str = "
# The variable LOCKKEEPER_GIT holds the address of Lockkeeper's repository: Settings, CI/CD, Variables.
lockkeeper:
  stage: test
  image: rust:1
  rules:
    - if: $CI_PIPELINE_SOURCE == \"merge_request_event\"
  variables:
    GIT_DEPTH: 0
  script:
    - cargo install --locked --git \"$LOCKKEEPER_GIT\" lockkeeper
    - git fetch origin \"$CI_MERGE_REQUEST_TARGET_BRANCH_NAME\"
    - lockkeeper check --since FETCH_HEAD --format gitlab > gl-code-quality-report.json
  artifacts:
    when: always
    reports:
      codequality: gl-code-quality-report.json
";

pub fn proposals(project: &Project) -> Vec<Proposal> {
    let mut found = Vec::new();
    if project.root.join(".github").is_dir() {
        let about = "annotates pull requests";
        let path = ".github/workflows/lockkeeper.yml";
        found.push(Proposal::new_file(project, path, GITHUB_JOB.to_owned(), about));
    }
    found.extend(text(project, GITLAB).map(gitlab));
    found
}

fn gitlab(before: String) -> Proposal {
    let has_job = before.lines().any(|line| line.starts_with("lockkeeper:"));
    let has_stage = !before.lines().any(|line| line.starts_with("stages:")) || before.contains("test");
    match (has_job, has_stage) {
        (true, _) => Proposal::left(GITLAB, "has the job already"),
        (false, false) => Proposal::left(
            GITLAB,
            format!("has stages of its own; add this with one of them:\n{}", GITLAB_JOB.trim_start()),
        ),
        (false, true) => {
            let after = format!("{}{GITLAB_JOB}", with_line_break(&before));
            Proposal::changed(GITLAB, before, after, "reports to merge requests")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_added_once_and_only_with_its_stage() {
        let after = gitlab("build:\n  script: make\n".to_owned()).after.expect("is extended");
        assert!(after.starts_with("build:\n  script: make\n\n# The variable"), "{after}");
        assert_eq!(gitlab(after).after, None);
        assert_eq!(gitlab("stages: [build, ship]\n".to_owned()).after, None);
    }
}
