//! Clients are told when there is a new plan: in the way of their era, where they want to hear it.

use serde_json::{Value, json};

use super::client::{Agent, Era};
use super::workspace::{Workspace, plan};

const NEWS: &str = "notifications/resources/list_changed";

/// The news that came until everything before this call was said.
fn news(agent: &mut Agent) -> Vec<Value> {
    agent.call("gate_status", json!({"plan": "0123456789abcdef"}));
    agent.notices.drain(..).filter(|it| it["method"] == NEWS).collect()
}

#[test]
fn with_initialize_every_client_is_told() {
    let workspace = Workspace::new();
    let mut agent = workspace.agent(Era::Initialize);
    assert!(news(&mut agent).is_empty());
    plan(&mut agent);
    assert_eq!(news(&mut agent).len(), 1);
}

#[test]
fn without_it_who_listens_is_told_and_nobody_else() {
    let workspace = Workspace::new();
    let mut agent = workspace.agent(Era::Stateless);
    plan(&mut agent);
    assert!(news(&mut agent).is_empty(), "nobody listens yet");
    let wanted = json!({"notifications": {"resourcesListChanged": true, "toolsListChanged": true}});
    let listening = agent.begin("subscriptions/listen", wanted).expect("it listens");
    agent.call("explain", json!({}));
    let begun = agent.notices.remove(0);
    assert_eq!(begun["method"], "notifications/subscriptions/acknowledged", "{begun}");
    assert_eq!(begun["params"]["notifications"], json!({"resourcesListChanged": true}), "only what there is");
    plan(&mut agent);
    let told = news(&mut agent);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], listening, "{told:?}");
}
