//! Functions, procedures, triggers and blocks of code.

use super::expression;
use crate::operation::{
    Body, CreateFunction, CreateTrigger, Kind, ROUTINE_CLAUSES, Signature, TypeName, Volatility,
};
use crate::statement::{Cursor, TokenKind};
use crate::text::Span;

/// Reads from FUNCTION or PROCEDURE on.
pub(super) fn create_function(mut cursor: Cursor<'_>, or_replace: bool) -> Option<Kind> {
    let procedure = cursor.is("procedure");
    cursor.next_token();
    let name = cursor.name()?;
    let definition = expression(&cursor.rest());
    let arguments = cursor.group();
    let returns = returned(cursor);
    let takes = arguments.as_ref().map(types).unwrap_or_default();
    let signature = arguments.zip(returns).and_then(|(arguments, returns)| signature(&arguments, returns));
    let mut function = CreateFunction {
        name,
        or_replace,
        volatility: Volatility::Volatile,
        language: "sql".to_owned(),
        body: None,
        code: None,
        options: String::new(),
        returns_trigger: false,
        takes,
        procedure,
        definition,
        is_parsed: false,
        signature: signature.filter(|_| !procedure),
    };
    while !cursor.at_end() {
        function_part(&mut cursor, &mut function);
    }
    Some(Kind::CreateFunction(Box::new(function)))
}

/// The types of the values that go into a routine, from the list of its arguments.
pub(super) fn types(arguments: &Cursor<'_>) -> Vec<TypeName> {
    arguments.segments().into_iter().filter_map(argument_type).collect()
}

fn argument_type(mut argument: Cursor<'_>) -> Option<TypeName> {
    if argument.is("out") || argument.eat("*") {
        return None;
    }
    argument.eat_any(&["in", "inout", "variadic"]);
    let first = argument.index();
    while !argument.at_end() && !argument.is_any(&["default", "="]) {
        argument.skip();
    }
    let argument = argument.part(first, argument.index());
    let whole = |mut cursor: Cursor<'_>| super::column::type_name(&mut cursor).filter(|_| cursor.at_end());
    whole(argument).or_else(|| {
        let mut named = argument;
        named.ident()?;
        whole(named.rest())
    })
}

/// The words behind RETURNS.
fn returned(mut cursor: Cursor<'_>) -> Option<String> {
    cursor.eat("returns").then_some(())?;
    let first = cursor.index();
    while !cursor.at_end() && !cursor.is_any(ROUTINE_CLAUSES) && !cursor.is_any(&["begin", "return"]) {
        cursor.skip();
    }
    Some(expression(&cursor.part(first, cursor.index())).text)
}

/// The arguments, where all of them are values that go in.
fn signature(arguments: &Cursor<'_>, returns: String) -> Option<Signature> {
    let mut each = Vec::new();
    for mut argument in arguments.segments() {
        if argument.is_any(&["out", "inout", "variadic"]) {
            return None;
        }
        let first = argument.index();
        while !argument.at_end() && !argument.is("default") && !argument.is("=") {
            argument.skip();
        }
        each.push(expression(&argument.part(first, argument.index())).text);
    }
    let all = expression(arguments).text;
    (!returns.to_lowercase().contains("record")).then_some(Signature { arguments: all, each, returns })
}

fn function_part(cursor: &mut Cursor<'_>, function: &mut CreateFunction) {
    if cursor.eat("language") {
        function.language = language(cursor).unwrap_or_default();
    } else if cursor.eat("immutable") {
        function.volatility = Volatility::Immutable;
    } else if cursor.eat("stable") {
        function.volatility = Volatility::Stable;
    } else if cursor.eat("returns") {
        function.returns_trigger = cursor.is("trigger");
    } else if cursor.eat("as") {
        function.body = cursor.peek().and_then(|token| code(cursor.text(), token.kind, token.span));
    } else if cursor.is("begin") && cursor.is_at(1, "atomic") {
        cursor.next_token();
        cursor.next_token();
        (function.body, function.is_parsed) = (Some(cursor.rest().span()), true);
        while cursor.next_token().is_some() {}
    } else if cursor.eat("return") {
        function.is_parsed = true;
    } else {
        cursor.skip();
    }
}

/// The name of a language, which old scripts put in quotes.
fn language(cursor: &mut Cursor<'_>) -> Option<String> {
    let quoted = cursor.text_of_string();
    quoted.or_else(|| cursor.ident().map(|language| language.name)).map(|name| name.to_lowercase())
}

/// The code between the quotes of a string.
pub(super) fn code(text: &str, kind: TokenKind, span: Span) -> Option<Span> {
    let literal = span.of(text);
    match kind {
        TokenKind::Dollar => {
            let tag = literal.get(1..)?.find('$')? + 2;
            (literal.len() >= 2 * tag).then(|| Span::new(span.start + tag, span.end - tag))
        }
        TokenKind::String => {
            let open = literal.find('\'')? + 1;
            (literal.len() > open).then(|| Span::new(span.start + open, span.end - 1))
        }
        _ => None,
    }
}

/// Reads everything behind the word DO.
pub(super) fn do_block(mut cursor: Cursor<'_>) -> Option<Kind> {
    let mut body = Body { language: "plpgsql".to_owned(), code: Span::default() };
    while let Some(token) = cursor.next_token() {
        if token.span.of(cursor.text()).eq_ignore_ascii_case("language") {
            body.language = language(&mut cursor)?;
        } else {
            body.code = code(cursor.text(), token.kind, token.span)?;
        }
    }
    (!body.code.is_empty()).then_some(Kind::Do(body))
}

/// Reads from TRIGGER or CONSTRAINT TRIGGER on.
pub(super) fn create_trigger(mut cursor: Cursor<'_>, or_replace: bool) -> Option<Kind> {
    let constraint = cursor.eat("constraint");
    cursor.eat("trigger").then_some(())?;
    let name = cursor.ident()?;
    let from_here = cursor.index();
    let timing = match cursor.eat_any(&["before", "after", "instead"])? {
        "instead" => "instead of",
        other => other,
    };
    let mut columns = Vec::new();
    while !cursor.at_end() && !cursor.is("on") {
        if cursor.eat("of") {
            while let Some(column) = cursor.ident() {
                columns.push(column);
                if cursor.eat_kind(TokenKind::Comma).is_none() {
                    break;
                }
            }
        } else {
            cursor.next_token();
        }
    }
    let events = super::expression(&cursor.part(from_here, cursor.index()));
    cursor.eat("on").then_some(())?;
    let table = cursor.name()?;
    let action = super::expression(&cursor.rest());
    let from = if cursor.eat("from") { Some(cursor.name()?) } else { None };
    let for_each_row = has_row(&cursor);
    cursor.seek(&["execute"]).then_some(())?;
    cursor.next_token();
    cursor.eat_any(&["function", "procedure"]);
    let function = cursor.name();
    let trigger = CreateTrigger {
        name,
        table,
        or_replace,
        constraint,
        from,
        timing,
        for_each_row,
        columns,
        function,
        events,
        action,
    };
    Some(Kind::CreateTrigger(Box::new(trigger)))
}

fn has_row(cursor: &Cursor<'_>) -> bool {
    let mut ahead = *cursor;
    while ahead.seek(&["for"]) {
        ahead.next_token();
        ahead.eat("each");
        if ahead.is("row") {
            return true;
        }
    }
    false
}
