//! COMMIT and ROLLBACK in blocks, procedures and functions, and where the server refuses them.

use super::{failures, found_in, runs};
use crate::framework::Transaction::{Autocommit, Implicit, Wrapped};

const HISTORY: &str = "CREATE TABLE users (id bigint PRIMARY KEY, n int);
    CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN UPDATE users SET n = 1; COMMIT; END $$;
    CREATE PROCEDURE outer_fill() LANGUAGE plpgsql AS $$ BEGIN CALL fill(); END $$;
    CREATE PROCEDURE guarded() LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN COMMIT; END $$;
    CREATE PROCEDURE settled() LANGUAGE plpgsql SET search_path = public AS $$ BEGIN ROLLBACK; END $$;
    CREATE PROCEDURE quiet() LANGUAGE plpgsql AS $$ BEGIN UPDATE users SET n = 1; END $$;
    CREATE FUNCTION wrong() RETURNS int LANGUAGE plpgsql AS $$ BEGIN COMMIT; RETURN 1; END $$;";

const LOOP: &str = "DO $$
DECLARE done int;
BEGIN
  LOOP
    UPDATE users SET n = 1 WHERE id IN (SELECT id FROM users WHERE n IS NULL LIMIT 1000);
    GET DIAGNOSTICS done = ROW_COUNT;
    COMMIT;
    EXIT WHEN done = 0;
  END LOOP;
END $$;";

#[track_caller]
fn refused(text: &str, transaction: crate::framework::Transaction, part: &str) {
    let found = found_in("failing-statement", HISTORY, text, transaction);
    assert!(
        matches!(found.as_slice(), [it] if it.starts_with("it fails: ") && it.contains(part)),
        "{text}: {found:?}"
    );
}

/// 2D000 on 15 for each.
#[test]
fn a_block_does_not_end_the_transaction_around_it() {
    refused(LOOP, Wrapped, "COMMIT in the block is refused while a transaction is open");
    refused(&format!("BEGIN; {LOOP} COMMIT;"), Autocommit, "COMMIT in the block");
    refused(&format!("SELECT 1; {LOOP}"), Implicit, "COMMIT in the block");
    refused("DO $$ BEGIN FOR i IN 1..3 LOOP ROLLBACK; END LOOP; END $$;", Wrapped, "ROLLBACK in the block");
    refused("DO $$ BEGIN CALL fill(); END $$;", Wrapped, "fill, which ends the transaction,");
    runs(HISTORY, LOOP);
    assert_eq!(found_in("failing-statement", HISTORY, LOOP, Implicit), Vec::<String>::new());
}

#[test]
fn a_procedure_ends_no_transaction_around_its_call() {
    refused("CALL fill();", Wrapped, "fill ends the transaction, which is refused while one is open");
    refused("CALL outer_fill();", Wrapped, "outer_fill ends the transaction");
    refused("BEGIN; CALL public.fill(); COMMIT;", Autocommit, "fill ends the transaction");
    refused("CALL guarded();", Autocommit, "with SECURITY DEFINER or SET");
    refused("CALL settled();", Autocommit, "with SECURITY DEFINER or SET");
    refused("SELECT wrong();", Autocommit, "the function wrong ends the transaction");
    runs(HISTORY, "CALL fill(); CALL outer_fill(); CALL quiet();");
    assert_eq!(found_in("failing-statement", HISTORY, "CALL quiet();", Wrapped), Vec::<String>::new());
}

/// What a condition leads to may never run, and a handler may take the error (both ran on 15).
#[test]
fn what_may_not_run_is_no_danger() {
    let may = |text: &str| found_in("failing-statement", HISTORY, text, Wrapped).concat();
    let conditional = may("DO $$ BEGIN IF false THEN COMMIT; END IF; END $$;");
    assert!(conditional.starts_with("it fails where it comes to it: COMMIT"), "{conditional}");
    let returned = may("DO $$ BEGIN IF NOT EXISTS (SELECT FROM users) THEN RETURN; END IF; COMMIT; END $$;");
    assert!(returned.starts_with("it fails where it comes to it: COMMIT"), "{returned}");
    let handled = may("DO $$ BEGIN BEGIN COMMIT; EXCEPTION WHEN others THEN RAISE NOTICE 'no'; END; END $$;");
    assert!(!handled.starts_with("it fails: "), "{handled}");
    assert_eq!(may("DO $$ BEGIN UPDATE users SET n = CASE WHEN n = 1 THEN 2 END; END $$;"), "");
    assert_eq!(failures(HISTORY, "DO $$ BEGIN IF true THEN COMMIT; END IF; END $$;"), Vec::<String>::new());
}
