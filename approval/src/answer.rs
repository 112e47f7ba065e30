//! What a closed gate answers: what is missing, and how a human opens it.

use crate::gate::Tier;
use crate::ledger::Closed;
use crate::ledger::entry::Request;
use crate::time::Time;
use schemars::JsonSchema;
use serde::Serialize;

/// `{"status":"approval_required", ...}`: nothing was done, not even half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ApprovalRequired {
    /// Always `approval_required`.
    pub status: &'static str,
    pub plan: String,
    /// The whole digest; people type its first twelve digits.
    pub digest: String,
    pub gate: &'static str,
    pub tier: &'static str,
    /// Why the gate is closed.
    pub reason: String,
    /// What a human can do, the easiest way first.
    pub how: Vec<String>,
    /// When an approval given now would expire.
    pub expires: String,
}

/// Whether the other side can ask its human for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// An MCP client that can elicit.
    Client,
    /// Nobody: the human has to come to a terminal.
    Nobody,
}

/// The answer of a closed gate.
pub fn approval_required(
    request: &Request,
    required: Tier,
    why: &Closed,
    asker: Asker,
    now: Time,
) -> ApprovalRequired {
    ApprovalRequired {
        status: "approval_required",
        plan: request.plan.to_string(),
        digest: request.digest.to_string(),
        gate: request.gate.name(),
        tier: required.name(),
        reason: why.to_string(),
        how: how(request, required, asker),
        expires: now.plus(request.gate.lifetime()).to_string(),
    }
}

fn how(request: &Request, required: Tier, asker: Asker) -> Vec<String> {
    let Request { plan, gate, digest } = request;
    let short = digest.short();
    let mut ways = Vec::new();
    if required == Tier::Client && asker == Asker::Client {
        ways.push(format!("call request_approval with plan {plan}: your human is asked to type {short}"));
    }
    if required <= Tier::Attended {
        ways.push(format!("a human runs `lockkeeper approve {plan} {gate}` in a terminal and types {short}"));
    }
    if required == Tier::Keyed {
        ways.push(format!(
            "a human runs `lockkeeper approve {plan} {gate} --key FILE` and signs with a key you do not hold"
        ));
    }
    if required == Tier::SecondIdentity {
        ways.push(format!("a second person reviews plan {plan} and CI's protected environment runs it"));
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::gate::Gate;
    use crate::plan::PlanId;

    fn answer(gate: Gate, asker: Asker) -> ApprovalRequired {
        let plan = PlanId::parse("0123456789abcdef").unwrap();
        let request = Request { plan, gate, digest: Digest::of_bytes(b"abc") };
        approval_required(&request, gate.least(), &Closed::NotApproved, asker, Time::from_seconds(0))
    }

    #[test]
    fn it_has_the_fields_of_the_contract() {
        let value = serde_json::to_value(answer(Gate::Strategy, Asker::Client)).unwrap();
        let expected = serde_json::json!({
            "status": "approval_required",
            "plan": "0123456789abcdef",
            "digest": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "gate": "strategy",
            "tier": "client",
            "reason": "nobody has approved this yet",
            "how": [
                "call request_approval with plan 0123456789abcdef: your human is asked to type ba78-16bf-8f01",
                "a human runs `lockkeeper approve 0123456789abcdef strategy` in a terminal and types ba78-16bf-8f01",
            ],
            "expires": "1970-01-01T08:00:00Z",
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn every_gate_says_how_it_is_opened() {
        for gate in Gate::ALL {
            assert!(!answer(gate, Asker::Nobody).how.is_empty(), "{gate}");
        }
        assert_eq!(answer(Gate::Strategy, Asker::Nobody).how.len(), 1);
    }
}
