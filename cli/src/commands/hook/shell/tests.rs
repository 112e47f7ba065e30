//! Texts of shells and what is read of them.

use super::*;

/// Each command in one line, an open word with `…` at the end of what is known.
fn shown(text: &str) -> Vec<String> {
    let script = read(text);
    let word = |it: &Word| it.known().map_or_else(|| format!("{}…", it.start()), str::to_owned);
    let mut lines: Vec<String> = script
        .commands
        .iter()
        .map(|command| {
            let mut parts: Vec<String> =
                command.assignments.iter().map(|(name, value)| format!("{name}={}", word(value))).collect();
            parts.extend(command.words.iter().map(word));
            parts.extend(command.outputs.iter().map(|it| format!(">{}", word(it))));
            match &command.input {
                Input::Inherited => {}
                Input::Text(text) => parts.push(format!("<<{}", word(text).replace('\n', "/"))),
                Input::File(file) => parts.push(format!("<{}", word(file))),
                Input::Command(index) => parts.push(format!("|{index}")),
                Input::Group => parts.push("|()".to_owned()),
            }
            parts.join(" ")
        })
        .collect();
    lines.extend(script.problem.map(|it| format!("! {it}")));
    lines
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(shown(text), expected, "{text}");
}

#[test]
fn commands_are_divided() {
    check("a && b || c; d & e\nf", &["a", "b", "c", "d", "e", "f"]);
    check("cat a | psql -q | less", &["cat a", "psql -q |0", "less |1"]);
    check("(a; b) | c", &["a", "b", "c |()"]);
    check("if a; then b; else c; fi", &["a", "b", "c"]);
    check("for f in *.sql; do psql -f \"$f\"; done", &["psql -f …"]);
    check("while read -r x; do echo $x; done < in > out", &["read -r x", "echo …", ">out <in"]);
    check("f() { rm x; }; f", &["rm x", "f"]);
    check("a # rm x\n# b\nc", &["a", "c"]);
    check("a \\\n  b", &["a b"]);
    check("[[ $a < b && -n $(c) ]] && d", &["c", "d"]);
    check("[ -f x ] && (( n = 1 + (2) )) && d", &["[ -f x ]", "d"]);
}

#[test]
fn words_lose_their_quotes_and_stay_open_where_they_are() {
    check("echo 'a; b' \"c && d\" e\\ f", &["echo a; b c && d e f"]);
    check("p\"sq\"'l' -c x", &["psql -c x"]);
    check("psql -c \"$SQL\" x$y/z *.sql", &["psql -c … x… …"]);
    check("A=1 B=$x env", &["A=1 B=… env"]);
    check("X=(a b) ; y", &["X=…", "y"]);
    check("echo $'a\\nb' $((1 + 2)) ${x:-$(rm y)}", &["rm y", "echo a/b … …".replace('/', "\n").as_str()]);
    check("rm {a,b}/c find {} HEAD@{1}", &["rm … find {} HEAD@{1}"]);
}

#[test]
fn substitutions_are_read_too() {
    check("echo $(rm `cat x`) <(ls)", &["cat x", "rm …", "ls", "echo … …"]);
    let commit = "git commit -m \"$(cat <<'EOF'\nDROP TABLE (x\nit's `rm y`\nEOF\n)\"\nls";
    check(commit, &["cat <<DROP TABLE (x/it's `rm y`/", "git commit -m …", "ls"]);
    check("cat <<EOF > a\n$(rm x)\nEOF\nb", &["cat >a <<…", "rm x", "b"]);
    check("cat <<-A <<'B'\n\ta\n\tA\nb $x\nB\n", &["cat <<b $x/"]);
    check("psql <<< \"DROP\"", &["psql <<DROP"]);
}

#[test]
fn redirections_go_to_files_or_streams() {
    check("a > b 2>&1 2>>c &>d 3<>e", &["a >b >c >d >e"]);
    check("a 2> /dev/null >&2", &["a >/dev/null"]);
}

#[test]
fn what_cannot_be_read_is_said() {
    for text in ["echo 'a", "echo \"a", "$(a", "a)", "case x in a) b;; esac", "`a", "${a"] {
        assert!(read(text).problem.is_some(), "{text}");
    }
    assert!(read(&"$(".repeat(100_000)).problem.is_some());
    assert!(read(&"(".repeat(100_000)).problem.is_some());
    assert!(read(&"\"$(".repeat(60_000)).problem.is_some());
    assert!(read(&"${a:-".repeat(40_000)).problem.is_some());
}

/// Any bytes give an answer: each start of each of these texts.
#[test]
fn every_start_of_a_text_is_read() {
    let texts = [
        "git commit -m \"$(cat <<'EOF'\nDROP (x\nEOF\n)\" && (a | b) > c; for x in ${y:-`d`}; do [[ $x ]]; done",
        "A=(1 2) $'x\\'' <(a) {b,c} ~/d $((1)) << E\n$(f)\nE\n",
    ];
    for text in texts {
        for end in text.char_indices().map(|(at, _)| at) {
            read(&text[..end]);
        }
    }
}
