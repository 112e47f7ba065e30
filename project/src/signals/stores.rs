//! All stores of data that the repository starts or rents, not only the one that migrations are for: what reads or copies the rows is often
//! another of them.

use std::collections::BTreeMap;

use lockkeeper_core::signals::{Evidence, Signal};

use super::{MAX_EVIDENCE, MAX_SIZE, table};
use crate::discover::Project;
use crate::secret;

/// Words at the end of an image's name, and the store.
const IMAGES: &[(&str, &str)] = &[
    ("postgres", "PostgreSQL"),
    ("postgresql", "PostgreSQL"),
    ("postgis", "PostgreSQL"),
    ("pgvector", "PostgreSQL"),
    ("timescaledb", "PostgreSQL"),
    ("timescaledb-ha", "PostgreSQL"),
    ("mysql", "MySQL"),
    ("mariadb", "MariaDB"),
    ("redis", "Redis"),
    ("valkey", "Valkey"),
    ("memcached", "Memcached"),
    ("mongo", "MongoDB"),
    ("mongodb", "MongoDB"),
    ("clickhouse", "ClickHouse"),
    ("clickhouse-server", "ClickHouse"),
    ("elasticsearch", "Elasticsearch"),
    ("opensearch", "OpenSearch"),
    ("meilisearch", "Meilisearch"),
    ("typesense", "Typesense"),
    ("kafka", "Kafka"),
    ("cp-kafka", "Kafka"),
    ("redpanda", "Redpanda"),
    ("rabbitmq", "RabbitMQ"),
    ("nats", "NATS"),
    ("cassandra", "Cassandra"),
    ("scylla", "ScyllaDB"),
    ("cockroach", "CockroachDB"),
    ("etcd", "etcd"),
    ("minio", "MinIO"),
    ("debezium", "Debezium"),
];

/// Resources of infrastructure as code.
const RESOURCES: &[(&str, &str)] = &[
    ("aws_elasticache", "ElastiCache"),
    ("aws_dynamodb_table", "DynamoDB"),
    ("aws_opensearch_domain", "OpenSearch"),
    ("aws_redshift_cluster", "Redshift"),
    ("aws_msk_cluster", "Kafka"),
    ("google_bigquery_dataset", "BigQuery"),
    ("snowflake_database", "Snowflake"),
];

/// Everything that holds data, each with the first place that shows it.
pub(super) fn datastores(project: &Project) -> Signal {
    let implication = "what caches, indexes or copies the rows has to follow a change of their shape";
    let mut found: BTreeMap<&'static str, Evidence> = BTreeMap::new();
    for file in &project.files {
        if !table::is_configuration(&file.path) || file.size(&project.root) > MAX_SIZE {
            continue;
        }
        let text = project.read(&file.path).unwrap_or_default();
        for (index, line) in text.lines().enumerate() {
            if let Some(store) = of_line(file.name(), line) {
                let evidence =
                    Evidence { path: file.path.clone(), line: index + 1, excerpt: secret::excerpt(line) };
                found.entry(store).or_insert(evidence);
            }
        }
    }
    if found.is_empty() {
        return Signal::unknown("datastores", implication);
    }
    let names: Vec<&str> = found.keys().copied().collect();
    let names = names.join(", ");
    Signal::observed("datastores", names, found.into_values().take(MAX_EVIDENCE).collect(), implication)
}

fn of_line(file: &str, line: &str) -> Option<&'static str> {
    let line = line.trim();
    if line.starts_with('#') || line.starts_with("//") {
        return None;
    }
    if file.ends_with(".tf") {
        return RESOURCES
            .iter()
            .find(|(word, _)| line.starts_with("resource") && line.contains(word))
            .map(|(_, it)| *it);
    }
    let line = line.strip_prefix("- ").unwrap_or(line);
    let image = line
        .strip_prefix("image:")
        .or_else(|| line.strip_prefix("FROM "))
        .or_else(|| line.strip_prefix("repository:"))?;
    let image = image.trim().trim_matches(['"', '\'']);
    let name = image.split(['@', ' ']).next()?.rsplit('/').next()?.split(':').next()?;
    IMAGES.iter().find(|(word, _)| *word == name).map(|(_, store)| *store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_and_resources_are_stores() {
        assert_eq!(of_line("compose.yaml", "    image: redis:7-alpine"), Some("Redis"));
        assert_eq!(of_line("compose.yaml", "image: \"clickhouse/clickhouse-server:24\""), Some("ClickHouse"));
        assert_eq!(of_line("values.yaml", "  repository: bitnami/kafka"), Some("Kafka"));
        assert_eq!(of_line("main.tf", "resource \"aws_dynamodb_table\" \"x\" {"), Some("DynamoDB"));
        assert_eq!(of_line("compose.yaml", "# image: redis:7"), None);
        assert_eq!(of_line("compose.yaml", "  image: example/app:1"), None);
    }
}
