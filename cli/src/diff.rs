//! Unified diffs, as `git apply` and `patch` take them.

use similar::TextDiff;

/// The diff of a file; `before` is `None` where it is new, `after` where it goes.
pub fn unified(path: &str, before: Option<&str>, after: Option<&str>) -> String {
    let head =
        |side: &str, text: Option<&str>| text.map_or("/dev/null".to_owned(), |_| format!("{side}/{path}"));
    let diff = TextDiff::from_lines(before.unwrap_or_default(), after.unwrap_or_default());
    diff.unified_diff().header(&head("a", before), &head("b", after)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_and_new_files_have_their_heads() {
        assert_eq!(
            unified("db/1.sql", Some("a\nb\n"), Some("a\nc\n")),
            "--- a/db/1.sql\n+++ b/db/1.sql\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
        );
        assert_eq!(
            unified("db/2.sql", None, Some("x\n")),
            "--- /dev/null\n+++ b/db/2.sql\n@@ -0,0 +1 @@\n+x\n"
        );
    }

    /// Else `git apply` would add the line break that was never there.
    #[test]
    fn a_missing_line_break_at_the_end_is_said() {
        let diff = unified("1.sql", Some("a"), Some("b\n"));
        assert!(diff.contains("-a\n\\ No newline at end of file\n+b\n"), "{diff}");
    }
}
