//! A schema as facts: for each object its aspects in one spelling.

use std::collections::BTreeMap;
use std::fmt;

use super::{Object, Order};
use crate::catalog::{
    Catalog, ColumnState, ConstraintState, Definition, Demand, Details, Index, RelationKind, RelationName,
    RoutineName, Sequence, Setting, Table, Trigger, UserType, View,
};
use crate::operation::{ForeignKey, Identity, ObjectKind, PartitionBound, TypeName};

use super::spelling;

/// One side of an object that can differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Aspect {
    Existence,
    /// The order of a table's columns.
    Order,
    Type,
    Collation,
    Nullability,
    Default,
    Generation,
    Identity,
    /// The sequence that belongs to a column, or the column that a sequence belongs to.
    Sequence,
    Columns,
    Condition,
    References,
    /// What a foreign key does when rows of the other table change.
    Actions,
    /// Whether a constraint can wait for the end of the transaction.
    Timing,
    Validity,
    Enforcement,
    Uniqueness,
    Keys,
    Include,
    Method,
    Events,
    /// What a trigger does, or a function says.
    Definition,
    Query,
    Population,
    Persistence,
    Partitioning,
    Bound,
    Parents,
    Labels,
    Attributes,
    Tables,
    /// What hangs on it.
    Setting(Setting),
    /// What a role may do.
    Rights(String),
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Existence => "existence",
            Self::Order => "the order of its columns",
            Self::Type => "its type",
            Self::Collation => "its collation",
            Self::Nullability => "what it does with NULL",
            Self::Default => "its default",
            Self::Generation => "what it is computed from",
            Self::Identity => "its identity",
            Self::Sequence => "what its sequence belongs to",
            Self::Columns => "its list of columns",
            Self::Condition => "its condition",
            Self::References => "what it points at",
            Self::Actions => "what it does when the other row changes",
            Self::Timing => "when it is checked",
            Self::Validity => "its validity",
            Self::Enforcement => "its enforcement",
            Self::Uniqueness => "its uniqueness",
            Self::Keys => "its keys",
            Self::Include => "what it stores beside its keys",
            Self::Method => "its method",
            Self::Events => "what it fires for",
            Self::Definition => "its definition",
            Self::Query => "its query",
            Self::Population => "whether it is filled",
            Self::Persistence => "its persistence",
            Self::Partitioning => "how it is partitioned",
            Self::Bound => "its bound",
            Self::Parents => "what it inherits from",
            Self::Labels => "its list of labels",
            Self::Attributes => "its list of attributes",
            Self::Tables => "its list of tables",
            Self::Setting(setting) => return write!(f, "its {setting}"),
            Self::Rights(role) => return write!(f, "what {role} may do"),
        })
    }
}

/// The aspects of one object.
pub(super) type Aspects = BTreeMap<Aspect, String>;

/// All objects of a schema with their aspects, but for what it shares with the other schema, untouched.
pub(super) fn of(catalog: &Catalog, other: &Catalog, order: Order) -> BTreeMap<Object, Aspects> {
    let mut facts = Facts { catalog, order, found: BTreeMap::new() };
    for (name, relation) in catalog.relations() {
        // The facts of an index stand with its table.
        let owner = match &relation.kind {
            RelationKind::Index(table) => table,
            _ => name,
        };
        if !(is_shared(catalog, other, name) && is_shared(catalog, other, owner)) {
            facts.relation(name, &relation.kind, &relation.details);
        }
    }
    facts.types();
    facts.routines(other);
    facts.others();
    facts.found
}

/// Whether both schemas hold the very same copy of a relation: nothing has changed it since they were one.
fn is_shared(one: &Catalog, other: &Catalog, name: &RelationName) -> bool {
    one.relation(name).zip(other.relation(name)).is_some_and(|(one, other)| std::ptr::eq(one, other))
}

struct Facts<'a> {
    catalog: &'a Catalog,
    order: Order,
    found: BTreeMap<Object, Aspects>,
}

impl Facts<'_> {
    fn add(
        &mut self,
        kind: &'static str,
        name: String,
        aspects: Vec<(Aspect, Option<String>)>,
        details: &Details,
    ) {
        let mut all: Aspects = aspects.into_iter().filter_map(|(aspect, it)| Some((aspect, it?))).collect();
        all.insert(Aspect::Existence, "there".to_owned());
        for (setting, value) in &details.clone().without_defaults().settings {
            let value = self.setting(setting, value);
            all.insert(Aspect::Setting(setting.clone()), value);
        }
        for (role, rights) in &details.rights {
            let each = rights
                .iter()
                .map(|(it, option)| format!("{it}{}", if *option { " and hand it on" } else { "" }));
            all.insert(Aspect::Rights(role.clone()), each.collect::<Vec<_>>().join(", "));
        }
        self.found.insert(Object { kind, name }, all);
    }

    fn setting(&self, setting: &Setting, value: &str) -> String {
        let is_sql = matches!(
            setting,
            Setting::Definition
                | Setting::Default
                | Setting::Check(_)
                | Setting::Policy(_)
                | Setting::Statistics
        );
        if is_sql { self.spelled(value) } else { value.to_owned() }
    }

    fn spelled(&self, text: &str) -> String {
        crate::operation::spelled(text, self.catalog.dialect())
    }

    fn display(&self, name: &RelationName) -> String {
        // The server cuts names in quotes too.
        let cut = crate::dialect::cut(name.name.to_string(), self.catalog.dialect());
        RelationName { name: cut.into(), ..name.clone() }.display(self.catalog.dialect())
    }

    fn displays<'n>(&self, names: impl Iterator<Item = &'n RelationName>) -> Option<String> {
        let mut names: Vec<String> = names.map(|it| self.display(it)).collect();
        names.sort();
        (!names.is_empty()).then(|| names.join(", "))
    }

    fn ty(&self, ty: &TypeName) -> String {
        let schema = ty.schema.clone().filter(|it| it != self.catalog.dialect().default_schema());
        TypeName { schema, ..ty.clone() }.to_string()
    }

    fn relation(&mut self, name: &RelationName, kind: &RelationKind, details: &Details) {
        match kind {
            RelationKind::Table(table) => self.table(name, table, details),
            RelationKind::View(view) => self.view(name, view, details),
            RelationKind::Sequence(sequence) => self.sequence(name, sequence, details),
            RelationKind::Index(owner) => {
                let index = self.catalog.indexes(owner).iter().find(|it| it.name == *name);
                if let Some(index) = index {
                    self.index(owner, index, details);
                }
            }
        }
    }

    fn table(&mut self, name: &RelationName, table: &Table, details: &Details) {
        let own = self.display(name);
        let columns: Vec<&str> = table.columns.iter().map(|it| it.name.as_str()).collect();
        let persistence = match (table.temporary, table.unlogged) {
            (true, _) => Some("temporary"),
            (_, true) => Some("unlogged"),
            _ => None,
        };
        let by = table.partition_by.as_ref().map(|it| format!("{} ({})", it.method, it.columns.join(", ")));
        let bound = table.partition_of.as_ref().map(|(parent, bound)| {
            let bound = match bound {
                PartitionBound::Default => "default".to_owned(),
                PartitionBound::Values(text) => self.spelled(text),
            };
            format!("{} {bound}", self.display(parent))
        });
        let aspects = vec![
            (Aspect::Order, (self.order == Order::Compared).then(|| columns.join(", "))),
            (Aspect::Persistence, persistence.map(str::to_owned)),
            (Aspect::Partitioning, by),
            (Aspect::Bound, bound),
            (Aspect::Parents, self.displays(table.inherits.iter())),
            (Aspect::Type, table.of_type.as_ref().map(|it| self.display(it))),
        ];
        self.add("table", own.clone(), aspects, details);
        table.columns.iter().for_each(|it| self.column(&own, it));
        table.constraints.iter().for_each(|it| self.constraint(&own, it));
        table.triggers.iter().for_each(|it| self.trigger(&own, it));
        self.parts(&own, &table.parts);
        for (name, columns) in &table.statistics {
            let part = (ObjectKind::Statistics, name.name.to_string());
            let details = table.parts.get(&part).cloned().unwrap_or_default();
            let aspects =
                vec![(Aspect::Columns, Some(columns.join(", "))), (Aspect::Tables, Some(own.clone()))];
            self.add("statistics", self.display(name), aspects, &details);
        }
    }

    fn parts(&mut self, owner: &str, parts: &BTreeMap<(ObjectKind, String), Details>) {
        for ((kind, name), details) in parts.iter().filter(|((kind, _), _)| *kind != ObjectKind::Statistics) {
            self.add(kind.title(), format!("{name} of {owner}"), Vec::new(), details);
        }
    }

    fn column(&mut self, table: &str, column: &ColumnState) {
        let identity = column.identity.map(|it| match it {
            Identity::Always => "always".to_owned(),
            Identity::ByDefault => "by default".to_owned(),
        });
        let generation = column.generated.as_ref().map(|it| {
            format!("{}{}", self.spelled(&it.expression.text), if it.stored { "" } else { ", not stored" })
        });
        let ty = self.ty(&column.ty);
        let default = column.default.as_ref().map(|it| spelling::default(&self.spelled(&it.text)));
        let aspects = vec![
            (Aspect::Type, Some(ty)),
            (Aspect::Collation, column.collation.clone().filter(|it| it != "default")),
            (Aspect::Nullability, Some(if column.not_null { "NOT NULL" } else { "NULL" }.to_owned())),
            (Aspect::Default, default.filter(|it| it != "null")),
            (Aspect::Generation, generation),
            (Aspect::Identity, identity),
            (Aspect::Sequence, column.sequence.as_ref().map(|it| self.display(it))),
        ];
        let mut details = column.details.clone();
        let usual = spelling::storage_of(&column.ty);
        details
            .settings
            .retain(|setting, it| *setting != Setting::Storage || !(it == usual || it == "default"));
        self.add("column", format!("{table}.{}", column.name), aspects, &details);
    }

    fn constraint(&mut self, table: &str, constraint: &ConstraintState) {
        let (mut condition, mut references, mut actions) = (None, None, None);
        let columns = match &constraint.demand {
            Demand::Check(expression) => {
                condition = Some(self.spelled(&expression.text));
                None
            }
            // That a column refuses NULL stands with the column.
            Demand::NotNull(_) if constraint.valid => return,
            Demand::NotNull(column) => Some(format!("{column} is not null")),
            Demand::Unique(columns) | Demand::Exclude(columns) => Some(columns.join(", ")),
            Demand::PrimaryKey(columns) => Some(format!("primary key {}", columns.join(", "))),
            Demand::ForeignKey { columns, references: other, key } => {
                references = Some(format!("{} ({})", self.display(other), self.referenced(other, key)));
                actions = spelling::actions(&key.actions);
                Some(columns.join(", "))
            }
        };
        let columns = columns.map(|it| if constraint.temporal { format!("{it} as a period") } else { it });
        let timing = match (constraint.deferrable, constraint.initially_deferred) {
            (false, _) => "at once",
            (true, false) => "at once, or at the end of the transaction",
            (true, true) => "at the end of the transaction",
        };
        let aspects = vec![
            (Aspect::Condition, condition),
            (Aspect::Columns, columns),
            (Aspect::References, references),
            (Aspect::Actions, actions),
            (Aspect::Timing, Some(timing.to_owned())),
            (Aspect::Validity, Some(if constraint.valid { "valid" } else { "not valid" }.to_owned())),
            (Aspect::Enforcement, (!constraint.enforced).then(|| "not enforced".to_owned())),
        ];
        self.add("constraint", format!("{} of {table}", constraint.name), aspects, &constraint.details);
    }

    /// The columns that a key points at; where it states none, those of the primary key.
    fn referenced(&self, other: &RelationName, key: &ForeignKey) -> String {
        let stated: Vec<&str> = key.referenced.iter().map(|it| it.name.as_str()).collect();
        if !stated.is_empty() {
            return stated.join(", ");
        }
        let own = self.catalog.table(other).and_then(Table::primary_key).unwrap_or_default();
        own.join(", ")
    }

    fn index(&mut self, owner: &RelationName, index: &Index, details: &Details) {
        let keys: Vec<String> =
            index.keys.iter().map(|it| spelling::index_key(&self.spelled(&it.text.text))).collect();
        let aspects = vec![
            (Aspect::Tables, Some(self.display(owner))),
            (Aspect::Uniqueness, index.unique.then(|| "unique".to_owned())),
            (Aspect::Validity, Some(if index.valid { "valid" } else { "not valid" }.to_owned())),
            (Aspect::Keys, Some(keys.join(", "))),
            (Aspect::Include, (!index.include.is_empty()).then(|| index.include.join(", "))),
            (Aspect::Condition, index.predicate.as_ref().map(|it| self.spelled(&it.text))),
            (Aspect::Method, Some(index.method.clone())),
        ];
        self.add("index", self.display(&index.name), aspects, details);
    }

    fn trigger(&mut self, table: &str, trigger: &Trigger) {
        let dialect = self.catalog.dialect();
        let function = trigger.function.clone().unwrap_or_default();
        let kind = if trigger.constraint { "constraint trigger " } else { "" };
        let aspects = vec![
            (Aspect::Events, Some(spelling::events(&trigger.events, dialect))),
            (
                Aspect::Definition,
                Some(format!("{kind}{}", spelling::action(&trigger.action, &function, dialect))),
            ),
        ];
        self.add("trigger", format!("{} of {table}", trigger.name), aspects, &trigger.details);
    }

    fn view(&mut self, name: &RelationName, view: &View, details: &Details) {
        let own = self.display(name);
        let query = match view.unclear {
            true => super::UNKNOWN.to_owned(),
            false => spelling::query(&view.query.text, self.catalog.dialect()),
        };
        let shown = view.columns.as_ref().map(|it| it.join(", "));
        let aspects = vec![
            (Aspect::Columns, shown.or_else(|| Some(super::UNKNOWN.to_owned()))),
            (Aspect::Query, Some(query)),
            (Aspect::Tables, self.displays(view.depends_on.iter().map(|it| &it.relation))),
            (Aspect::Population, (view.materialized && !view.populated).then(|| "empty".to_owned())),
        ];
        self.add(if view.materialized { "materialized view" } else { "view" }, own.clone(), aspects, details);
        for (column, details) in &view.columns_details {
            self.add("column", format!("{own}.{column}"), Vec::new(), details);
        }
        view.triggers.iter().for_each(|it| self.trigger(&own, it));
        self.parts(&own, &view.parts);
    }

    fn sequence(&mut self, name: &RelationName, sequence: &Sequence, details: &Details) {
        let owner =
            sequence.owned_by.as_ref().map(|(table, column)| format!("{}.{column}", self.display(table)));
        let kind = sequence.identity.then(|| "of an identity column".to_owned());
        let aspects = vec![
            (Aspect::Type, Some(self.ty(&sequence.ty))),
            (Aspect::Sequence, owner),
            (Aspect::Identity, kind),
        ];
        self.add("sequence", self.display(name), aspects, details);
    }

    fn types(&mut self) {
        for (name, ty) in self.catalog.types() {
            let details = self.catalog.type_details(name).cloned().unwrap_or_default();
            let aspects = match ty {
                UserType::Enum(labels) => vec![(Aspect::Labels, Some(labels.join(", ")))],
                UserType::Composite(attributes) => {
                    let each = attributes.iter().map(|(name, ty)| format!("{name} {}", self.ty(ty)));
                    vec![(Aspect::Attributes, Some(each.collect::<Vec<_>>().join(", ")))]
                }
                UserType::Domain { base, checks, not_null, default } => vec![
                    (Aspect::Type, Some(self.ty(base))),
                    (Aspect::Nullability, not_null.then(|| "NOT NULL".to_owned())),
                    (Aspect::Default, default.as_ref().map(|it| self.spelled(&it.text))),
                    (Aspect::Validity, Some(spelling::checks(checks))),
                ],
                UserType::Else => Vec::new(),
            };
            self.add("type", self.display(name), aspects, &details);
        }
    }

    fn routines(&mut self, other: &Catalog) {
        let is_shared = |name: &RoutineName, own: &Definition| {
            other.definitions.get(name).is_some_and(|it| std::ptr::eq(&**it, own))
        };
        for (name, definition) in self.catalog.definitions().filter(|(name, it)| !is_shared(name, it)) {
            let kind = if definition.procedure { "procedure" } else { "function" };
            let text = spelling::routine(&definition.text, self.catalog.dialect());
            let aspects = vec![(Aspect::Definition, Some(text))];
            self.add(kind, name.to_string(), aspects, &definition.details);
        }
    }

    fn others(&mut self) {
        for (name, details) in self.catalog.schemas() {
            self.add("schema", name.to_owned(), Vec::new(), details);
        }
        for name in self.catalog.extensions() {
            self.add("extension", name.to_owned(), Vec::new(), &Details::default());
        }
        for (name, tables) in self.catalog.publications() {
            let aspects = vec![(Aspect::Tables, self.displays(tables.iter()))];
            self.add("publication", name.to_owned(), aspects, &Details::default());
        }
    }
}
