//! Standard input, frame by frame, before tower-lsp reads it: a body that is no message would end its stream, and with it the server.

use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tower_lsp::jsonrpc::{Request, Response};

/// What stands in the place of a body that is no message: the server answers it with its error.
pub(crate) const MALFORMED: &str = "$/malformed";

/// No message is larger.
const LARGEST: usize = 256 * 1024 * 1024;

/// Copies whole messages, until the input or the output ends.
pub(crate) async fn sift(mut input: impl AsyncBufRead + Unpin, mut output: impl AsyncWrite + Unpin) {
    while let Some(length) = length(&mut input).await {
        let mut body = Vec::new();
        let read = (&mut input).take(length as u64).read_to_end(&mut body).await;
        if read.is_err() || body.len() < length {
            return;
        }
        let body = if is_message(&body) { body } else { replacement(&body) };
        let head = format!("Content-Length: {}\r\n\r\n", body.len());
        let written = output.write_all(&[head.as_bytes(), &body].concat()).await;
        if written.is_err() || output.flush().await.is_err() {
            return;
        }
    }
}

/// Reads a header to its end; nothing at the end of the input. A header without a length is passed by, and so is what stands behind it.
async fn length(input: &mut (impl AsyncBufRead + Unpin)) -> Option<usize> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line).await.ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&line);
        match line.trim() {
            "" if length.is_some() => return length,
            "" => {}
            header => {
                let value = header
                    .split_once(':')
                    .filter(|(name, _)| name.trim().eq_ignore_ascii_case("content-length"));
                let stated =
                    value.and_then(|(_, value)| value.trim().parse().ok()).filter(|it| *it <= LARGEST);
                length = stated.or(length);
            }
        }
    }
}

fn is_message(body: &[u8]) -> bool {
    serde_json::from_slice::<Request>(body).is_ok() || serde_json::from_slice::<Response>(body).is_ok()
}

/// A request that says why the body is none, with its id where it has one.
fn replacement(body: &[u8]) -> Vec<u8> {
    let read: Result<Value, _> = serde_json::from_slice(body);
    let (id, code, message) = match &read {
        Ok(Value::Array(_)) => (Value::Null, -32600, "batches are not a part of the protocol".to_owned()),
        Ok(value) => (value["id"].clone(), -32600, "this is no request, notification or answer".to_owned()),
        Err(error) => (Value::Null, -32700, format!("this is not JSON: {error}")),
    };
    let id = if id.is_string() || id.is_i64() { id } else { Value::Null };
    let request = json!({"jsonrpc": "2.0", "id": id, "method": MALFORMED, "params": {"code": code, "message": message}});
    request.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sifted(input: &[u8]) -> String {
        let mut output = Vec::new();
        sift(input, &mut output).await;
        String::from_utf8(output).expect("UTF-8")
    }

    fn framed(body: &[u8]) -> Vec<u8> {
        [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
    }

    #[tokio::test]
    async fn messages_pass_and_what_is_none_is_replaced() {
        let good = br#"{"jsonrpc":"2.0","method":"a","params":{"text":"\u00e9"}}"#;
        assert_eq!(sifted(&framed(good)).await.as_bytes(), framed(good));
        for (body, expected) in [
            (&b"{nonsense"[..], r#""id":null"#),
            (b"\xff\xfe{}", "-32700"),
            (br#"[{"jsonrpc":"2.0","id":1,"method":"a"}]"#, "batches"),
            (br#"{"id":7,"method":3}"#, r#""id":7"#),
            (b"", "-32700"),
        ] {
            let output = sifted(&[framed(body), framed(good)].concat()).await;
            assert!(output.contains(MALFORMED) && output.contains(expected), "{output}");
            assert!(output.as_bytes().ends_with(&framed(good)), "it goes on: {output}");
        }
    }

    #[tokio::test]
    async fn headers_are_read_as_they_come() {
        let good = br#"{"jsonrpc":"2.0","method":"a"}"#;
        let header = format!("Content-Type: x\ncontent-length:{}\n\n", good.len());
        let input = [b"\r\nnonsense\r\n\r\n", header.as_bytes(), good].concat();
        assert_eq!(sifted(&input).await.as_bytes(), framed(good));
        assert_eq!(sifted(b"Content-Length: 99\r\n\r\n{}").await, "", "half a body is none");
    }
}
