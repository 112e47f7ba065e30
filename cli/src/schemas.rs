//! The JSON Schemas of the configuration and of every `--format json`, made from the types. `UPDATE_EXPECT=1` writes them again.

use std::path::Path;

use expect_test::expect_file;
use lockkeeper_core::report::{
    CheckReport, EffectReport, PlanReport, RehearsalReport, ReviewReport, RewriteReport, SchemaReport,
};
use lockkeeper_project::config::Config;
use schemars::generate::{SchemaGenerator, SchemaSettings};

use crate::commands::{gates, references, schema, signals};

#[track_caller]
fn is_fresh<T: schemars::JsonSchema>(name: &str, title: &str, generator: SchemaGenerator) {
    let mut schema = generator.into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../schemas/{name}.schema.json"));
    expect_file![path].assert_eq(&format!("{:#}\n", schema.to_value()));
}

fn output() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}

#[test]
fn the_schema_of_the_configuration_is_fresh() {
    // Draft 7 is what editors of TOML read.
    let generator = SchemaSettings::draft07().into_generator();
    is_fresh::<Config>("lockkeeper.toml", "lockkeeper.toml", generator);
}

#[test]
fn the_schemas_of_answers_are_fresh() {
    is_fresh::<CheckReport>("check", "lockkeeper check --format json", output());
    is_fresh::<ReviewReport>("review", "lockkeeper review --format json", output());
    is_fresh::<EffectReport>("effect", "lockkeeper effect --format json", output());
    is_fresh::<PlanReport>("plan", "lockkeeper plan --format json", output());
    is_fresh::<RewriteReport>("rewrite", "lockkeeper rewrite --format json", output());
    is_fresh::<RehearsalReport>("rehearsal", "lockkeeper rehearse --format json", output());
    is_fresh::<SchemaReport>("schema", "lockkeeper schema --format json", output());
    is_fresh::<references::Answer>("references", "lockkeeper references --format json", output());
    is_fresh::<signals::Answer>("signals", "lockkeeper signals --format json", output());
    is_fresh::<schema::DriftAnswer>(
        "drift",
        "lockkeeper schema --against-server VARIABLE --format json",
        output(),
    );
    is_fresh::<gates::Answer>("gates-of-plan", "lockkeeper gates PLAN --format json", output());
    is_fresh::<gates::List>("gates", "lockkeeper gates --format json", output());
}
