//! Triggers that give a column its value.

use crate::catalog::Catalog;
use crate::catalog::filling::Place;
use crate::check::{Part, replay};
use crate::dialect::{Dialect, Name, Target};
use crate::framework::Transaction;
use crate::text::Span;

#[track_caller]
fn is_filled(body: &str, column: &str) -> bool {
    let sql = format!(
        "CREATE TABLE t (a int, b int, \"C c\" int);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $x$ BEGIN {body} RETURN NEW; END $x$;
         CREATE TRIGGER t BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();"
    );
    let mut catalog = Catalog::empty(Dialect::Postgres);
    let part = Part { text: &sql, span: Span::new(0, sql.len()), transaction: Transaction::Autocommit };
    replay(part, &Target::default(), &mut catalog);
    let table = catalog.resolve(&Name::new("t"));
    Place::of(&catalog, &table, column).expect("is there").is_filled()
}

#[test]
fn triggers_fill_what_they_assign() {
    assert!(is_filled("IF x THEN NEW.b := NEW.a; ELSE NEW.a := NEW.b; END IF;", "b"));
    assert!(is_filled("NEW.\"C c\" := 5;", "C c"));
    assert!(is_filled("SELECT a INTO NEW.b FROM u;", "b"));
    assert!(!is_filled("NEW.b := NEW.a;", "a"));
    assert!(!is_filled("IF NEW.a = 5 THEN NEW.b := 3; END IF;", "a"));
}
