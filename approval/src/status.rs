//! Whether a gate is open for what a caller wants to do now, and if it was open for something else, what changed since.

use crate::content::Content;
use crate::gate::Tier;
use crate::ledger::entry::{Action, Channel, Event, Question, Request};
use crate::ledger::{Closed, Ledger, Status};
use crate::plan::{PlanId, Store, StoredPlan};
use crate::time::Time;

/// The request that this content makes of its plan.
pub fn request(plan: PlanId, content: &Content) -> Request {
    Request { plan, gate: content.gate, digest: content.digest() }
}

/// The ledger's word on one content of a plan as it is now. Where an earlier plan of the same subject was approved at this
/// gate, the reason says what is different.
pub fn status(
    ledger: &Ledger,
    store: &Store,
    plan: &StoredPlan,
    content: &Content,
    action: Option<Action>,
    required: Tier,
    now: Time,
) -> Status {
    let found = ledger.status(&request(plan.id(), content), action, required, now);
    if found != Status::Closed(Closed::NotApproved) {
        return found;
    }
    match changes_since_approval(ledger, store, plan, content, now) {
        Some(changes) if !changes.is_empty() => Status::Closed(Closed::Stale(changes)),
        _ => found,
    }
}

fn changes_since_approval(
    ledger: &Ledger,
    store: &Store,
    plan: &StoredPlan,
    content: &Content,
    now: Time,
) -> Option<Vec<String>> {
    let entries = ledger.entries(now).ok()?;
    let about = |question: &Question| {
        question.subject == plan.subject
            && question.request.gate == content.gate
            && question.channel != Channel::CommandLine
    };
    let last = entries.iter().rfind(|entry| entry.event != Event::Requested && about(&entry.question))?;
    // What was used up did not become stale: it was for another time.
    if !matches!(last.event, Event::Approved | Event::Returned) {
        return None;
    }
    let request = &last.question.request;
    let earlier = store.load(&request.plan).ok()?;
    let before = earlier.at(request.gate).find(|it| it.digest() == request.digest)?;
    if before.step != content.step {
        return None;
    }
    Some(Content::difference(before, content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::tests::sample;
    use crate::digest::Digest;
    use crate::gate::Gate;
    use crate::ledger::entry::Client;
    use crate::ledger::{Answer, Asking};
    use crate::plan::Documents;
    use crate::signature::Signers;
    use crate::state::tests::{project, workspace};

    #[test]
    fn a_changed_plan_is_stale_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let state = workspace(folder.path());
        let ledger = Ledger::new(project(folder.path()), state.clone(), Vec::new(), Signers::default());
        let store = Store::new(state);
        let now = Time::from_seconds(1_000);
        let plan =
            StoredPlan { subject: "migrations/0007.sql".into(), named: None, contents: vec![sample()] };
        let asking = Asking {
            request: request(store.store(&plan, &Documents::new()).unwrap(), &sample()),
            subject: plan.subject.clone(),
            channel: Channel::ElicitationModern,
            client: Client::new("tests", "1"),
            shown: Digest::of_bytes(b"shown"),
            required: Tier::Client,
        };
        let look =
            |plan: &StoredPlan| status(&ledger, &store, plan, &plan.contents[0], None, Tier::Client, now);
        assert_eq!(look(&plan), Status::Closed(Closed::NotApproved));

        let nonce = ledger.ask(asking, now).unwrap().nonce;
        ledger.answer(&nonce, &Answer::Typed(sample().digest().short()), now).unwrap();
        assert!(matches!(look(&plan), Status::Open(_)));

        let mut changed = plan.clone();
        changed.contents[0].sources.insert("migrations/0007.sql".into(), Digest::of_bytes(b"edited"));
        let stale = vec!["stale: file migrations/0007.sql".to_owned()];
        assert_eq!(look(&changed), Status::Closed(Closed::Stale(stale)));

        let request = request(plan.id(), &sample());
        for action in Action::at(Gate::Strategy) {
            ledger.spend(&request, *action, Tier::Client, now, || Ok::<(), ()>(())).unwrap().unwrap();
        }
        assert_eq!(look(&changed), Status::Closed(Closed::NotApproved));
    }
}
