//! `cargo xtask new-rule group/id`: the two sibling files of a rule, ready to be filled in.

use crate::shell::root;
use anyhow::{Context, Result, bail};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::str::FromStr;

/// A rule as it is asked for: `locking/blocking-index-build`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleName {
    group: String,
    id: String,
}

impl FromStr for RuleName {
    type Err = String;

    fn from_str(text: &str) -> Result<RuleName, String> {
        let expected = "a rule is named group/id in kebab-case, like locking/blocking-index-build";
        let Some((group, id)) = text.split_once('/') else {
            return Err(expected.to_owned());
        };
        if ![group, id].into_iter().all(is_kebab_case) {
            return Err(expected.to_owned());
        }
        if ["require-", "ban-", "no-"].iter().any(|prefix| id.starts_with(prefix)) {
            return Err("name the danger, readable after \"allow ...\": blocking-index-build, not require-x"
                .to_owned());
        }
        Ok(RuleName { group: group.to_owned(), id: id.to_owned() })
    }
}

/// Writes the files; overwrites nothing.
pub fn run(rule: &RuleName) -> Result<()> {
    write(&root().join("core/src/hazards"), rule)?;
    let module = rule.module();
    eprintln!("Now add `mod {module};` and `&{module}::RULE` in core/src/hazards, in documentation order.");
    Ok(())
}

fn write(hazards: &Path, rule: &RuleName) -> Result<()> {
    let folder = hazards.join(rule.group.replace('-', "_"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (extension, text) in [("rs", rule.code()), ("md", rule.page())] {
        let path = folder.join(rule.module()).with_extension(extension);
        if path.exists() {
            bail!("{} is there already", path.display());
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        file.write_all(text.as_bytes())?;
        eprintln!("wrote {}", path.display());
    }
    Ok(())
}

impl RuleName {
    fn module(&self) -> String {
        self.id.replace('-', "_")
    }

    fn title(&self) -> String {
        let words = self.id.replace('-', " ");
        words[..1].to_uppercase() + &words[1..]
    }

    fn code(&self) -> String {
        CODE.replace("{id}", &self.id).replace("{module}", &self.module()).replace("{title}", &self.title())
    }

    fn page(&self) -> String {
        PAGE.replace("{title}", &self.title())
    }
}

fn is_kebab_case(text: &str) -> bool {
    text.split('-')
        .all(|word| !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit()))
}

const CODE: &str = r#"//! {title}: say in one sentence what is dangerous.

pub(crate) static RULE: Rule = Rule {
    id: "{id}",
    severity: Severity::Danger,
    dialects: &[Dialect::Postgres],
    page: include_str!("{module}.md"),
    trigger: Trigger::Operation(check),
};

fn check(operation: &Operation, ctx: &Context<'_>) -> Option<Hazard> {
    None
}
"#;

const PAGE: &str = "# {title}

One sentence: the consequence.

## Why

## Instead

## Example

```sql postgres
```

```sql postgres fixed
```

## Quiet

```sql postgres
```
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_group_and_danger() {
        for good in ["locking/blocking-index-build", "data-loss/lost-column"] {
            assert!(good.parse::<RuleName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "locking",
            "locking/",
            "/x",
            "../x/y",
            "locking/Blocking",
            "a/b/c",
            "locking/require-x",
            "a/b--c",
        ] {
            assert!(bad.parse::<RuleName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_skeleton_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let rule: RuleName = "locking/blocking-index-build".parse().unwrap();
        write(folder.path(), &rule).unwrap();
        let code = fs::read_to_string(folder.path().join("locking/blocking_index_build.rs")).unwrap();
        assert!(code.starts_with("//! Blocking index build: "), "{code}");
        assert!(code.contains(r#"include_str!("blocking_index_build.md")"#), "{code}");
        let page = fs::read_to_string(folder.path().join("locking/blocking_index_build.md")).unwrap();
        assert!(page.starts_with("# Blocking index build\n"), "{page}");
        assert!(write(folder.path(), &rule).is_err());
    }
}
