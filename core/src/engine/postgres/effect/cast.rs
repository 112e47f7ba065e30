//! Which types can stand in for which: catalog-only changes, index reuse, casts by assignment (manual, chapter 10;
//! `pg_cast` of 18).

use crate::catalog::{Catalog, UserType};
use crate::effect::Loss;
use crate::engine::preflight::{digits, length};
use crate::operation::TypeName;

/// What a change of type does to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    /// The bytes stay as they are, and an index on them stays valid.
    Free,
    /// The bytes stay as they are; an index on them has other operators and is rebuilt.
    FreeButIndexes,
    /// Every value is computed again.
    Rewrite,
}

/// What a change from one type to another does. `utc` says that the session's time zone has no offset.
pub(super) fn conversion(from: &TypeName, to: &TypeName, catalog: &Catalog, utc: bool) -> Conversion {
    let (from_base, _) = base(from, catalog);
    let (to_base, constrained) = base(to, catalog);
    if constrained && !from.is_same(to) {
        return Conversion::Rewrite;
    }
    if from_base.is_same(&to_base) {
        return Conversion::Free;
    }
    if from_base.array || to_base.array || to_base.schema != from_base.schema {
        return Conversion::Rewrite;
    }
    if from_base.name == to_base.name {
        return if widens(&from_base, &to_base) { Conversion::Free } else { Conversion::Rewrite };
    }
    between_types(&from_base, &to_base, utc)
}

/// The type below a domain, and whether the domain has constraints.
pub(super) fn base(ty: &TypeName, catalog: &Catalog) -> (TypeName, bool) {
    let mut ty = ty.clone();
    let mut constrained = false;
    // A domain over a domain: as deep as anybody nests them, and no endless loop on a broken schema.
    for _ in 0..16 {
        let Some(UserType::Domain { base, checks, not_null, .. }) =
            catalog.user_type(&ty).filter(|_| !ty.array)
        else {
            break;
        };
        constrained |= !checks.is_empty() || *not_null;
        ty = base.clone();
    }
    (ty, constrained)
}

fn between_types(from: &TypeName, to: &TypeName, utc: bool) -> Conversion {
    let unlimited = to.modifiers.is_empty();
    match (from.name.as_str(), to.name.as_str()) {
        ("varchar", "text") | ("xml", "text") | ("cidr", "inet") => Conversion::Free,
        ("text" | "xml", "varchar") | ("bit", "varbit") if unlimited => Conversion::Free,
        ("citext", "text") | ("text" | "varchar", "citext") => Conversion::FreeButIndexes,
        ("citext", "varchar") if unlimited => Conversion::FreeButIndexes,
        ("int4", "oid") | ("oid", "int4" | "regclass") => Conversion::FreeButIndexes,
        ("timestamp", "timestamptz") | ("timestamptz", "timestamp") if utc && unlimited => {
            Conversion::FreeButIndexes
        }
        _ => Conversion::Rewrite,
    }
}

/// Whether every value of a type fits, unchanged, under the modifiers of the other.
fn widens(from: &TypeName, to: &TypeName) -> bool {
    let (old, new) = (&from.modifiers, &to.modifiers);
    if new.is_empty() {
        // `char` and `bit` without a length are of length 1, and stand with it.
        return true;
    }
    match from.name.as_str() {
        "varchar" | "varbit" => old.first().is_some_and(|old| new.first() >= Some(old)),
        "numeric" => numeric_widens(old, new),
        "timestamp" | "timestamptz" | "time" | "timetz" | "interval" => {
            // Six digits are all there are.
            new.first() >= Some(old.first().unwrap_or(&6))
        }
        _ => false,
    }
}

/// More digits before the point and as many behind it (`numeric_support`).
fn numeric_widens(old: &[i64], new: &[i64]) -> bool {
    let scale = |modifiers: &[i64]| modifiers.get(1).copied().unwrap_or(0);
    !old.is_empty() && new.first() >= old.first() && scale(old) == scale(new)
}

/// Whether the server casts by itself when a value is assigned; `None` where a type is not known.
pub(super) fn casts_by_assignment(from: &TypeName, to: &TypeName, catalog: &Catalog) -> Option<bool> {
    let (from, _) = base(from, catalog);
    let (to, _) = base(to, catalog);
    if from.name == to.name && from.array == to.array {
        return Some(true);
    }
    if matches!(to.name.as_str(), "text" | "varchar" | "bpchar") && !to.array {
        return Some(true);
    }
    if from.array || to.array {
        return (is_builtin(&from.name) && is_builtin(&to.name)).then(|| {
            from.array == to.array && {
                let element = |ty: &TypeName| TypeName { array: false, ..ty.clone() };
                casts_by_assignment(&element(&from), &element(&to), catalog) == Some(true)
            }
        });
    }
    let from_known = is_builtin(&from.name) || catalog.user_type(&from).is_some();
    let to_known = is_builtin(&to.name) || catalog.user_type(&to).is_some();
    if !from_known || !to_known {
        return None;
    }
    Some(assignable(&from.name, &to.name))
}

fn assignable(from: &str, to: &str) -> bool {
    let both = |list: &[&str]| list.contains(&from) && list.contains(&to);
    both(NUMBERS)
        || both(&["json", "jsonb"])
        || both(&["inet", "cidr"])
        || both(&["bit", "varbit"])
        || both(&["text", "varchar", "bpchar", "citext"])
        || both(&["text", "xml"]) && to == "text"
        || both(&["timestamp", "timestamptz"])
        || matches!(
            (from, to),
            ("date", "timestamp" | "timestamptz")
                | ("timestamp" | "timestamptz", "date" | "time")
                | ("timestamptz", "timetz")
                | ("time", "interval" | "timetz")
                | ("interval" | "timetz", "time")
                | ("int2" | "int4" | "int8", "oid" | "money")
                | ("oid", "int4" | "int8")
                | ("numeric", "money")
                | ("money", "numeric")
        )
}

/// What values lose when their type changes (manual, 8.1 to 8.5: numbers and times are rounded, whole numbers out of
/// range and texts too long fail).
pub fn loss(from: &TypeName, to: &TypeName) -> Option<Loss> {
    const WHOLE: &[&str] = &["int2", "int4", "int8"];
    let place = |ty: &TypeName| WHOLE.iter().position(|it| ty.is(it));
    let is_text = |ty: &TypeName| ty.is_any(&["text", "varchar", "bpchar", "citext"]);
    let fractional = |ty: &TypeName| ty.is_any(&["numeric", "float4", "float8"]);
    if let (Some(old), Some(new)) = (place(from), place(to)) {
        return (new < old).then_some(Loss::Error);
    }
    if fractional(from) && place(to).is_some() {
        return Some(Loss::Silent);
    }
    if let Some((whole, scale)) = digits(to).filter(|_| from.is("numeric") && to.is("numeric")) {
        let rounds = digits(from).is_none_or(|(_, old)| scale < old);
        let narrower = digits(from).is_some_and(|(old, _)| whole < old);
        return rounds.then_some(Loss::Silent).or(narrower.then_some(Loss::Error));
    }
    if is_text(from) && is_text(to) {
        let shorter = length(to).is_some_and(|new| length(from).is_none_or(|old| new < old));
        return shorter.then_some(Loss::Error);
    }
    let loses = matches!(
        (from.name.as_str(), to.name.as_str()),
        ("timestamp" | "timestamptz", "date" | "time")
            | ("float8", "float4")
            | ("numeric", "float4" | "float8")
    );
    (loses && !from.array && !to.array).then_some(Loss::Silent)
}

/// Whether values of a type can be compared with an index on another: types of one operator family, or a cast that
/// the server makes by itself. True where a type is not known.
pub(super) fn can_refer(from: &TypeName, to: &TypeName, catalog: &Catalog) -> bool {
    const ORDER: &[&[&str]] =
        &[&["int2", "int4", "int8", "numeric", "float4", "float8"], &["date", "timestamp", "timestamptz"]];
    let (from, to) = (base(from, catalog).0, base(to, catalog).0);
    for family in ORDER {
        let place = |ty: &TypeName| family.iter().position(|it| ty.is(it));
        if let (Some(from), Some(to)) = (place(&from), place(&to)) {
            let whole_numbers = family[0] == "int2" && from < 3 && to < 3;
            return whole_numbers || family[0] == "date" || from <= to;
        }
    }
    true
}

const NUMBERS: &[&str] = &["int2", "int4", "int8", "float4", "float8", "numeric"];

fn is_builtin(name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "text",
        "varchar",
        "bpchar",
        "citext",
        "name",
        "bool",
        "date",
        "timestamp",
        "timestamptz",
        "time",
        "timetz",
        "interval",
        "json",
        "jsonb",
        "uuid",
        "bytea",
        "inet",
        "cidr",
        "macaddr",
        "bit",
        "varbit",
        "xml",
        "oid",
        "money",
        "tsvector",
        "tsquery",
        "point",
        "box",
        "int4range",
        "int8range",
        "tstzrange",
        "daterange",
    ];
    NUMBERS.contains(&name) || OTHERS.contains(&name)
}
