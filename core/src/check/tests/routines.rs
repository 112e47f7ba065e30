//! Routines are told apart by what they take (42883, 42725, 42809 and 42723 on 15).

use super::{fails, runs};

const ONE: &str = "CREATE FUNCTION soft_name(s text) RETURNS text LANGUAGE sql AS $$ SELECT s $$;";
const TWO: &str = "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1';";

#[test]
fn a_routine_with_other_arguments_is_another() {
    fails(ONE, "DROP FUNCTION soft_name();", "the function soft_name() does not exist; soft_name(text) does");
    fails(
        ONE,
        "DROP FUNCTION soft_name(varchar);",
        "the function soft_name(character varying) does not exist; soft_name(text) does",
    );
    fails(
        ONE,
        "ALTER FUNCTION soft_name(int) RENAME TO x;",
        "the function soft_name(integer) does not exist; soft_name(text) does",
    );
    fails(ONE, "DROP FUNCTION other();", "the function other() does not exist");
    runs(ONE, "DROP FUNCTION IF EXISTS soft_name();");
    runs(ONE, "DROP FUNCTION soft_name(s text);");
    runs(ONE, "DROP FUNCTION public.soft_name;");
    runs(ONE, "ALTER FUNCTION soft_name(text) STABLE;");
}

#[test]
fn a_name_of_several_needs_its_arguments() {
    fails(TWO, "DROP FUNCTION f;", "there are 2 of the name f: state the arguments");
    fails(TWO, "DROP FUNCTION f(bigint);", "the function f(bigint) does not exist; f(integer), f(text) does");
    runs(TWO, "DROP FUNCTION f(int4); DROP FUNCTION f;");
}

#[test]
fn a_function_is_no_procedure() {
    fails(ONE, "DROP PROCEDURE soft_name(text);", "soft_name(text) is a function, no procedure");
    runs(ONE, "DROP ROUTINE soft_name(text);");
    fails(
        "CREATE PROCEDURE p() LANGUAGE sql AS '';",
        "DROP FUNCTION p();",
        "p() is a procedure, no function",
    );
}

#[test]
fn a_routine_is_made_once() {
    fails(
        ONE,
        "CREATE FUNCTION soft_name(x text) RETURNS text LANGUAGE sql AS 'SELECT 1';",
        "the function soft_name(text) is there already",
    );
    runs(ONE, "CREATE FUNCTION soft_name(int) RETURNS text LANGUAGE sql AS 'SELECT 1';");
    runs(ONE, "CREATE OR REPLACE FUNCTION soft_name(s text) RETURNS text LANGUAGE sql AS 'SELECT 1';");
}

/// Modifiers, defaults, names and values that only come out tell none from another; what cannot be read is not certain.
#[test]
fn arguments_are_compared_as_the_server_does() {
    let spelled = "CREATE FUNCTION f(a varchar(10), IN b double precision DEFAULT 1, VARIADIC c text[] DEFAULT '{}', OUT d int) LANGUAGE sql AS 'SELECT 1';";
    runs(spelled, "DROP FUNCTION f(character varying, float8, text[]);");
    let typed =
        "CREATE TABLE t (a int); CREATE FUNCTION f(a t.a%TYPE) RETURNS int LANGUAGE sql AS 'SELECT 1';";
    runs(typed, "DROP FUNCTION f(int);");
    runs("CREATE EXTENSION citext;", "DROP FUNCTION citext_smaller(citext, citext);");
    runs(
        "CREATE SCHEMA s; CREATE FUNCTION s.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "DROP FUNCTION s.f(int);",
    );
}
