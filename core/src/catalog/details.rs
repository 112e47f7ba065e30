//! What hangs on an object beside what it is made of: its comment, its owner, rights and settings.

use std::collections::BTreeMap;
use std::fmt;

use crate::operation::ObjectKind;

/// A setting of an object. What a server takes by itself is not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// Its comment.
    Comment,
    /// The comment on a check of a domain.
    CommentOn(String),
    /// Its owner, where a statement said so.
    Owner,
    /// How many values statistics are taken of.
    Statistics,
    /// How values are stored.
    Storage,
    /// How values are compressed.
    Compression,
    /// What tells rows apart in replication.
    ReplicaIdentity,
    /// The table was put into the order of this index.
    Clustered,
    /// Whether policies hold.
    RowSecurity,
    /// Whether policies hold for the owner too.
    ForcedRowSecurity,
    /// The access method.
    AccessMethod,
    /// The tablespace.
    Tablespace,
    /// When a trigger or rule fires, if not always on the primary.
    Firing,
    /// Not handed down to inheriting tables.
    NoInherit,
    /// NULLs are the same.
    NullsNotDistinct,
    /// The words of its definition that nothing else holds.
    Definition,
    /// The default that a view has for a column.
    Default,
    /// The collation of a domain.
    Collation,
    /// A check of a domain.
    Check(String),
    /// How a sequence counts: `increment`, `start` …
    Counts(String),
    /// What a policy says: `command`, `roles`, `using` …
    Policy(&'static str),
    /// A storage option.
    Option(String),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Comment => "comment",
            Self::CommentOn(name) => return write!(f, "comment on {name}"),
            Self::Owner => "owner",
            Self::Statistics => "statistics target",
            Self::Storage => "storage",
            Self::Compression => "compression",
            Self::ReplicaIdentity => "replica identity",
            Self::Clustered => "CLUSTER mark",
            Self::RowSecurity => "row security",
            Self::ForcedRowSecurity => "row security of the owner",
            Self::AccessMethod => "access method",
            Self::Tablespace => "tablespace",
            Self::Firing => "firing",
            Self::NoInherit => "inheritance",
            Self::NullsNotDistinct => "NULLS NOT DISTINCT",
            Self::Definition => "definition",
            Self::Default => "default",
            Self::Collation => "collation",
            Self::Check(name) => return write!(f, "check {name}"),
            Self::Counts(option) => return f.write_str(option),
            Self::Policy(part) => part,
            Self::Option(name) => return write!(f, "option {name}"),
        })
    }
}

/// What roles may do with an object: for each role its privileges in lower case, and whether it may grant them on.
pub type Rights = BTreeMap<String, BTreeMap<String, bool>>;

/// What hangs on an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// Its settings.
    pub settings: BTreeMap<Setting, String>,
    /// What roles other than its owner may do.
    pub rights: Rights,
}

impl Details {
    /// The value of a setting.
    pub fn get(&self, setting: &Setting) -> Option<&str> {
        self.settings.get(setting).map(String::as_str)
    }

    /// Whether a role, or everybody, has the privilege.
    pub fn allows(&self, role: &str, privilege: &str) -> bool {
        [role, "public"].iter().any(|it| self.rights.get(*it).is_some_and(|its| its.contains_key(privilege)))
    }

    pub(super) fn set(&mut self, setting: Setting, value: Option<String>) {
        match value {
            Some(value) => self.settings.insert(setting, value),
            None => self.settings.remove(&setting),
        };
    }

    pub(super) fn set_options(&mut self, options: &[(String, Option<String>)]) {
        for (name, value) in options {
            self.set(Setting::Option(name.clone()), value.clone());
        }
    }

    pub(super) fn grant(&mut self, role: &str, privilege: &str, option: bool) {
        let rights = self.rights.entry(role.to_owned()).or_default();
        *rights.entry(privilege.to_owned()).or_default() |= option;
    }

    pub(super) fn revoke(&mut self, role: &str, privilege: &str) {
        let Some(rights) = self.rights.get_mut(role) else { return };
        rights.remove(privilege);
        if rights.is_empty() {
            self.rights.remove(role);
        }
    }

    pub(super) fn revoke_option(&mut self, role: &str, privilege: &str) {
        if let Some(option) = self.rights.get_mut(role).and_then(|rights| rights.get_mut(privilege)) {
            *option = false;
        }
    }

    /// What a server takes by itself is not there.
    pub(super) fn without_defaults(mut self) -> Self {
        self.settings.retain(|setting, value| !is_default(setting, value));
        self
    }
}

fn is_default(setting: &Setting, value: &str) -> bool {
    match setting {
        Setting::Counts(option) => matches!(
            (option.as_str(), value),
            ("increment" | "cache" | "start" | "minvalue", "1")
                | (_, "no")
                | ("maxvalue", "9223372036854775807")
        ),
        Setting::Statistics => value == "-1",
        Setting::Compression => value == "default",
        Setting::AccessMethod => value == "heap",
        Setting::Tablespace => value == "pg_default",
        _ => false,
    }
}

/// What `ALL` stands for (manual, table 5.2; MAINTAIN of 17 is left out, as it is none of an application's rights).
pub(super) fn all_privileges(object: ObjectKind) -> &'static [&'static str] {
    match object {
        ObjectKind::Sequence => &["select", "update", "usage"],
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate => {
            &["execute"]
        }
        ObjectKind::Schema => &["create", "usage"],
        ObjectKind::Type | ObjectKind::Domain => &["usage"],
        ObjectKind::Column => &["insert", "references", "select", "update"],
        _ => &["delete", "insert", "references", "select", "trigger", "truncate", "update"],
    }
}
